"""The handle that a train function gets."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import MAX_STEP, Run, RunSpec
from hparams_lab.testing import FakeRunWriter

LOSS = Metric("loss", group="validation")
SPEC = RunSpec(
    SweepDir(Path("/logs/digits/2026-11-21_07-34-05")).run_dir("0007-3f2a9c1b", repeat=1, fold=2),
    Assignment({"units": 16}),
    seed=17,
    split_seed=3,
    commit="0123abcd+",
)


@pytest.fixture
def sink() -> FakeRunWriter:
    """Return a writer that remembers."""
    return FakeRunWriter()


def make_run(sink: FakeRunWriter, objective: Objective | None = None, data: Any = None) -> Run:
    """Return the run of SPEC."""
    return Run(SPEC, data, objective=objective or minimize("loss"), sink=sink)


def test_a_run_knows_what_it_is(sink: FakeRunWriter) -> None:
    """Values, seed, repeat, fold, directory and data are at hand."""
    data = object()
    run = make_run(sink, data=data)

    assert run.hparams[HParam("units")] == 16
    assert (run.seed, run.repeat, run.fold) == (17, 1, 2)
    assert SPEC.dir.path == run.dir
    assert data is run.data


def test_a_spec_crosses_processes() -> None:
    """An unpickled spec is equal."""
    assert SPEC == pickle.loads(pickle.dumps(SPEC))


def test_the_group_of_a_run_is_its_trial_in_its_sweep() -> None:
    """The same point of two days is two rows of the dashboard."""
    assert SPEC.group_name == "0007-3f2a9c1b@2026-11-21_07-34-05"


def test_scalars_are_written_as_they_come(sink: FakeRunWriter) -> None:
    """Each point goes to the writer under the metric's key, in order."""
    run = make_run(sink)
    run.scalar("loss", 0.5, 0)
    run.scalar(LOSS, 0.25, 3)
    run.scalar("loss", 0.125, 1)

    assert {"loss": [(0, 0.5), (1, 0.125)], "validation/loss": [(3, 0.25)]} == sink.points


@pytest.mark.parametrize(
    "value", [1, 1.0, True, np.float32(1.0), np.array(1.0), np.int64(1), "1"], ids=repr
)
def test_anything_that_float_takes_is_a_value(value: Any, sink: FakeRunWriter) -> None:
    """A value is turned into a plain float."""
    make_run(sink).scalar("loss", value, np.int64(2))

    assert {"loss": [(2, 1.0)]} == sink.points
    assert [int, float] == [type(part) for part in sink.points["loss"][0]]


@pytest.mark.parametrize("value", [None, "low", [1.0, 2.0]], ids=repr)
def test_other_values_write_nothing(value: Any, sink: FakeRunWriter) -> None:
    """What float does not take is an error, and the run's state stays as it was."""
    run = make_run(sink)
    with pytest.raises((TypeError, ValueError), match="float"):
        run.scalar("loss", value, 0)

    assert {} == sink.points == run.last_values


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_written_as_such(value: float, sink: FakeRunWriter) -> None:
    """A loss that diverges is on the record."""
    run = make_run(sink)
    run.scalar("loss", value, 0)

    assert run.objective_value == pytest.approx(value, nan_ok=True)
    assert run.last_values["loss"] == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("step", [0, 1, MAX_STEP])
def test_steps_within_range_are_written(step: int, sink: FakeRunWriter) -> None:
    """Steps go from 0 to the largest that the dashboard bears."""
    make_run(sink).scalar("loss", 1.0, step)

    assert {"loss": [(step, 1.0)]} == sink.points


@pytest.mark.parametrize("step", [-1, MAX_STEP + 1, 2**40])
def test_steps_out_of_range_are_refused(step: int, sink: FakeRunWriter) -> None:
    """A step that would break the dashboard is refused and nothing is written."""
    run = make_run(sink)
    with pytest.raises(ValueError, match=rf"step of 'loss' .* \[0, 2\*\*31\).*got {step}\."):
        run.scalar("loss", 1.0, step)

    assert {} == sink.points == run.last_values


