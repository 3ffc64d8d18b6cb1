"""Taking over complete runs of earlier sweeps instead of executing them again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.events.read.reader import RunRecord, read_run
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Resumption, Sweep
from hparams_lab.runs.trial import make_trial
from hparams_lab.sweeps.loop import run_sweep
from hparams_lab.sweeps.reuse import Reuse, find_reusable
from hparams_lab.sweeps.schedule import Schedule
from tests.conftest import PARABOLA, InlineLauncher
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_sweep, ticking, write_run
from tests.support.oracle import read_board, read_scalars
from tests.support.written_schedule import Scheduling

POINT = {"units": 8, "rate": 0.1}
SCALARS = {"train/loss": [3.0, 2.0], "accuracy": [0.25, 0.1], "loss": [1.5]}


def describe(sweep_id: str, **changes: Any) -> Sweep:
    """Return a sweep whose code has a digest."""
    provenance = replace(make_sweep().provenance, code_digest="abc", versions={"numpy": "2.0"})
    provenance = replace(provenance, **changes.pop("provenance", {}))
    return make_sweep(sweep_id, provenance=provenance, **changes)


def specify(sweep: Sweep, sweep_dir: SweepDir, *, index: int = 0) -> list[RunSpec]:
    """Return the runs of a trial of the one point."""
    return sweep.specify_runs(make_trial(index, sweep.space.validate(POINT)), sweep_dir)


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """The experiment's directory."""
    return ExperimentDir(tmp_path / "toy")


def find(home: ExperimentDir, then: Sweep, now: Sweep, **run: Any) -> Reuse:
    """Write a sweep with one run, and return what of it can be used in another."""
    sweep_dir = add_sweep(home, then)
    write_run(specify(then, sweep_dir)[0], run.pop("scalars", SCALARS), **run)
    return find_reusable(now, home)


def take_over(home: ExperimentDir) -> tuple[RunRecord, RunRecord]:
    """Return a run of Friday as it is, and as Saturday took it over as its trial 3."""
    then, now = describe(FRIDAY), describe(SATURDAY)
    reuse = find(home, then, now)
    spec = specify(now, add_sweep(home, now), index=3)[0]
    assert reuse.take_over(spec)
    old = read_run(specify(then, SweepDir(home.path / FRIDAY))[0].dir, then.space)
    new = read_run(spec.dir, now.space)
    assert old is not None
    assert new is not None
    return old, new


def test_a_run_is_taken_over_as_it_was(home: ExperimentDir) -> None:
    """Values, series, seed and times of the copy are those of the original."""
    old, new = take_over(home)

    assert (old.assignment, old.seed, old.ending) == (new.assignment, new.seed, new.ending)
    assert (old.start_time_secs, old.end_time_secs) == (new.start_time_secs, new.end_time_secs)
    assert old.curves == new.curves


def test_a_copy_says_where_it_comes_from(home: ExperimentDir) -> None:
    """A copy names its original, relative to the experiment; the original names none."""
    old, new = take_over(home)

    assert old.dir.path.relative_to(home.path).as_posix() == new.reused_from
    assert "" == old.reused_from


def test_a_copy_of_a_copy_names_the_original(home: ExperimentDir) -> None:
    """What was taken over twice still says where it was executed."""
    old, _ = take_over(home)
    sunday = describe("2026-11-22_07-00-00")
    shutil.rmtree(old.dir.path)
    taken = find_reusable(sunday, home).take_over(specify(sunday, add_sweep(home, sunday))[0])

    assert taken is not None
    assert old.dir.path.relative_to(home.path).as_posix() == taken.spec.reused_from


def test_tensorboard_shows_a_copy_as_a_row_of_its_own(home: ExperimentDir) -> None:
    """The copy is a success of its own sweep, with the original's values and series."""
    old, new = take_over(home)
    write_config(home)
    board = read_board(home.path)
    column = board.column("accuracy")

    assert [old.group_name, new.group_name] == board.trial_ids
    assert ["STATUS_SUCCESS"] * 2 == board.statuses
    assert column[old.group_name] == column[new.group_name] == pytest.approx(0.1)
    assert SATURDAY == board.values(new.group_name)["sweep"]
    assert read_scalars(old.dir.path) == read_scalars(new.dir.path)


