"""Tables and numbers as text that fits the terminal."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from hparams_lab.analysis.table import PRUNED, TrialRow
from hparams_lab.declare import tags
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.events.schema import Status
from hparams_lab.runs.sweep import Sweep

_COLUMN_GAP = 2


_NO_WIDTH = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on in silence, as in `| head`: rich would exit, and end a sweep with it."""
        discard_stdout()


def make_console() -> Console:
    """Return a console that styles nothing by itself, as wide as it takes where it is no terminal.

    A pipe has no width; COLUMNS gives it one.
    """
    is_narrow = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if is_narrow else _NO_WIDTH
    return _Console(highlight=False, soft_wrap=True, markup=False, width=width)


def discard_stdout() -> None:
    """Throw away what is printed from now on: whoever read it is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@dataclass(frozen=True)
class Column:
    """A column of text.

    Attributes:
        header: its name.
        cells: one a row.
    """

    header: str
    cells: Sequence[str]

    @cached_property
    def width(self) -> int:
        """How many columns of the terminal it needs."""
        return max(cell_len(text) for text in (self.header, *self.cells))


def print_table(console: Console, columns: Sequence[Column]) -> None:
    """Print as many columns as fit, in order, and say which do not."""
    shown: list[Column] = []
    used = 0
    for column in columns:
        if shown and used + column.width > console.width:
            break
        used += column.width + _COLUMN_GAP
        shown.append(column)
    console.print(Text(_join_cells(shown, [column.header for column in shown]), "bold"))
    rows = zip(*(column.cells for column in shown), strict=True)
    # At once: a print for each of a thousand rows takes most of a second.
    console.out("\n".join(_join_cells(shown, row) for row in rows), highlight=False)
    if left_out := columns[len(shown) :]:
        names = ", ".join(column.header for column in left_out)
        console.print(f"left out for want of room: {names}")


def _join_cells(columns: Sequence[Column], cells: Iterable[str]) -> str:
    sized = (set_cell_size(cell, column.width) for column, cell in zip(columns, cells, strict=True))
    return (" " * _COLUMN_GAP).join(sized).rstrip()


def trial_columns(rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> list[Column]:
    """Return the columns of trials: id, status, objective, what varied, metrics, time.

    Args:
        rows: best first.
        sweeps: that the rows are of, oldest first.
    """
    newest = sweeps[-1]
    objective = newest.objective.tag
    several = len(sweeps) > 1
    ids = [f"{row.sweep_id}/{row.trial_id}" if several else row.trial_id for row in rows]
    columns = [Column("trial", ids)]
    if any(row.label != Status.SUCCESS.value for row in rows):
        columns.append(Column("status", [row.label for row in rows]))
    columns.append(_metric_column(objective, rows))
    for name in _list_varied(sweeps):
        columns.append(Column(name, [_format_hparam(row.assignment.get(name)) for row in rows]))
    metrics = dict.fromkeys(key for sweep in reversed(sweeps) for key in sweep.metric_keys)
    columns += [_metric_column(key, rows) for key in metrics if key != objective]
    ladder = [tag for tag in (tags.BUDGET, tags.RUNG) if any(tag in row.metrics for row in rows)]
    columns += [_metric_column(tag, rows) for tag in ladder]
    columns.append(Column("secs", [f"{row.wall_secs:.1f}" for row in rows]))
    return columns


def _metric_column(tag: str, rows: Sequence[TrialRow]) -> Column:
    return Column(tag, [format_metric(row, tag) for row in rows])


def format_metric(row: TrialRow, tag: str) -> str:
    """Return a trial's value of a metric, of several runs as `mean ± std (n)`."""
    value = row.metrics.get(tag)
    if row.label == PRUNED and value is not None and math.isnan(value):
        value = None  # how a pruned run takes back what it had logged as its result
    text = format_number(value)
    spread = row.spreads.get(tag)
    return text if spread is None else f"{text} ± {spread.std:.2g} ({spread.count})"


def _list_varied(sweeps: Sequence[Sweep]) -> list[str]:
    """The hparams with more than one value, within a sweep or between two, newest first."""
    values: dict[str, set[Value]] = {}
    for sweep in reversed(sweeps):
        for axis in sweep.space:
            values.setdefault(axis.name, set()).update(axis.levels[:2])
    return [name for name, seen in values.items() if len(seen) > 1]


def _format_hparam(value: Value | None) -> str:
    """Return a value that fits a column; `best` prints it in full."""
    if value is None:
        return "-"
    return format_number(value) if isinstance(value, float) else format_value(value)


def format_number(value: float | None) -> str:
    """Return a metric's value with five significant digits, `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.5g}" if math.isfinite(value) else str(value)


def format_size(sweep: Sweep) -> str:
    """Return how many trials a sweep has: `9 trials`, `at most 9 trials`."""
    if sweep.max_trials is None:
        return "no limit of trials"
    # How long this search is shows only as it goes.
    bound = "at most " if sweep.strategy == "one_at_a_time" else ""
    return f"{bound}{count(sweep.max_trials, 'trial')}"


def count(number: int, noun: str) -> str:
    """Return a number of things: `1 trial`, `2 trials`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
