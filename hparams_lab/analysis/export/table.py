"""Runs or trials as rows of plain values under named columns: what is exported.

A value is a bool, an integer, a float, a text, a time in UTC, or None where there is none.
A hyperparameter's column bears its name. A metric of the same name is `metric/NAME`, and
anything else that is known of a trial or a run is `trial/NAME` or `run/NAME`: as in
`--where`, but the same in all rows.

How each says what is not there, and what is no finite number:

    format    missing  NaN    infinity       text
    csv       (empty)  nan    inf, -inf      as RFC 4180 quotes it; a missing one looks empty
    json      null     "NaN"  "Infinity", "-Infinity", as the JSON of protobuf has them
    parquet   null     NaN    inf, -inf      a column of several types is text
    markdown  (empty)  nan    inf, -inf      escaped; numbers to six digits

Numbers are written in full everywhere else: as many digits as distinguish them. Times are
in UTC, ISO 8601.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hparams_lab.analysis.trials.facts import OF_RUN, OF_TRIAL, Fact, list_facts
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.where import Condition
from hparams_lab.declare import tags
from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import markdown_table

Column = Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """Rows under named columns, kept by column."""

    columns: Mapping[str, Column]  # `[num_rows]` values by name, in order
    num_rows: int  # of each column
    known_types: Mapping[str, type]  # of columns that have a type whatever their values, by name

    @property
    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The values of each row, in order of the columns."""
        return zip(*self.columns.values(), strict=True)

    def keep(self, condition: Condition) -> Sheet:
        """Return the rows of which a condition is true, in their order.

        Raises:
            UsageError: if it asks for a column that is not there.
        """
        condition.check(set(self.columns))
        kept = [
            row for row in self.rows if condition.matches(dict(zip(self.columns, row, strict=True)))
        ]
        columns = zip(*kept, strict=True) if kept else ((),) * len(self.columns)
        return Sheet(dict(zip(self.columns, columns, strict=True)), len(kept), self.known_types)

    def type_of(self, name: str) -> type | None:
        """Return the type of a column: what it is known to be, else what its values are.

        `float` where they are numbers of both kinds, None where they are of several others,
        and `str` where there are none.
        """
        if name in self.known_types:
            return self.known_types[name]
        kinds = {type(value) for value in self.columns[name] if value is not None}
        if kinds == {int, float}:
            return float
        return kinds.pop() if len(kinds) == 1 else (None if kinds else str)


@dataclass(frozen=True)
class _Entry:
    """A row before its columns are known: facts, hyperparameters and metrics by name."""

    own: Mapping[str, Any]
    hparams: Mapping[str, Any]
    metrics: Mapping[str, float]


