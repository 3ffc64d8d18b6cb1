"""Runs that are made again: in a directory of their own, with the first try out of sight."""

from __future__ import annotations

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import make_trial
from hparams_lab.sweeps.history import read_history
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.loop import run_sweep
from hparams_lab.sweeps.schedule import Schedule
from tests.support.factories import write_run
from tests.support.loop_runs import NUM_TRIALS, SWEEP, NotingStrategy, inline, read, square
from tests.support.oracle import read_board


def begin(sweep_dir: SweepDir, x: int) -> RunSpec:
    """Return the run of a trial of the grid."""
    trial = make_trial(x, SWEEP.space.at(x), max_trials=SWEEP.max_trials)
    (spec,) = SWEEP.specify_runs(trial, sweep_dir)
    return spec


def resume(sweep_dir: SweepDir) -> list[RunDir]:
    """Go on with the sweep to its end and return the directories of what was run."""
    schedule = Schedule(SWEEP, sweep_dir, NotingStrategy())
    schedule.replay(read_history(SWEEP, sweep_dir), redo=[Ending.INTERRUPTED])
    with inline(square) as executor:
        executor.start()
        executor.ready()
        done: list[RunResult] = []
        run_sweep(schedule, executor, listeners=Listeners(on_result=done.append))
    return [run.spec.dir for run in done]


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, None], ids=["interrupted", "killed"])
def test_a_half_run_is_made_again_elsewhere(ending: Ending | None, sweep_dir: SweepDir) -> None:
    """A run without a true end is run again in a directory that says which attempt it is."""
    half = begin(sweep_dir, 0)
    write_run(half, {"loss": [9.0]}, ending=ending)
    done = resume(sweep_dir)

    assert half.dir.next_attempt() == done[0]
    assert "r00a1" == done[0].path.name
    assert ["r00"] * (NUM_TRIALS - 1) == [run_dir.path.name for run_dir in done[1:]]


def test_a_half_run_is_out_of_all_sight(sweep_dir: SweepDir) -> None:
    """Of a run that was made again we and TensorBoard see the new attempt alone."""
    half = begin(sweep_dir, 3)
    write_run(half, {"loss": [99.0]}, ending=None)
    resume(sweep_dir)
    board = read_board(sweep_dir.path.parent)

    assert [0.0, 1.0, 4.0, 9.0, 16.0] == [run.last_values["loss"] for run in read(sweep_dir)]
    assert ["STATUS_SUCCESS"] * NUM_TRIALS == board.statuses
    assert 9.0 == board.column("loss")[half.group_name]


def test_a_half_run_is_kept_under_another_name(sweep_dir: SweepDir) -> None:
    """What an interrupted attempt has written is not thrown away, and has a true end."""
    half = begin(sweep_dir, 0)
    write_run(half, {"loss": [9.0]}, ending=None)
    (path,) = half.dir.event_files
    before = path.read_bytes()
    resume(sweep_dir)
    (kept,) = half.dir.path.glob("events.out.superseded.*")

    assert [] == half.dir.event_files
    assert kept.read_bytes().startswith(before)
    assert len(kept.read_bytes()) > len(before)


def test_attempts_are_counted(sweep_dir: SweepDir) -> None:
    """Each further attempt has a directory of its own."""
    first = begin(sweep_dir, 0).dir
    for run_dir in (first, first.next_attempt()):
        run_dir.path.mkdir(parents=True)

    assert "r00a2" == resume(sweep_dir)[0].path.name


def test_a_run_that_died_before_its_file_is_run(sweep_dir: SweepDir) -> None:
    """A directory without an event file is of no run; the point comes again, with its id."""
    dead = begin(sweep_dir, 2).dir
    dead.path.mkdir(parents=True)
    done = resume(sweep_dir)

    assert dead.next_attempt() == done[2]
    assert NUM_TRIALS == len(done)
