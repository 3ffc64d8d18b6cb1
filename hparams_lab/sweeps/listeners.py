"""What a running sweep reports, and to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial
from hparams_lab.sweeps.worker import Outcome


@dataclass(frozen=True)
class Started:
    """A sweep whose first run is about to begin."""

    sweep: Sweep  # as recorded in `sweep.json`
    sweep_dir: SweepDir  # its directory
    notice: str = ""  # what the user should know; empty if nothing
    num_done: int = 0  # runs that had ended before

    @property
    def max_runs(self) -> int | None:
        """How many runs there are to be at most, those done included; None if open."""
        trials = self.sweep.max_trials
        return None if trials is None else trials * self.sweep.runs_per_trial


@dataclass(frozen=True)
class RunResult:
    """A run of this sweep that has ended."""

    trial: Trial  # that it belongs to
    spec: RunSpec  # what was run
    outcome: Outcome  # how it ended


def _ignore(*events: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Listeners:
    """Functions that are called while a sweep runs, in the thread that runs it."""

    on_start: Callable[[Started], None] = _ignore  # called once, before the first run
    # called with each run as it ends; of several attempts, with the last
    on_result: Callable[[RunResult], None] = _ignore
    # called with an attempt that will be made again, why, and in how many seconds
    on_retry: Callable[[RunResult, JobEnd, float], None] = _ignore
