"""Checkpoints: what an interrupted run goes on with, and the best epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import maximize
from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.sweeps.worker import Loaded, Outcome, execute
from hparams_lab.testing import FakeRunWriter, make_run
from tests.support.factories import SATURDAY, make_spec
from tests.support.models import ROWS, SIGNS, make_dense
from tests.support.worker_runs import refuse

pytestmark = [
    pytest.mark.slow,  # starts TensorFlow
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]

NUM_EPOCHS = 6
HPARAMS = [HParam("x", Discrete([1]))]


def declare(
    checkpoint: str | None,
    *,
    killed_in: Sequence[int] = (),
    loop: str = "lab",
    trainings: int = 1,
    reraise: type[BaseException] = KeyboardInterrupt,
) -> Experiment:
    """Return an experiment that trains the dense net and is killed in an epoch, once for each."""

    def train(run: Run) -> dict[str, float]:
        import keras

        from hparams_lab.keras import evaluate, fit

        class Killer(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if [epoch] == list(killed_in[:1]):
                    raise reraise

        model = make_dense()
        for _ in range(trainings):
            callbacks = [Killer(), *run.callbacks(checkpoint=checkpoint)]
            arguments = {"epochs": NUM_EPOCHS, "validation_data": (ROWS[:30], SIGNS[:30])}
            if loop == "lab":
                fit(run, model, ROWS, SIGNS, callbacks=callbacks, **arguments)
            else:
                model.fit(ROWS, SIGNS, callbacks=callbacks, shuffle=False, verbose=0, **arguments)
        assert NUM_EPOCHS == len(model.history.epoch) == len(model.history.history["loss"])
        return {"accuracy": evaluate(model, ROWS[:30], SIGNS[:30])[1]}

    return Experiment(
        name="toy",
        hparams=HPARAMS,
        metrics=[Metric("accuracy")],
        objective=maximize("accuracy"),
        train=train,
    )


def make_run_spec(tmp_path: Path, attempt: int = 0) -> RunSpec:
    """Return the same run at another attempt."""
    spec = make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
    for _ in range(attempt):
        spec = replace(spec, dir=spec.dir.next_attempt())
    return spec


def run_whole(tmp_path: Path, **declared: Any) -> tuple[Outcome, RunSpec]:
    """Return how a run ends that nothing disturbs."""
    spec = make_run_spec(tmp_path / "whole")
    return execute(Loaded(declare(**declared), None), spec, refuse), spec


def run_killed(
    tmp_path: Path, killed_in: Sequence[int], **declared: Any
) -> tuple[Outcome, RunSpec]:
    """Return how the last of several attempts ends, each but the last killed in an epoch."""
    for attempt, epoch in enumerate(killed_in):
        experiment = declare(killed_in=[epoch], **declared)
        with pytest.raises(KeyboardInterrupt):
            execute(Loaded(experiment, None), make_run_spec(tmp_path, attempt), refuse)
    spec = make_run_spec(tmp_path, len(killed_in))
    return execute(Loaded(declare(**declared), None), spec, refuse), spec


@pytest.mark.parametrize(
    ("checkpoint", "loop", "killed_in"),
    [("last", "lab", [0]), ("last", "lab", [3]), ("best", "lab", [2, 4]), ("last", "keras", [3])],
    ids=["at once", "once", "twice, the best", "by model.fit"],
)
def test_a_killed_run_ends_as_if_it_were_not(
    tmp_path: Path, checkpoint: str, loop: str, killed_in: list[int]
) -> None:
    """Curves and results of a run that goes on are those of one that was never killed."""
    expected, whole = run_whole(tmp_path, checkpoint=checkpoint, loop=loop)
    actual, resumed = run_killed(tmp_path, killed_in, checkpoint=checkpoint, loop=loop)

    assert expected.metrics == actual.metrics
    assert read_curves(whole) == read_curves(resumed)


def read_curves(spec: RunSpec) -> dict[str, list[tuple[int, float]]]:
    """Return the points of a run's scalars."""
    record = read_run(spec.dir, declare("last").space)
    assert record is not None
    return {
        tag: list(zip(one.steps, one.values, strict=True)) for tag, one in record.curves.items()
    }


def test_the_best_epoch_is_what_is_judged(tmp_path: Path) -> None:
    """With "best" the result is the best of the epochs, with "last" the last."""
    best, spec = run_whole(tmp_path, checkpoint="best")
    last, _ = run_whole(tmp_path / "last", checkpoint="last")
    values = [value for _, value in read_curves(spec)["validation/accuracy"]]

    assert max(values) == pytest.approx(best.metrics["accuracy"])
    assert values[-1] == pytest.approx(last.metrics["accuracy"])


def test_checkpoints_are_models(tmp_path: Path) -> None:
    """What is saved is what keras.models.load_model loads."""
    import keras

    _, spec = run_whole(tmp_path, checkpoint="best")
    folder = spec.dir.checkpoint_dir()

    assert ["best.keras", "last.keras", "training.json"] == sorted(p.name for p in folder.iterdir())
    assert (30, 1) == keras.models.load_model(folder / "best.keras")(ROWS[:30]).shape


def test_each_training_of_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Of two trainings, the first is not taken for the second, nor done again."""
    expected, _ = run_whole(tmp_path, checkpoint="last", trainings=2)
    experiment = declare("last", trainings=2)
    first = make_run_spec(tmp_path)
    execute(Loaded(experiment, None), first, refuse)
    (first.dir.checkpoint_dir(1) / "training.json").unlink()  # as if killed between the two
    actual = execute(Loaded(experiment, None), make_run_spec(tmp_path, 1), refuse)

    assert expected.metrics["accuracy"] == actual.metrics["accuracy"]


def test_a_failed_run_begins_anew(tmp_path: Path) -> None:
    """What failed may have failed by its code: the next attempt does not go on with its state."""
    experiment = declare("last", killed_in=[3], reraise=RuntimeError)
    spec = make_run_spec(tmp_path)
    outcome = execute(Loaded(experiment, None), spec, refuse)

    assert Ending.FAILED is outcome.ending
    assert ["last.keras"] == [path.name for path in spec.dir.checkpoint_dir().iterdir()]


def test_a_state_without_its_model_is_passed_over(tmp_path: Path) -> None:
    """A record whose model is gone is none to go on from."""
    _, whole = run_whole(tmp_path, checkpoint="last")
    spec = make_run_spec(tmp_path)
    spec.dir.checkpoint_dir().mkdir(parents=True)
    (spec.dir.checkpoint_dir() / "training.json").write_text(json.dumps({"logs": [{"loss": 1.0}]}))
    again = make_run_spec(tmp_path, 1)
    execute(Loaded(declare("last"), None), again, refuse)

    assert read_curves(whole) == read_curves(again)


def test_the_best_needs_a_value_to_choose_by(tmp_path: Path) -> None:
    """Without validation data, "best" fails with a sentence that says what to pass."""
    from hparams_lab.keras import fit

    run = make_run(declare("best"), {"x": 1}, sink=FakeRunWriter(), directory=tmp_path)

    with pytest.raises(ValueError, match="chosen by the log 'val_accuracy'; got accuracy"):
        fit(run, make_dense(), ROWS, SIGNS, callbacks=run.callbacks(checkpoint="best"))


def test_an_unknown_checkpoint_is_refused(tmp_path: Path) -> None:
    """A checkpoint that is neither the last nor the best is an error."""
    run = make_run(declare(None), {"x": 1}, sink=FakeRunWriter(), directory=tmp_path)

    with pytest.raises(ValueError, match="must be 'last' or 'best'; got 'first'"):
        run.callbacks(checkpoint="first")
