"""Tables and numbers as text that fits the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hparams_lab.analysis.table import TrialRow
from hparams_lab.declare.domains import format_value
from hparams_lab.events.schema import Status
from hparams_lab.runs.sweep import Sweep

# Rich's default table puts two spaces between columns and one at each side.
_COLUMN_GAP = 2


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that styles nothing by itself; 80 columns where it is no terminal."""
    return Console(highlight=False, soft_wrap=True, stderr=stderr, markup=False)


@dataclass(frozen=True)
class Column:
    """A column of text.

    Attributes:
        header: its name.
        cells: one a row.
    """

    header: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        """How many characters it needs."""
        return max(len(self.header), *(len(cell) for cell in self.cells), 0)


def print_table(console: Console, columns: Sequence[Column]) -> None:
    """Print as many columns as fit, in order, and say which do not."""
    shown: list[Column] = []
    used = _COLUMN_GAP
    for column in columns:
        if shown and used + column.width + _COLUMN_GAP > console.width:
            break
        used += column.width + _COLUMN_GAP
        shown.append(column)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(Text(column.header), no_wrap=True)
    for row in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    if left_out := columns[len(shown) :]:
        names = ", ".join(column.header for column in left_out)
        console.print(f"left out for want of room: {names}")


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
    if any(row.status is not Status.SUCCESS for row in rows):
        columns.append(Column("status", [row.status.value for row in rows]))
    columns.append(_metric_column(objective, rows))
    names = dict.fromkeys(axis.name for sweep in reversed(sweeps) for axis in sweep.space)
    for name in names:
        cells = [_format_hparam(row, name) for row in rows]
        if len(set(cells)) > 1:
            columns.append(Column(name, cells))
    metrics = dict.fromkeys(key for sweep in reversed(sweeps) for key in sweep.metric_keys)
    columns += [_metric_column(key, rows) for key in metrics if key != objective]
    columns.append(Column("secs", [f"{row.wall_secs:.1f}" for row in rows]))
    return columns


def _metric_column(tag: str, rows: Sequence[TrialRow]) -> Column:
    return Column(tag, [format_number(row.metrics.get(tag)) for row in rows])


def _format_hparam(row: TrialRow, name: str) -> str:
    return format_value(row.assignment[name]) if name in row.assignment else "-"


def format_number(value: float | None) -> str:
    """Return a metric's value with five significant digits, `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.5g}" if math.isfinite(value) else str(value)
