"""Runs that die and are tried again, by a clock that runs ahead."""

from __future__ import annotations

import pytest

from hparams_lab.events.read.reader import read_superseded
from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.loop import MAX_FAILURES_KEPT, SweepResult
from hparams_lab.sweeps.retry import MAX_LOSSES
from hparams_lab.sweeps.stopping import StopConditions
from tests.support.deaths import Death, Sweeping, attempt_of
from tests.support.loop_runs import NUM_TRIALS, fail_at_1, square
from tests.support.oracle import read_board

ALL_RUNS = [float(x**2) for x in range(NUM_TRIALS)]


def die_once(run: Run) -> dict[str, float]:
    run.scalar("loss", 99.0, 0)
    if run.hparams["x"] == 1 and attempt_of(run) == 0:
        raise Death
    return square(run)


def die_at_1(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1:
        raise Death(JobEnd.TIMED_OUT)
    return square(run)


def die_all_once(run: Run) -> dict[str, float]:
    if attempt_of(run) == 0:
        raise Death
    return square(run)


def run_out_of_memory(run: Run) -> dict[str, float]:
    raise Death(JobEnd.OUT_OF_MEMORY)


def lose_once(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1 and attempt_of(run) == 0:
        raise Death(JobEnd.LOST)
    return square(run)


def lose(run: Run) -> dict[str, float]:
    raise Death(JobEnd.LOST)


def test_a_run_that_died_is_tried_again(sweep_dir: SweepDir) -> None:
    """Where the second attempt comes through, the sweep has no failure, and tells one retry."""
    sweeping = Sweeping(sweep_dir)
    result = sweeping.run(die_once, retries=2)

    assert {Ending.COMPLETE: NUM_TRIALS} == result.endings
    assert {JobEnd.CRASHED: 1} == result.retries
    assert [(JobEnd.CRASHED, 1.0)] == sweeping.retried
    assert NUM_TRIALS == len(sweeping.ended)


def test_only_the_last_attempt_is_in_sight(sweep_dir: SweepDir) -> None:
    """We and TensorBoard see what the second attempt came to alone."""
    sweeping = Sweeping(sweep_dir)
    sweeping.run(die_once, retries=1)
    board = read_board(sweep_dir.path.parent)

    assert ALL_RUNS == [run.last_values["loss"] for run in sweeping.read()]
    assert sorted(ALL_RUNS) == sorted(board.column("loss").values())
    assert ["STATUS_SUCCESS"] * NUM_TRIALS == board.statuses
    assert "r00a1" == sweeping.read()[1].dir.path.name


def test_an_earlier_attempt_has_its_true_end(sweep_dir: SweepDir) -> None:
    """The attempt that died says so in the file that is kept of it."""
    sweeping = Sweeping(sweep_dir)
    sweeping.run(die_once, retries=1)
    earlier = read_superseded(sweeping.read()[1].dir.earlier_attempts[0], sweeping.sweep.space)

    assert earlier is not None
    assert (Ending.CRASHED, "the run died: crashed") == (earlier.ending, earlier.reason)


def test_a_run_that_always_dies_fails_once(sweep_dir: SweepDir) -> None:
    """When its retries are used up a run is one failure, told once to all who listen."""
    sweeping = Sweeping(sweep_dir)
    result = sweeping.run(die_at_1, retries=2)

    assert {Ending.COMPLETE: NUM_TRIALS - 1, Ending.TIMED_OUT: 1} == result.endings
    assert (1, {JobEnd.TIMED_OUT: 2}) == (result.num_failed, result.retries)
    assert ["r00", "r00a2"] == sorted({run.dir.path.name for run in sweeping.read()})


@pytest.mark.parametrize("train", [fail_at_1, run_out_of_memory])
def test_other_failures_are_final(train: object, sweep_dir: SweepDir) -> None:
    """What train raised, and what was too large for its memory, would come again."""
    result = Sweeping(sweep_dir).run(train, retries=5)  # type: ignore[arg-type]

    assert (0, True) == (result.retries.total(), result.num_failed > 0)


def test_a_lost_run_is_tried_again_unasked(sweep_dir: SweepDir) -> None:
    """A run that was lost with what it ran on is made again at once."""
    sweeping = Sweeping(sweep_dir)
    result = sweeping.run(lose_once)

    assert {Ending.COMPLETE: NUM_TRIALS} == result.endings
    assert [(JobEnd.LOST, 0.0)] == sweeping.retried


def test_a_run_that_is_always_lost_crashed(sweep_dir: SweepDir) -> None:
    """A run that takes down what it runs on each time is given up, as a crash."""
    result = Sweeping(sweep_dir, trial_limit=1).run(lose)

    assert {Ending.CRASHED: 1} == result.endings
    assert {JobEnd.LOST: MAX_LOSSES} == result.retries


def test_others_run_while_a_retry_waits(sweep_dir: SweepDir) -> None:
    """A lone worker runs all other runs before one that waits for its time."""
    sweeping = Sweeping(sweep_dir)
    sweeping.run(die_once, retries=1, step_secs=0.01)

    assert [0, 2, 3, 4, 1] == [run.trial.index for run in sweeping.ended]


def test_a_retry_makes_no_second_run_of_a_trial(sweep_dir: SweepDir) -> None:
    """With repeats, each run that died is made again once, and the mean is of those."""
    sweeping = Sweeping(sweep_dir, repeats=2, trial_limit=2)
    sweeping.run(die_all_once, retries=1)
    counts = [run.last_values.get("n/loss") for run in sweeping.read()]

    assert ["r00a1", "r01a1"] * 2 == [run.dir.path.name for run in sweeping.read()]
    assert [2.0, 2.0] == [number for number in counts if number is not None]


def test_no_retry_begins_when_the_time_is_up(sweep_dir: SweepDir) -> None:
    """When the time budget is used up, a run that waits has failed, and was not made again."""
    limits = StopConditions(lambda: bool(list(sweep_dir.path.glob("*/r00/failure.txt"))))
    sweeping = Sweeping(sweep_dir, trial_limit=1)
    result = sweeping.run(die_all_once, retries=1, limits=limits)

    assert {Ending.CRASHED: 1} == result.endings
    assert ("the time budget is used up", 0) == (result.stopped, result.retries.total())
    assert [Ending.CRASHED] == [run.outcome.ending for run in sweeping.ended]


def test_a_failure_that_is_tried_again_does_not_count(sweep_dir: SweepDir) -> None:
    """`--max_failures=1` ends no sweep whose run comes through when it is tried again."""
    result = Sweeping(sweep_dir).run(die_once, retries=1, limits=StopConditions(max_failures=1))

    assert (NUM_TRIALS, "") == (result.endings[Ending.COMPLETE], result.stopped)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_run_that_waits_keeps_its_end(error: type[BaseException], sweep_dir: SweepDir) -> None:
    """Whatever stops the sweep while a run waits, that run crashed, which Ctrl-C tells."""
    sweeping = Sweeping(sweep_dir, error_on_retry=error)

    with pytest.raises(error, match=r"^$"):
        sweeping.run(die_once, retries=1)
    is_told = 1 in [run.trial.index for run in sweeping.ended]

    assert [Ending.COMPLETE, Ending.CRASHED] == [run.ending for run in sweeping.read()]
    assert (error is KeyboardInterrupt) == is_told


def test_few_failures_are_kept_in_memory(sweep_dir: SweepDir) -> None:
    """Of very many failures all are counted, and the first are kept to be told."""
    sweeping = Sweeping(sweep_dir, trial_limit=1)
    sweeping.run(run_out_of_memory)
    result = SweepResult()
    for _ in range(3 * MAX_FAILURES_KEPT):
        result.add(sweeping.ended[0])

    assert (3 * MAX_FAILURES_KEPT, MAX_FAILURES_KEPT) == (result.num_failed, len(result.failures))
