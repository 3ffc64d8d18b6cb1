"""What of a sweep has been done, from its event files alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial, make_trial
from hparams_lab.sweeps.history import PastTrial, read_history
from tests.support.factories import SATURDAY, make_sweep, write_run

HPARAMS = [Axis(HParam("x", IntInterval(0, 10**6)), step=1)]
SWEEP = make_sweep(hparams=HPARAMS, repeats=2, folds=2)


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """Where the sweep lies."""
    return SweepDir(tmp_path / "toy" / SATURDAY)


def specify(sweep_dir: SweepDir, x: int, *, sweep: Sweep = SWEEP) -> list[RunSpec]:
    """Return the runs of the trial of a point, whose index is x too."""
    return sweep.specify_runs(trial_of(x, sweep), sweep_dir)


def trial_of(x: int, sweep: Sweep = SWEEP) -> Trial:
    """Return the trial of a point."""
    return make_trial(x, sweep.space.validate({"x": x}))


def only(past: list[PastTrial]) -> PastTrial:
    """Return the one trial."""
    (trial,) = past
    return trial


def test_nothing_begun_is_no_history(sweep_dir: SweepDir) -> None:
    """A sweep without runs has no past."""
    assert [] == read_history(SWEEP, sweep_dir)


def test_trials_come_in_the_order_of_their_proposals(sweep_dir: SweepDir) -> None:
    """Trials go by index, also where their ids do not sort so."""
    for x in (3, 10_000, 0):
        write_run(specify(sweep_dir, x)[0], {})

    assert [0, 3, 10_000] == [past.trial.index for past in read_history(SWEEP, sweep_dir)]


def test_a_trial_comes_back_as_it_was(sweep_dir: SweepDir) -> None:
    """Id, index and assignment are those of the trial that was begun."""
    write_run(specify(sweep_dir, 7)[0], {})
    found = only(read_history(SWEEP, sweep_dir)).trial

    assert trial_of(7) == found
    assert trial_of(7).assignment.canonical_json == found.assignment.canonical_json


def test_each_run_is_found(sweep_dir: SweepDir) -> None:
    """A run is found by its repeat and fold; one that has not begun is not."""
    runs = specify(sweep_dir, 0)
    for spec in runs[:3]:
        write_run(spec, {})
    past = only(read_history(SWEEP, sweep_dir))
    found = [past.find(spec) for spec in runs]

    assert [spec.dir for spec in runs[:3]] == [record.dir for record in found[:3] if record]
    assert found[3] is None


def test_the_latest_attempt_is_the_run(sweep_dir: SweepDir) -> None:
    """A superseded attempt is none of the past; the one that stands for it is."""
    first = specify(sweep_dir, 0)[0]
    write_run(first, {"loss": [9.0]}, ending=Ending.INTERRUPTED)
    first.dir.supersede()
    again = first.dir.next_attempt()
    write_run(RunSpec(again, first.assignment, 1, 2, "none"), {"loss": [0.5]})
    past = only(read_history(SWEEP, sweep_dir))
    found = past.find(first)

    assert [again] == [run.dir for run in past.runs]
    assert found is not None
    assert {"loss": 0.5} == found.last_values


@pytest.mark.parametrize(
    ("scalars", "expected"),
    [({}, False), ({"n/loss": [2.0]}, True), ({"n/accuracy": [2.0]}, False)],
    ids=["none", "told", "another"],
)
def test_a_trial_is_concluded_by_its_spread(
    scalars: dict[str, list[float]], expected: bool, sweep_dir: SweepDir
) -> None:
    """A trial whose number of runs was written down is over."""
    runs = specify(sweep_dir, 0)
    write_run(runs[0], {})
    write_run(runs[1], scalars)

    assert expected is only(read_history(SWEEP, sweep_dir)).is_concluded("loss")


def test_a_value_between_the_levels_keeps_its_type(sweep_dir: SweepDir) -> None:
    """A point that was tried beside the grid is the same point after the axis was extended."""
    plain = make_sweep(hparams=[HParam("x", IntInterval(0, 8))])
    write_run(specify(sweep_dir, 3, sweep=plain)[0], {})
    wider = make_sweep(hparams=[Axis(HParam("x", IntInterval(0, 16)), grid=[0, 8, 16])])
    found = only(read_history(wider, sweep_dir)).trial

    assert trial_of(3, plain).assignment.canonical_json == found.assignment.canonical_json
