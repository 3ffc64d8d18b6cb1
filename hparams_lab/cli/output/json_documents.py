"""Sweeps, trials and runs as `--format=json` has them: all that is known, with full paths."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hparams_lab.analysis.trials.facts import OF_RUN, OF_TRIAL, list_facts
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.stats.interval import Spread


def encode_sweep(sweep: Sweep, home: ExperimentDir) -> dict[str, Any]:
    """Return what a sweep was to do."""
    objective = sweep.objective
    return {
        "sweep": sweep.id,
        "path": SweepDir(home.path / sweep.id).path,
        "started": sweep.started,
        "source": sweep.source,
        "commit": sweep.commit_label,
        "strategy": sweep.strategy,
        "seed": sweep.seed,
        "repeats": sweep.repeats,
        "folds": sweep.folds,
        "max_trials": sweep.max_trials,
        "objective": {
            "metric": objective.metric,
            "tag": objective.tag,
            "goal": objective.goal,
            "reduction": objective.reduction,
        },
    }


def encode_trial(row: TrialRow) -> dict[str, Any]:
    """Return what a trial came to, and each of its runs."""
    return {
        **list_facts(OF_TRIAL, row, "trial", "sweep", "path", "status", "ending", "attempts"),
        "hparams": row.assignment,
        "objective": row.objective_value,
        "metrics": row.metrics,
        "spreads": {tag: _encode_spread(spread) for tag, spread in row.spreads.items()},
        "secs": row.wall_secs,
        "runs": [_encode_run(run) for run in row.runs],
    }


def _encode_spread(spread: Spread) -> dict[str, float]:
    return {
        "std": spread.std,
        "count": spread.count,
        "ci95_low": spread.low,
        "ci95_high": spread.high,
    }


def _encode_run(run: RunRecord) -> dict[str, Any]:
    has_failed = run.status is Status.FAILURE
    return {
        **list_facts(OF_RUN, run, "run", "path", "repeat", "fold", "attempt", "status", "ending"),
        "why": run.reason or None,
        "failure": _read_failure(run) if has_failed else None,
        **list_facts(OF_RUN, run, "damage", "seed", "split_seed", "data_digest", "reused_from"),
        "labels": run.labels,
        "started": _format_time(run.start_time_secs),
        "ended": _format_time(run.end_time_secs),
        "secs": run.wall_secs,
        "metrics": {
            tag: {
                "last": summary.last,
                "last_step": summary.last_step,
                "min": summary.min,
                "max": summary.max,
                "num_points": summary.num_points,
            }
            for tag, summary in run.metrics.items()
        },
    }


def _read_failure(run: RunRecord) -> str | None:
    """Return why a run failed: traceback or signal; None where that was not recorded."""
    try:
        return run.dir.failure_file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _format_time(secs: float | None) -> str | None:
    """Return a time in seconds since the epoch as local time, ISO 8601 with its offset."""
    return None if secs is None else datetime.fromtimestamp(secs).astimezone().isoformat()
