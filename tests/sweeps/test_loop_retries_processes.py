"""Retries in real processes: crashes, time limits, a server that dies, checkpoints."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import JobEnd
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.loop import SweepResult
from hparams_lab.sweeps.retry import Retries
from hparams_lab.sweeps.stopping import StopConditions
from hparams_lab.sweeps.worker import execute
from tests.support.deaths import Sweeping, attempt_of
from tests.support.loop_runs import NUM_TRIALS, load, square

pytestmark = pytest.mark.slow


def is_first_of_1(run: Run) -> bool:
    return run.hparams["x"] == 1 and attempt_of(run) == 0


def exit_once(run: Run) -> dict[str, float]:
    if is_first_of_1(run):
        os._exit(3)
    return square(run)


def hang_once(run: Run) -> dict[str, float]:
    if is_first_of_1(run):
        time.sleep(60)
    return square(run)


def kill_the_server_once(run: Run) -> dict[str, float]:
    if is_first_of_1(run):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    return square(run)


def run_in_processes(train: Callable[[Run], Any], sweep_dir: SweepDir, retries: int) -> SweepResult:
    """Run the sweep with two workers, a time limit, and waits of a second."""
    executor = ProcessExecutor(partial(load, train), execute, num_workers=2, timeout_secs=2.0)
    return Sweeping(sweep_dir).run_on(executor, Retries(retries), StopConditions())


@pytest.mark.parametrize(
    ("train", "retries", "cause"),
    [
        (exit_once, 1, JobEnd.CRASHED),
        (hang_once, 1, JobEnd.TIMED_OUT),
        (kill_the_server_once, 0, JobEnd.LOST),
    ],
    ids=["exited", "hung", "lost"],
)
def test_a_process_that_died_is_replaced(
    train: Callable[[Run], Any], retries: int, cause: JobEnd, sweep_dir: SweepDir
) -> None:
    """However a run's process ended, its second attempt makes the sweep complete."""
    result = run_in_processes(train, sweep_dir, retries)

    assert {Ending.COMPLETE: NUM_TRIALS} == result.endings
    assert {cause} == set(result.retries)
