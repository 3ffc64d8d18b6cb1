from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Ending, Status
from hparams_lab.executors.base import Executor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.listeners import RunResult
from tests.support.loop_runs import (
    NUM_TRIALS,
    SWEEP,
    NotingStrategy,
    die_at_1,
    fail_at_1,
    inline,
    processes,
    read,
    report_nan_at_1,
    run_all,
    square,
)


@pytest.mark.parametrize("make_executor", [inline, processes])
def test_every_proposal_is_run(make_executor: Callable[..., Executor], sweep_dir: SweepDir) -> None:
    """Each point of the grid is one run, observed, told and recorded as a success."""
    strategy = NotingStrategy()
    told: list[RunResult] = []
    run_all(make_executor(square), sweep_dir, strategy=strategy, on_result=told.append)
    expected = {x: float(x**2) for x in range(NUM_TRIALS)}

    assert expected == strategy.observed
    assert expected == {r.trial.assignment["x"]: r.outcome.objective_value for r in told}
    assert expected == {r.assignment["x"]: r.last_values["loss"] for r in read(sweep_dir)}


def test_trials_are_numbered_in_the_order_proposed(sweep_dir: SweepDir) -> None:
    """The index in a trial's id is its place in the order of proposals."""
    run_all(inline(square), sweep_dir)

    assert [f"{x:04d}" for x in range(NUM_TRIALS)] == [
        record.dir.trial_id[:4] for record in read(sweep_dir)
    ]


def test_no_more_trials_than_the_limit_are_run(sweep_dir: SweepDir) -> None:
    """A sweep ends with its last trial, though the strategy has more to propose."""
    result = run_all(inline(square), sweep_dir, trial_limit=2)

    assert 2 == result.num_runs == len(read(sweep_dir))
    assert "" == result.stopped


def test_results_are_told_as_they_end(sweep_dir: SweepDir) -> None:
    """Each run is told once, with its end in its file."""
    told: list[tuple[int, Status]] = []

    def note(result: RunResult) -> None:
        record = read_run(result.spec.dir, SWEEP.space)
        assert record is not None
        told.append((result.trial.index, record.status))

    result = run_all(processes(square), sweep_dir, on_result=note)

    assert [(x, Status.SUCCESS) for x in range(NUM_TRIALS)] == sorted(told)
    assert {Ending.COMPLETE: NUM_TRIALS} == result.endings


@pytest.mark.parametrize("train", [fail_at_1, report_nan_at_1, die_at_1])
def test_strategy_learns_that_a_trial_failed(
    train: Callable[[Run], Any], sweep_dir: SweepDir
) -> None:
    """A failed trial is observed without a value, the others with theirs."""
    strategy = NotingStrategy()
    run_all(processes(train), sweep_dir, strategy=strategy)

    assert {1} == {x for x, value in strategy.observed.items() if value is None}
    assert set(range(NUM_TRIALS)) == set(strategy.observed)


def test_dead_run_is_ended_by_the_runner(sweep_dir: SweepDir) -> None:
    """The runner writes the end, and the reason, of a run that was killed."""
    run_all(processes(die_at_1), sweep_dir)
    dead = read(sweep_dir)[1]

    assert Status.FAILURE is dead.status
    assert "the run was killed by SIGKILL\n" == dead.dir.failure_file.read_text()