def list_trials(rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> Sheet:
    """Return a sheet with a row for each trial, in the order given.

    Its metrics are means over the runs; where there are several, `std/METRIC`, `n/METRIC`
    and the ends of the mean's 95 % interval, `ci95_low/METRIC` and `ci95_high/METRIC`, go
    with each declared one.

    Args:
        rows: to list.
        sweeps: that they are of, oldest first.
    """
    return _arrange([_enter_trial(row) for row in rows], "trial", OF_TRIAL, sweeps)


def list_runs(records: Sequence[RunRecord], sweeps: Mapping[Path, Sweep]) -> Sheet:
    """Return a sheet with a row for each run, in the order given.

    Its metrics are the last values. `best/METRIC`, of the objective, is the best finite
    value that the run ever had of it.

    Args:
        records: to list; also those of other tools.
        sweeps: that they are of, by directory, oldest first.
    """
    entries = [_enter_run(record, sweeps.get(record.dir.path.parent.parent)) for record in records]
    return _arrange(entries, "run", OF_RUN, [*sweeps.values()])


def _enter_trial(row: TrialRow) -> _Entry:
    metrics = dict(row.metrics)
    for tag, spread in row.spreads.items():
        numbers = (spread.std, float(spread.count), spread.low, spread.high)
        metrics |= zip(tags.spread(tag), numbers, strict=True)
    return _Entry(list_facts(OF_TRIAL, row), row.assignment, metrics)


def _enter_run(record: RunRecord, sweep: Sweep | None) -> _Entry:
    metrics = dict(record.last_values)
    if sweep is not None and (best := record.metrics.get(sweep.objective.metric)):
        value = best.max if sweep.objective.goal is Goal.MAXIMIZE else best.min
        metrics.setdefault(f"best/{sweep.objective.metric}", value)
    return _Entry(list_facts(OF_RUN, record), record.assignment, metrics)


def _arrange(
    entries: Sequence[_Entry], kind: str, facts: Mapping[str, Fact], sweeps: Sequence[Sweep]
) -> Sheet:
    """Return the sheet of the entries: facts, hyperparameters, metrics; declared ones first."""
    newest_first = [*reversed(sweeps)]
    hparams = dict.fromkeys(axis.name for sweep in newest_first for axis in sweep.space)
    hparams |= dict.fromkeys(name for entry in entries for name in entry.hparams)
    metrics = dict.fromkeys(
        tag for sweep in newest_first for tag in (sweep.objective.tag, *sweep.metric_keys)
    )
    metrics |= dict.fromkeys(tag for entry in entries for tag in entry.metrics)
    metric_names = _avoid(metrics, hparams, "metric")
    own_names = _avoid(facts, {**hparams, **dict.fromkeys(metric_names.values())}, kind)
    columns = {own_names[name]: [_clean(entry.own[name]) for entry in entries] for name in facts}
    columns |= {name: [_clean(entry.hparams.get(name)) for entry in entries] for name in hparams}
    columns |= {metric_names[tag]: [entry.metrics.get(tag) for entry in entries] for tag in metrics}
    known_types = {own_names[name]: fact.type for name, fact in facts.items()}
    return Sheet(columns, len(entries), known_types | dict.fromkeys(metric_names.values(), float))


def _avoid(names: Iterable[str], taken: Iterable[str], kind: str) -> dict[str, str]:
    """Return a column's name for each name: with its kind before it where that is taken."""
    used = set(taken)
    chosen = {}
    for name in names:
        chosen[name] = name
        while chosen[name] in used:
            chosen[name] = f"{kind}/{chosen[name]}"
        used.add(chosen[name])
    return chosen


def _clean(value: Any) -> Any:
    """Return a value with nothing in it that no UTF-8 can say, as a path may have."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


_JSON_OF_NUMBER = {math.inf: "Infinity", -math.inf: "-Infinity"}
# Markup anywhere, and underscores save between letters, where ids and paths have them.
_MARKUP = re.compile(r"[\\`*|<>\[\]~]|(?<![^\W_])_|_(?![^\W_])")


def encode_csv(sheet: Sheet) -> bytes:
    """Return the sheet as CSV after RFC 4180, in UTF-8, with a line of the columns' names."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(sheet.columns)
    writer.writerows([_format(value) for value in row] for row in sheet.rows)
    return text.getvalue().encode()


def format_json(sheet: Sheet) -> bytes:
    """Return the sheet as a JSON list with an object for each row."""
    rows = [dict(zip(sheet.columns, map(_to_json, row), strict=True)) for row in sheet.rows]
    return f"{json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def encode_markdown(sheet: Sheet) -> bytes:
    """Return the sheet as a table of Markdown, in which no value is markup."""
    headers = [_to_markdown(name) for name in sheet.columns]
    table = markdown_table(headers, (map(_to_markdown, row) for row in sheet.rows))
    return f"{table}\n".encode()


def encode_parquet(sheet: Sheet) -> bytes:
    """Return the sheet as a Parquet file.

    Raises:
        UsageError: if pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "--format=parquet needs pyarrow, which is not installed. Run: pip install "
            "'hparams_lab[frames]', or write csv or json."
        ) from error
    arrow_types = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        str: pyarrow.string(),
        datetime: pyarrow.timestamp("us", tz="UTC"),
    }
    arrays = []
    for name, values in sheet.columns.items():
        kind = sheet.type_of(name)
        cells = [v if v is None else str(_format(v)) for v in values] if kind is None else values
        arrays.append(pyarrow.array(cells, arrow_types[kind or str]))
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays, names=[*sheet.columns]), sink)
    return sink.getvalue()


ENCODERS: dict[str, Callable[[Sheet], bytes]] = {
    "csv": encode_csv,
    "json": format_json,
    "parquet": encode_parquet,
    "markdown": encode_markdown,
}
"""By name of the format, the default first."""

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".md": "markdown",
    ".markdown": "markdown",
}
"""The format that a file's name asks for."""


def _format(value: Any) -> Any:
    """Return a value as CSV has it: floats with all their digits, times in ISO 8601."""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _to_json(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return _JSON_OF_NUMBER.get(value, "NaN")
    return _format(value)


def _to_markdown(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(_format(value))
    return "<br>".join(_MARKUP.sub(r"\\\g<0>", line) for line in text.splitlines() or [""])
