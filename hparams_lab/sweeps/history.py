"""What of a sweep has been done: its trials and runs, from their event files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hparams_lab.declare import tags
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial, index_of


@dataclass(frozen=True)
class PastTrial:
    """A trial that has begun."""

    trial: Trial  # id, place and assignment
    runs: Sequence[RunRecord]  # that have begun, by repeat and fold, without superseded attempts

    def find(self, spec: RunSpec) -> RunRecord | None:
        """Return the record of a run of this trial, None if it has not begun."""
        wanted = (spec.dir.repeat, spec.dir.fold)
        found = [run for run in self.runs if (run.dir.repeat, run.dir.fold) == wanted]
        return found[-1] if found else None

    def is_concluded(self, metric: str) -> bool:
        """Return whether it was said what its runs come to together."""
        return any(tags.count(metric) in run.metrics for run in self.runs)


def read_history(sweep: Sweep, sweep_dir: SweepDir) -> list[PastTrial]:
    """Return the trials of a sweep that have begun, in the order of their proposals."""
    in_order = sorted(read_runs(sweep_dir, sweep.space), key=lambda run: run.dir)
    groups = groupby(in_order, key=lambda run: run.dir.trial_id)
    return sorted(
        (_gather(trial_id, list(runs)) for trial_id, runs in groups),
        key=lambda past: past.trial.index,
    )


def _gather(trial_id: str, runs: list[RunRecord]) -> PastTrial:
    return PastTrial(Trial(trial_id, index_of(trial_id), runs[0].assignment), runs)