def test_steps_do_not_go_back(sink: FakeRunWriter) -> None:
    """A step before the tag's last one is refused; the same one, or another tag's, is not."""
    run = make_run(sink)
    run.scalar("loss", 0.5, 5)
    run.scalar("loss", 0.4, 5)
    run.scalar("accuracy", 0.9, 0)
    with pytest.raises(ValueError, match=r"'loss' must not go back.*got 4 after 5"):
        run.scalar("loss", 0.3, 4)

    assert {"loss": [(5, 0.5), (5, 0.4)], "accuracy": [(0, 0.9)]} == sink.points
    assert (run.last_step("loss"), run.last_step("accuracy"), run.last_step(LOSS)) == (5, 0, 0)


@pytest.mark.parametrize("step", [0.5, math.nan, None], ids=repr)
def test_a_step_is_a_whole_number(step: Any, sink: FakeRunWriter) -> None:
    """A step that is no whole number is refused instead of rounded down."""
    with pytest.raises((TypeError, ValueError), match=r"step|int"):
        make_run(sink).scalar("loss", 1.0, step)

    assert {} == sink.points


def test_last_values_are_the_last_written(sink: FakeRunWriter) -> None:
    """Each tag has its last value, as the dashboard's table shows it."""
    run = make_run(sink)
    assert run.last_values == {}
    for step, value in enumerate([0.5, 0.25, 0.75]):
        run.scalar("loss", value, step)
        run.scalar("accuracy", 1 - value, step)

    assert sink.last_values == run.last_values
    assert run.last_values == {"loss": 0.75, "accuracy": 0.25}


def test_a_report_is_a_scalar_of_the_objective(sink: FakeRunWriter) -> None:
    """`report` writes beside the objective's metric, whatever its key, by the same rules."""
    run = make_run(sink, maximize(LOSS))
    run.report(0.5, 1)
    run.report(0.75, 2)

    assert {"report/validation/loss": [(1, 0.5), (2, 0.75)]} == sink.points
    assert 0.75 == run.objective_value
    with pytest.raises(ValueError, match="must not go back"):
        run.report(0.9, 1)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (minimize("loss"), 0.7),
        (minimize("loss", reduction="best"), 0.2),
        (maximize("loss", reduction="best"), 0.9),
        (minimize("accuracy"), math.nan),
    ],
    ids=["last", "lowest", "highest", "not_written"],
)
def test_the_objective_value_is_the_reduced_series(
    objective: Objective, expected: float, sink: FakeRunWriter
) -> None:
    """The objective's value is its reduction of what was written so far, NaN if nothing was."""
    run = make_run(sink, objective)
    for step, value in enumerate([0.5, 0.2, 0.9, 0.7]):
        run.scalar("loss", value, step)
        run.scalar("other", -value, step)

    assert run.objective_value == pytest.approx(expected, nan_ok=True)


def test_the_best_value_passes_nan_over(sink: FakeRunWriter) -> None:
    """A run that diverges keeps its best value from before."""
    run = make_run(sink, minimize("loss", reduction="best"))
    for step, value in enumerate([0.5, math.nan]):
        run.report(value, step)

    assert run.objective_value == 0.5


def test_a_run_splits_by_its_split_seed(sink: FakeRunWriter) -> None:
    """Runs of other points and seeds with one split seed see the same hold-out."""
    x, y = np.arange(40.0), np.arange(40) % 2
    other = RunSpec(SPEC.dir, Assignment({"units": 32}), seed=99, split_seed=3, commit="none")
    one = make_run(sink).split(x, y)
    two = Run(other, None, objective=minimize("loss"), sink=sink).split(x, y)

    assert [part.tolist() for part in one] == [part.tolist() for part in two]
