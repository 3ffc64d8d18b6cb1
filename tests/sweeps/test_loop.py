from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.read.reader import RunRecord, read_run, read_runs
from hparams_lab.events.schema import Ending, Status
from hparams_lab.executors.base import Executor
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.search.base import Strategy, Verdict
from hparams_lab.search.grid import grid_search
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.loop import SweepResult, run_sweep
from hparams_lab.sweeps.schedule import Schedule
from hparams_lab.sweeps.stopping import StopConditions
from hparams_lab.sweeps.worker import Loaded, execute
from tests.factories import SATURDAY, make_sweep

NUM_TRIALS = 5
HPARAMS = [HParam("x", Discrete(list(range(NUM_TRIALS))))]
METRICS = [Metric("loss")]

SWEEP = make_sweep(hparams=HPARAMS, metrics=METRICS, objective=minimize("loss"))


class NotingStrategy(Strategy):
    """A grid that notes what it is told."""

    def __init__(self) -> None:
        self._grid = grid_search(SWEEP.space)
        self.observed: dict[int, float | None] = {}

    @property
    def max_trials(self) -> int | None:
        return self._grid.max_trials

    def propose(self) -> Assignment | None:
        return self._grid.propose()

    def take(self, assignment: Assignment) -> None:
        self._grid.take(assignment)

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        return self._grid.report(assignment, value, budget)

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        assert assignment["x"] not in self.observed
        self.observed[int(assignment["x"])] = value


def square(run: Run) -> dict[str, float]:
    return {"loss": float(run.hparams["x"]) ** 2}


def fail_at_1(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1:
        raise ValueError("one is not allowed")
    return square(run)


def report_nan_at_1(run: Run) -> dict[str, float]:
    return {"loss": math.nan if run.hparams["x"] == 1 else 0.5}


def die_at_1(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1:
        signal.raise_signal(signal.SIGKILL)
    return square(run)


def wait_at_1(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1:
        (run.dir / "waits").touch()
        time.sleep(60)
    return square(run)


def wait_deaf_at_1(run: Run) -> dict[str, float]:
    if run.hparams["x"] == 1:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return wait_at_1(run)


def load(train: Callable[[Run], Any]) -> Loaded:
    experiment = Experiment(
        name="toy", hparams=HPARAMS, metrics=METRICS, objective=minimize("loss"), train=train
    )
    return Loaded(experiment, None)


def inline(train: Callable[[Run], Any]) -> Executor:
    """Return an executor that runs here."""
    return InlineExecutor(partial(load, train), execute)


def processes(train: Callable[[Run], Any]) -> Executor:
    """Return an executor of two processes."""
    return ProcessExecutor(partial(load, train), execute, num_workers=2)


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """Where the sweep goes."""
    (tmp_path / SATURDAY).mkdir()
    return SweepDir(tmp_path / SATURDAY)


def run_all(
    executor: Executor,
    sweep_dir: SweepDir,
    *,
    strategy: Strategy | None = None,
    trial_limit: int | None = None,
    limits: StopConditions | None = None,
    on_result: Callable[[RunResult], None] = lambda result: None,
) -> SweepResult:
    """Run the sweep on an executor, which is closed afterwards."""
    sweep = replace(SWEEP, trial_limit=trial_limit)
    with executor:
        executor.start()
        executor.ready()
        return run_sweep(
            Schedule(sweep, sweep_dir, strategy or NotingStrategy()),
            executor,
            stop=limits,
            listeners=Listeners(on_result=on_result),
        )


def read(sweep_dir: SweepDir) -> list[RunRecord]:
    """Return the runs of the sweep."""
    return read_runs(sweep_dir, SWEEP.space)


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
