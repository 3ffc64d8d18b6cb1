"""What the runner makes of runs that died after they had said how they ended, or reported."""

from __future__ import annotations

from functools import partial

import pytest

from hparams_lab.declare.objective import Goal
from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import Ask, JobEnd
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.search.base import Traits
from hparams_lab.search.grid import grid_search
from hparams_lab.search.study import PrunedSearch, make_pruner
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.stopping import StopConditions
from hparams_lab.sweeps.worker import Loaded, Outcome, execute
from tests.support.deaths import Death, MortalExecutor, Sweeping, attempt_of
from tests.support.loop_runs import NUM_TRIALS, SWEEP, fail_at_1, load, square


def execute_and_die(loaded: Loaded, spec: RunSpec, ask: Ask) -> Outcome:
    """Die once the run's end is written, before it is reported."""
    execute(loaded, spec, ask)
    raise Death


@pytest.mark.parametrize("retries", [0, 2])
def test_an_end_that_was_written_holds(retries: int, sweep_dir: SweepDir) -> None:
    """A run that dies after it has written its result is complete, and not made again."""
    sweeping = Sweeping(sweep_dir)
    executor = MortalExecutor(partial(load, square), execute_and_die)
    result = sweeping.run_on(executor, Retries(retries), StopConditions())

    assert {Ending.COMPLETE: NUM_TRIALS} == result.endings
    assert [float(x**2) for x in range(NUM_TRIALS)] == [
        run.outcome.objective_value for run in sweeping.ended
    ]


def test_a_failure_that_was_written_holds(sweep_dir: SweepDir) -> None:
    """A run that dies after train has failed is not tried again, and says what train said."""
    sweeping = Sweeping(sweep_dir)
    executor = MortalExecutor(partial(load, fail_at_1), execute_and_die)
    result = sweeping.run_on(executor, Retries(2), StopConditions())
    (failed,) = result.failures

    assert Ending.FAILED is failed.outcome.ending
    assert "one is not allowed" in failed.outcome.reason
    assert 0 == result.retries.total()


def report_thrice(run: Run) -> dict[str, float]:
    """Report x at each of three budgets; the best run dies after two of them, once."""
    for step in range(3):
        if run.hparams["x"] == 0 and step == 2 and attempt_of(run) == 0:
            raise Death
        run.report(float(run.hparams["x"]), step)
    return square(run)


@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband"])
def test_a_pilot_that_died_may_report_again(pruner: str, sweep_dir: SweepDir) -> None:
    """A strategy that prunes takes the reports of a second attempt as those of the first."""
    strategy = PrunedSearch(
        grid_search(SWEEP.space),
        Goal.MINIMIZE,
        make_pruner(pruner, min_budget=1, reduction_factor=2),
    )
    sweeping = Sweeping(sweep_dir, strategy=strategy, traits=Traits(prunes=True))
    result = sweeping.run(report_thrice, retries=1)
    second = sweeping.read()[0]

    assert {JobEnd.CRASHED: 1} == result.retries
    assert [0.0] * 3 == second.curves["report/loss"].values
    assert Ending.COMPLETE is second.ending
