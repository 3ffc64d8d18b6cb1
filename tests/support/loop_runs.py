"""A sweep of one axis whose runs square it, fail, die or wait, on any executor."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.read.reader import RunRecord, read_runs
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
from tests.support.factories import make_sweep

NUM_TRIALS = 5


HPARAMS = [HParam("x", Discrete(list(range(NUM_TRIALS))))]


METRICS = [Metric("loss")]


SWEEP = make_sweep(hparams=HPARAMS, metrics=METRICS, objective=minimize("loss"))


class NotingStrategy(Strategy):
    """A grid that notes what is reported to it."""

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
