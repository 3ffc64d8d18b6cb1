"""What may be known of a run or a trial beside its hyperparameters and metrics, in order.

`--where`, `--sort`, `export`, JSON and `diff` all have these names, types and values from here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, Protocol

from hparams_lab.events.foreign.reader import ForeignRecord
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.logdir.mounts import in_terms_of_urls


class Fact(NamedTuple):
    """One thing that may be known."""

    type: type  # of its values
    read: Callable[[Any], Any]  # from a run or a trial; None where it is not known


class Trial(Protocol):
    """What is asked of a trial: an `analysis.trials.rows.TrialRow`."""

    trial_id: str
    sweep_id: str
    wall_secs: float
    runs: Sequence[RunRecord]
    label: str
    ending: str | None
    attempts: int


def _to_time(secs: float | None) -> datetime | None:
    """Return seconds since the epoch as a time in UTC; None if they are none of any calendar."""
    if secs is not None:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(secs, tz=timezone.utc)
    return None


def _end_of(trial: Trial) -> datetime | None:
    ends = [run.end_time_secs for run in trial.runs if run.end_time_secs is not None]
    return _to_time(max(ends)) if len(ends) == len(trial.runs) else None


def _join(texts: Iterable[str], separator: str = " ") -> str | None:
    return separator.join(dict.fromkeys(texts)) or None


def _ours(read: Callable[[RunRecord], Any]) -> Callable[[RunRecord], Any]:
    """Return a reader of what only runs of this package have."""
    return lambda run: None if isinstance(run, ForeignRecord) else read(run)


# Other tools have no experiments; the trial is TensorBoard's then, and so is the run's name.
RUN_NAMES: Mapping[str, Fact] = {
    "experiment": Fact(str, _ours(lambda run: run.dir.experiment)),
    "sweep": Fact(str, lambda run: run.labels.get("sweep")),
    "trial": Fact(str, lambda run: _ours(lambda run: run.dir.trial_id)(run) or run.group_name),
    "run": Fact(str, lambda run: run.name if isinstance(run, ForeignRecord) else run.dir.path.name),
}
"""What distinguishes runs."""

OF_RUN: Mapping[str, Fact] = {
    **RUN_NAMES,
    "day": Fact(str, lambda run: run.labels.get("day")),
    "commit": Fact(str, lambda run: run.labels.get("commit")),
    "status": Fact(str, lambda run: run.status.value),
    "ending": Fact(str, lambda run: None if run.ending is None else run.ending.value),
    "start": Fact(datetime, lambda run: _to_time(run.start_time_secs)),
    "end": Fact(datetime, lambda run: _to_time(run.end_time_secs)),
    "secs": Fact(float, lambda run: run.wall_secs),
    "seed": Fact(int, lambda run: run.seed),
    "split_seed": Fact(int, lambda run: run.split_seed),
    "repeat": Fact(int, _ours(lambda run: run.dir.repeat)),
    "fold": Fact(int, lambda run: run.dir.fold),
    "attempt": Fact(int, _ours(lambda run: run.dir.attempt)),
    "reused_from": Fact(str, lambda run: run.reused_from or None),
    "data_digest": Fact(str, lambda run: run.data_digest or None),
    "damage": Fact(str, lambda run: run.damage or None),
    "path": Fact(str, lambda run: in_terms_of_urls(str(run.dir.path))),
}

OF_TRIAL: Mapping[str, Fact] = {
    "experiment": Fact(str, lambda trial: trial.runs[0].dir.experiment),
    "sweep": Fact(str, lambda trial: trial.sweep_id),
    "trial": Fact(str, lambda trial: trial.trial_id),
    "day": Fact(str, lambda trial: trial.runs[0].labels.get("day", trial.sweep_id[:10])),
    "commit": Fact(str, lambda trial: _join(run.labels.get("commit", "") for run in trial.runs)),
    "status": Fact(str, lambda trial: trial.label),
    "ending": Fact(str, lambda trial: trial.ending),
    "start": Fact(datetime, lambda trial: _to_time(min(r.start_time_secs for r in trial.runs))),
    "end": Fact(datetime, _end_of),
    "secs": Fact(float, lambda trial: trial.wall_secs),
    "runs": Fact(int, lambda trial: len(trial.runs)),
    "attempts": Fact(int, lambda trial: trial.attempts),
    "seeds": Fact(
        str, lambda trial: " ".join(str(r.seed) for r in trial.runs if r.seed is not None) or None
    ),
    "damage": Fact(
        str,
        lambda trial: _join(
            (f"{r.dir.path.name}: {r.damage}" for r in trial.runs if r.damage), "; "
        ),
    ),
    "path": Fact(str, lambda trial: in_terms_of_urls(str(trial.runs[0].dir.path.parent))),
}


def list_facts(of: Mapping[str, Fact], it: Any, *names: str) -> dict[str, Any]:
    """Return the facts of a run or a trial by name, in order.

    Args:
        of: `OF_RUN` or `OF_TRIAL`.
        it: the run or trial.
        names: those that are wanted; by default all.
    """
    return {name: of[name].read(it) for name in names or of}
