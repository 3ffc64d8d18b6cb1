"""The tables of a report: trials, effects, sweeps, failures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.analysis.effects.effects import Effects
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.events.schema import Status
from hparams_lab.runs.sweep import Sweep

_PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "hparams_lab")
_LEAST_P = 0.001


@dataclass(frozen=True)
class Cell:
    """A cell."""

    text: str  # as it is read
    number: float | None = None  # by which it is sorted; None for a word


@dataclass(frozen=True)
class Table:
    """A table."""

    headers: Sequence[str]  # of the columns
    rows: Sequence[Sequence[Cell]]  # each with a cell for each column


@dataclass(frozen=True)
class Failure:
    """A run that failed."""

    run: str  # its sweep, trial and name
    ending: str  # in which way it did
    reason: str  # one line
    details: str  # what was recorded of it, as a traceback; empty if nothing


def from_columns(columns: Mapping[str, Sequence[str]]) -> Table:
    """Return a table of texts by header; those that are numbers are sorted as such."""
    rows = zip(*columns.values(), strict=True)
    return Table(list(columns), [[Cell(text, _parse(text)) for text in row] for row in rows])


def tabulate_trials(trials: Trials, *, limit: int) -> Table:
    """Return the trials, best first: id, status, objective, what varied, metrics, time.

    Args:
        trials: to tabulate.
        limit: how many of them, at least 1.
    """
    tag = trials.measure.name
    others = dict.fromkeys(key for sweep in reversed(trials.sweeps) for key in sweep.metric_keys)
    metrics = [tag, *(key for key in others if key != tag)]
    rows = [
        [
            Cell(f"{row.sweep_id}/{row.trial_id}"),
            Cell(row.told_label),
            _metric_cell(row, tag),
            *(_value_cell(row.assignment.get(name)) for name in trials.varied),
            *(_metric_cell(row, key) for key in metrics[1:]),
            Cell(f"{row.wall_secs:.1f}", row.wall_secs),
        ]
        for row in trials.rows[:limit]
    ]
    return Table(["trial", "status", tag, *trials.varied, *metrics[1:], "secs"], rows)


def tabulate_effects(effects: Effects) -> Table:
    """Return what each hyperparameter did, the most important first."""
    headers = ["hyperparameter", "importance", "p", "best mean at", "best trial at", "trials"]
    rows = [
        [
            Cell(axis.name),
            _number_cell(axis.importance, ".2f"),
            _p_cell(axis.p_value),
            Cell(axis.best_mean_level or "-"),
            Cell(axis.best_level),
            Cell(str(axis.count), axis.count),
        ]
        for axis in effects.axes
    ]
    return Table(headers, rows)


def tabulate_sweeps(logged: Logged) -> Table:
    """Return where the runs come from, newest sweep first: code, versions, machine, data."""
    digests: dict[str, set[str]] = {}
    for record in logged.records:
        digests.setdefault(record.dir.sweep_id, set()).add(record.data_digest)
    headers = ["sweep", "search", "seed", "commit", "Python", "packages", "machine", "data"]
    rows = [
        [
            Cell(sweep.id),
            Cell(_describe_search(sweep)),
            Cell(str(sweep.seed), sweep.seed),
            Cell(", ".join(sorted(sweep.commit_labels))),
            Cell(sweep.provenance.python),
            Cell(_list_versions(sweep)),
            Cell(f"{sweep.provenance.host}, {sweep.provenance.platform}"),
            Cell(_describe_digests(digests.get(sweep.id, set()))),
        ]
        for sweep in reversed(logged.sweeps)
    ]
    return Table(headers, rows)


def list_failures(rows: Iterable[TrialRow]) -> list[Failure]:
    """Return the runs that failed, by trial."""
    return [
        Failure(
            run=f"{row.sweep_id}/{row.trial_id}/{run.dir.path.name}",
            ending=run.ending.value if run.ending else "failed",
            reason=run.reason or _last_line(details) or "no reason was recorded",
            details=details,
        )
        for row in sorted(rows, key=lambda row: (row.sweep_id, row.trial_id))
        for run in row.runs
        if run.status is Status.FAILURE
        for details in [_read(run.dir.failure_file)]
    ]


def format_mean(row: TrialRow, tag: str) -> str:
    """Return a trial's value of a metric, of several runs as `mean ± std (n)`."""
    value = row.metrics.get(tag)
    if value is None or math.isnan(value):
        return "-"
    spread = row.spreads.get(tag)
    return f"{value:.5g}" + (f" ± {spread.std:.2g} ({spread.count})" if spread else "")


def _value_cell(value: Value | None) -> Cell:
    if value is None:
        return Cell("-")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:.5g}" if isinstance(value, float) else format_value(value)
    return Cell(text, float(value) if is_number else None)


def _metric_cell(row: TrialRow, tag: str) -> Cell:
    value = row.metrics.get(tag, math.nan)
    return Cell(format_mean(row, tag), value if math.isfinite(value) else None)


def _number_cell(value: float, spec: str) -> Cell:
    return Cell(format(value, spec), value) if math.isfinite(value) else Cell("-")


def _p_cell(value: float) -> Cell:
    return Cell(f"< {_LEAST_P:g}", value) if value < _LEAST_P else _number_cell(value, ".2g")


def _parse(text: str) -> float | None:
    """Return the number that a text begins with, as in `0.93 ± 0.01`; None if with none."""
    try:
        return float(text.split(" ± ")[0])
    except ValueError:
        return None


def _describe_search(sweep: Sweep) -> str:
    parts = [sweep.strategy]
    parts += [f"{sweep.repeats} repeats"] if sweep.repeats > 1 else []
    parts += [f"{sweep.folds} folds"] if sweep.folds else []
    return ", ".join(parts)


def _list_versions(sweep: Sweep) -> str:
    versions = sweep.provenance.versions
    return ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions) or "-"


def _describe_digests(digests: set[str]) -> str:
    """Return the beginnings of digests, which distinguish data sets as well as the whole."""
    return ", ".join(sorted(digest[:12] for digest in digests if digest)) or "not known"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _last_line(text: str) -> str:
    """Return what a traceback ends with: the error."""
    return text.splitlines()[-1].strip() if text else ""