def test_the_outcome_is_the_original_s(home: ExperimentDir) -> None:
    """The sweep goes on with the original's ending, values and time."""
    then, now = describe(FRIDAY), describe(SATURDAY)
    reuse = find(home, then, now, clock=ticking())
    taken = reuse.take_over(specify(now, add_sweep(home, now))[0])

    assert taken is not None
    outcome = taken.outcome
    assert (Ending.COMPLETE, "") == (outcome.ending, outcome.reason)
    assert pytest.approx(0.1) == outcome.objective_value == outcome.metrics["accuracy"]
    assert outcome.wall_secs is not None
    assert outcome.wall_secs > 0


DIFFERENCES: dict[str, dict[str, Any]] = {
    "code": {"provenance": {"code_digest": "other"}},
    "no_code": {"provenance": {"code_digest": ""}},
    "python": {"provenance": {"python": "3.12"}},
    "versions": {"provenance": {"versions": {"numpy": "2.1"}}},
    "seed": {"seed": 1},
    "folds": {"folds": 2},
    "subset": {"subset": 0.5},
    "metric": {"objective": maximize("loss")},
    "goal": {"objective": minimize("accuracy")},
    "reduction": {"objective": maximize("accuracy", reduction="best")},
}


@pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
def test_what_might_come_out_otherwise_is_run(
    difference: dict[str, Any], home: ExperimentDir
) -> None:
    """Another code, version, seed, split or objective is no reason to skip a run."""
    now = describe(SATURDAY)
    reuse = find(home, describe(FRIDAY, **difference), now)

    assert reuse.take_over(specify(now, SweepDir(home.path / SATURDAY))[0]) is None
    assert not (home.path / SATURDAY).exists()


def test_a_sweep_of_two_codes_is_not_used(home: ExperimentDir) -> None:
    """Of a sweep that was resumed after a change, nobody knows which run is of which."""
    now, then = describe(SATURDAY), describe(FRIDAY)
    changed = replace(then.provenance, code_digest="other")
    reuse = find(home, replace(then, resumptions=(Resumption("later", changed),)), now)

    assert reuse.take_over(specify(now, SweepDir(home.path / SATURDAY))[0]) is None


@pytest.mark.parametrize("ending", [None, *(end for end in Ending if end is not Ending.COMPLETE)])
def test_only_complete_runs_are_used(ending: Ending | None, home: ExperimentDir) -> None:
    """A run that failed, was pruned or did not end is executed."""
    now = describe(SATURDAY)
    reuse = find(home, describe(FRIDAY), now, ending=ending)

    assert reuse.take_over(specify(now, SweepDir(home.path / SATURDAY))[0]) is None


def test_repeats_are_used_one_by_one(home: ExperimentDir) -> None:
    """More repeats than there were take over those there were, without their spread."""
    now = describe(SATURDAY, repeats=3)
    scalars = {**SCALARS, "std/accuracy": [0.1], "n/accuracy": [1.0]}
    reuse = find(home, describe(FRIDAY), now, scalars=scalars)
    taken = [reuse.take_over(spec) for spec in specify(now, add_sweep(home, now))]
    record = read_run(taken[0].spec.dir, now.space) if taken[0] else None

    assert [True, False, False] == [each is not None for each in taken]
    assert record is not None
    assert set(SCALARS) == set(record.curves)


def test_the_strategy_learns_what_a_copy_reported(tmp_path: Path) -> None:
    """A pruner is told the values on the way of a run that is taken over, as if it had run."""
    then = Scheduling(tmp_path / FRIDAY, limit=9.0, trial_limit=1)
    then.finish(then.begin()[0], 0.5, Ending.COMPLETE, 0.75, 0.5)
    now = Scheduling(tmp_path / SATURDAY, limit=9.0, trial_limit=1)
    executor = InlineExecutor(dict, lambda state, argument, ask: None)
    run_sweep(
        Schedule(now.sweep, now.dir, now.strategy),
        executor,
        reuse=Reuse(then.read(), minimize("loss")),
    )
    reports = [("report", 0, 0.75, 1), ("report", 0, 0.5, 2)]

    assert [*reports, ("observe", 0, 0.5)] == now.strategy.told


def test_a_wider_sweep_runs_only_what_is_new(launch_inline: InlineLauncher) -> None:
    """With `--reuse` the points of an earlier sweep are not trained on again."""
    launch_inline(PARABOLA, settings=["x=0,1"])
    home = launch_inline(PARABOLA, reuse=True)
    reused = [result.spec.reused_from for result in launch_inline.results]

    assert [False, True, True, False, False] == [bool(source) for source in reused]
    assert 7 == len(read_board(home.path).trial_ids)
