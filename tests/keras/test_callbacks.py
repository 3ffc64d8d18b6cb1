from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.worker import Loaded, execute
from hparams_lab.testing import FakeRunWriter, make_run
from tests.support.factories import SATURDAY, make_spec
from tests.support.worker_runs import refuse

pytestmark = pytest.mark.slow

HPARAMS = [HParam("x", Discrete([1, 2]))]


def declare(train: Any) -> Experiment:
    return Experiment(
        name="toy",
        hparams=HPARAMS,
        metrics=[Metric("loss")],
        objective=minimize("loss"),
        train=train,
    )


def test_callbacks_write_each_epoch(tmp_path: Path) -> None:
    """An epoch's logs become `train/...`, `validation/...` and a report at its number."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    sink = FakeRunWriter()
    run = make_run(declare(len), {"x": 1}, sink=sink, directory=tmp_path)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = model.fit(
        x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=run.callbacks()
    ).history

    assert {
        "train/loss": list(enumerate(history["loss"])),
        "validation/loss": list(enumerate(history["val_loss"])),
        "report/loss": list(enumerate(history["val_loss"])),
        "learning_rate": [(epoch, pytest.approx(0.01)) for epoch in range(3)],
    } == sink.points


def draw(run: Run) -> dict[str, float]:
    """Log a number of each generator, and what Keras names its first layer."""
    import keras

    run.scalar("python", random.random(), 0)
    run.scalar("numpy", np.random.random(), 0)
    run.scalar("keras", keras.random.uniform(()), 0)
    run.scalar("initializer", keras.initializers.RandomNormal()((1,))[0], 0)
    run.scalar("first_layer", keras.layers.Dense(1).name == "dense", 0)
    return {"loss": 0.0}


def test_keras_follows_the_run_s_seed(tmp_path: Path) -> None:
    """Runs of one seed draw the same numbers with Keras too, and of another seed others."""
    import keras  # noqa: F401 - as an experiment does before its runs

    specs = [make_spec(SweepDir(tmp_path / f"{SATURDAY[:-1]}{i}"), {"x": 1}) for i in range(2)]
    specs.append(make_spec(SweepDir(tmp_path / SATURDAY), {"x": 2}, index=1))
    loaded = Loaded(declare(draw), None)
    first, again, other = (execute(loaded, spec, refuse).metrics for spec in specs)

    assert 1.0 == first["first_layer"] == other["first_layer"]
    assert first == again
    drawn = ("python", "numpy", "keras", "initializer")
    assert not {first[name] for name in drawn} & {other[name] for name in drawn}


def diverge(**options: Any) -> Any:
    """Return a train function whose loss is NaN in its second epoch."""

    def train(run: Run) -> dict[str, float]:
        import keras

        from hparams_lab.keras import fit

        class Breaker(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    self.model.set_weights([weight * np.nan for weight in self.model.get_weights()])

        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        callbacks = [Breaker(), *run.callbacks(**options)]
        fit(run, model, np.ones((4, 2)), np.ones((4, 1)), epochs=5, callbacks=callbacks)
        raise AssertionError("training has gone on")

    return train


def test_a_loss_of_nan_fails_the_run(tmp_path: Path) -> None:
    """A run whose loss is NaN is a FAILURE that names the epoch; its curve shows the NaN."""
    spec = make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
    outcome = execute(Loaded(declare(diverge()), None), spec, refuse)

    assert Ending.FAILED is outcome.ending
    assert "loss is nan in epoch 1, counted from 0" in outcome.reason
    assert np.isnan(outcome.metrics["train/loss"])


def test_a_loss_of_nan_may_have_a_value(tmp_path: Path) -> None:
    """Where diverged runs have a value, such a run is a SUCCESS with it."""
    spec = make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
    outcome = execute(Loaded(declare(diverge(diverged=1e6)), None), spec, refuse)

    assert (Ending.COMPLETE, "", 1e6) == (
        outcome.ending,
        outcome.reason,
        outcome.objective_value,
    )


def test_a_schedule_is_a_curve(tmp_path: Path) -> None:
    """The learning rate of a schedule is written as it is after each epoch."""
    import keras

    from hparams_lab.keras import fit

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
    sink = FakeRunWriter()
    run = make_run(declare(len), {"x": 1}, sink=sink, directory=tmp_path)
    fit(run, model, np.ones((4, 2)), np.ones((4, 1)), epochs=3, batch_size=2)

    assert [pytest.approx(0.1 * 0.5**epoch) for epoch in (1, 2, 3)] == [
        value for _, value in sink.points["learning_rate"]
    ]


def test_a_second_training_goes_on_counting(tmp_path: Path) -> None:
    """A run that trains twice has one curve, whose second part follows the first."""
    import keras

    from hparams_lab.keras import fit

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    sink = FakeRunWriter()
    run = make_run(declare(len), {"x": 1}, sink=sink, directory=tmp_path)
    for first, last in [(0, 2), (0, 1), (3, 5)]:
        fit(run, model, np.ones((4, 2)), np.ones((4, 1)), initial_epoch=first, epochs=last)

    assert [0, 1, 2, 3, 4] == [step for step, _ in sink.points["train/loss"]]


def test_the_run_knows_its_model(tmp_path: Path) -> None:
    """What was trained last is what a refit saves."""
    import keras

    from hparams_lab.keras import fit

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    run = make_run(declare(len), {"x": 1}, sink=FakeRunWriter(), directory=tmp_path)
    fit(run, model, np.ones((4, 2)), np.ones((4, 1)))

    assert model is run.model


@pytest.mark.parametrize("policy", ["mixed_float16", "float32"])
def test_the_dtype_policy_outlives_a_run(tmp_path: Path, policy: str) -> None:
    """The blank state that a run begins with keeps the dtype policy that its module has set."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        spec = make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
        outcome = execute(
            Loaded(declare(lambda run: {"loss": keras.config.dtype_policy().name == policy}), None),
            spec,
            refuse,
        )
    finally:
        keras.config.set_dtype_policy(before)

    assert 1.0 == outcome.metrics["loss"]
