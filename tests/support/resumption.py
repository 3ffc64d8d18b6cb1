"""Sweeps that are launched, resumed and compared: in this process, or by the real program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hparams_lab.declare import tags
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners, RunResult, Started
from hparams_lab.sweeps.loop import SweepResult
from hparams_lab.sweeps.options import LaunchOptions, ResumeOptions, make_options
from hparams_lab.sweeps.resume import resume
from tests.support.oracle import read_board

# What a run came to by itself: its seed and the last value of each tag; by trial id, repeat
# and fold.
Outcomes = dict[tuple[str, int, int | None], tuple[int | None, dict[str, float]]]

SPREAD = tags.spread("loss")


def words_for(command: str, path: Path, logdir: Path, *flags: str) -> list[str]:
    """Return a command line of the real program."""
    words = [sys.executable, "-m", "hparams_lab", command, str(path), f"--logdir={logdir}"]
    return [*words, *flags]


class InlineSweeps:
    """Launches and resumes sweeps of one experiment module in this process.

    Args:
        source: of the experiment.
        logdir: of its sweeps.

    Attributes:
        started: how the latest of them began.
        results: the runs of the latest of them, as they ended.
    """

    def __init__(self, source: ExperimentSource, logdir: Path) -> None:
        self.started: Started
        self.results: list[RunResult] = []
        self._source = source
        self._logdir = logdir
        self._second = 0

    def launch(self, **options: Any) -> SweepDir:
        """Launch a sweep, a second after the one before, and return its directory."""
        self._second += 1
        self.results = []
        launch(
            self._source,
            make_options(LaunchOptions, logdir=self._logdir, executor="inline", **options),
            Listeners(on_start=self._on_start, on_result=self.results.append),
            now=lambda: datetime(2026, 11, 21, 7, 0, self._second),
        )
        return self.started.sweep_dir

    def resume(self, sweep_dir: SweepDir, **options: Any) -> SweepResult:
        """Resume a sweep and return what came of that."""
        self.results = []
        return resume(
            self._source,
            ExperimentDir(sweep_dir.path.parent),
            sweep_dir,
            make_options(ResumeOptions, executor="inline", **options),
            Listeners(on_start=self._on_start, on_result=self.results.append),
        )

    def _on_start(self, started: Started) -> None:
        self.started = started


def read(sweep_dir: SweepDir) -> list[RunRecord]:
    """Return the runs of a sweep, by trial, repeat and fold."""
    return read_runs(sweep_dir, Sweep.read(sweep_dir).space)


def outcomes(sweep_dir: SweepDir) -> Outcomes:
    """Return what each run of a sweep came to; no two are of one trial, repeat and fold."""
    records = read(sweep_dir)
    found = {
        (run.dir.trial_id, run.dir.repeat, run.dir.fold): (
            run.seed,
            {tag: value for tag, value in run.last_values.items() if tag not in SPREAD},
        )
        for run in records
    }
    assert len(records) == len(found), "two attempts at one run are seen"
    return found


def spreads(sweep_dir: SweepDir) -> dict[str, list[tuple[str, float]]]:
    """Return the spread of each trial that has one, which is with the run that ended last."""
    found: dict[str, list[tuple[str, float]]] = {}
    for run in read(sweep_dir):
        values = [(tag, value) for tag, value in run.last_values.items() if tag in SPREAD]
        found.setdefault(run.dir.trial_id, []).extend(values)
    return found


def assert_all_succeeded(sweep_dir: SweepDir, num_runs: int) -> None:
    """Check that we, and TensorBoard, see so many runs of an only sweep, each a SUCCESS."""
    board = read_board(sweep_dir.path.parent)

    assert [Status.SUCCESS] * num_runs == [run.status for run in read(sweep_dir)]
    assert ["STATUS_SUCCESS"] * num_runs == board.statuses


def list_points(results: Sequence[RunResult]) -> list[dict[str, Any]]:
    """Return the points that were run, in the order in which they ended."""
    return [dict(result.spec.assignment) for result in results]
