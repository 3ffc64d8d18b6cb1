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

from hparams_lab import runner
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import HParamsLabError
from hparams_lab.events.reader import RunRecord, read_runs
from hparams_lab.events.schema import Status
from hparams_lab.executors.base import Executor
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.executors.process import ProcessExecutor
from hparams_lab.runner import RunResult, run_sweep
from hparams_lab.runs.logdir import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.search.base import Strategy
from hparams_lab.search.grid import GridSearch
from hparams_lab.worker import Loaded, execute
from tests.factories import SATURDAY, make_sweep

NUM_TRIALS = 5
HPARAMS = [HParam("x", Discrete(list(range(NUM_TRIALS))))]
METRICS = [Metric("loss")]

SWEEP = make_sweep(hparams=HPARAMS, metrics=METRICS, objective=minimize("loss"))


class NotingStrategy(Strategy):
    """A grid that notes what it is told."""

    def __init__(self) -> None:
        self._grid = GridSearch(SWEEP.space)
        self.observed: dict[int, float | None] = {}

    @property
    def max_trials(self) -> int | None:
        return self._grid.max_trials

    def propose(self) -> Assignment | None:
        return self._grid.propose()

    def observe(self, assignment: Assignment, value: float | None) -> None:
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
    return SweepDir(tmp_path / SATURDAY)


def run_all(
    executor: Executor,
    sweep_dir: SweepDir,
    *,
    strategy: Strategy | None = None,
    max_trials: int | None = None,
    on_result: Callable[[RunResult], None] = lambda result: None,
) -> list[RunResult]:
    """Run the sweep on an executor, which is closed afterwards."""
    sweep = replace(SWEEP, max_trials=max_trials)
    with executor:
        executor.start()
        executor.ready()
        return run_sweep(
            sweep, sweep_dir, strategy or NotingStrategy(), executor, on_result=on_result
        )


def read(sweep_dir: SweepDir) -> list[RunRecord]:
    """Return the runs of the sweep."""
    return read_runs(sweep_dir, SWEEP.space)


@pytest.mark.parametrize("make_executor", [inline, processes])
def test_every_proposal_is_run(make_executor: Callable[..., Executor], sweep_dir: SweepDir) -> None:
    """Each point of the grid is one run, observed, returned and recorded as a success."""
    strategy = NotingStrategy()
    results = run_all(make_executor(square), sweep_dir, strategy=strategy)
    expected = {x: float(x**2) for x in range(NUM_TRIALS)}

    assert expected == strategy.observed
    assert expected == {r.trial.assignment["x"]: r.outcome.objective_value for r in results}
    assert expected == {r.assignment["x"]: r.last_values["loss"] for r in read(sweep_dir)}


def test_trials_are_numbered_in_the_order_proposed(sweep_dir: SweepDir) -> None:
    """The index in a trial's id is its place in the order of proposals."""
    run_all(inline(square), sweep_dir)

    assert [f"{x:04d}" for x in range(NUM_TRIALS)] == [
        record.dir.trial_id[:4] for record in read(sweep_dir)
    ]


def test_no_more_than_max_trials_are_run(sweep_dir: SweepDir) -> None:
    """A sweep ends with its last trial, though the strategy has more to propose."""
    assert 2 == len(run_all(inline(square), sweep_dir, max_trials=2)) == len(read(sweep_dir))


def test_results_are_told_as_they_end(sweep_dir: SweepDir) -> None:
    """Each result is told once, in the order in which they are returned."""
    told: list[RunResult] = []
    results = run_all(processes(square), sweep_dir, on_result=told.append)

    assert NUM_TRIALS == len(results)
    assert told == results


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


class StoppedError(Exception):
    """Raised by whoever is told of results."""


@pytest.mark.parametrize("error", [StoppedError, KeyboardInterrupt, BrokenPipeError])
def test_error_of_a_listener_leaves_true_ends(
    error: type[BaseException], sweep_dir: SweepDir
) -> None:
    """Whatever is raised in mid-sweep, it goes on up once each run has a true end."""
    waits = sweep_dir.path.glob

    def stop(result: RunResult) -> None:
        while not list(waits("0001-*/*/waits")):
            time.sleep(0.01)
        raise error

    with pytest.raises(error, match=r"^$"):
        run_all(processes(wait_at_1), sweep_dir, on_result=stop)

    assert {Status.SUCCESS, Status.FAILURE} == {record.status for record in read(sweep_dir)}


@pytest.mark.slow
def test_deaf_run_is_killed_after_the_grace(
    sweep_dir: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A train that does not listen to Ctrl-C is killed after the grace, and ends as FAILURE."""
    monkeypatch.setattr(runner, "GRACE_SECS", 0.2)

    def stop(result: RunResult) -> None:
        if result.trial.index == 0:
            while not list(sweep_dir.path.glob("0001-*/*/waits")):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run_all(processes(wait_deaf_at_1), sweep_dir, on_result=stop)
    deaf = read(sweep_dir)[1]

    assert Status.FAILURE is deaf.status
    assert "the run was killed by SIGKILL\n" == deaf.dir.failure_file.read_text()


def test_error_of_the_strategy_leaves_true_ends(sweep_dir: SweepDir) -> None:
    """A strategy that fails in mid-sweep leaves no run without an end."""

    class FailingStrategy(NotingStrategy):
        def propose(self) -> Assignment | None:
            if self.observed:
                raise HParamsLabError("cannot go on.")
            return super().propose()

    with pytest.raises(HParamsLabError, match="cannot go on"):
        run_all(processes(wait_at_1), sweep_dir, strategy=FailingStrategy())

    assert not [record for record in read(sweep_dir) if record.status is Status.RUNNING]
