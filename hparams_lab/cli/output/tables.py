"""Tables and numbers as text that fits the terminal."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from hparams_lab.analysis.trials.rows import PRUNED, TrialRow
from hparams_lab.cli.streams import discard_stdout
from hparams_lab.declare import tags
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.logdir.mounts import in_terms_of_urls
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import count, escape_control

_COLUMN_GAP = 2


_NO_WIDTH = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on in silence, as in `| head`: rich would exit, and end a sweep with it."""
        discard_stdout()

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; where a directory stands for a URL, that is what the user knows."""
        shown = (in_terms_of_urls(each) if isinstance(each, str) else each for each in objects)
        super().print(*shown, **options)


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that styles nothing by itself, as wide as it takes where it is no terminal.

    A pipe has no width; COLUMNS gives it one.

    Args:
        stderr: whether it prints to standard error, as where standard output is for a
            document.
    """
    is_narrow = (sys.stderr if stderr else sys.stdout).isatty() or "COLUMNS" in os.environ
    return _Console(
        highlight=False,
        soft_wrap=True,
        markup=False,
        emoji=False,
        width=None if is_narrow else _NO_WIDTH,
        stderr=stderr,
    )


@dataclass(frozen=True)
class Column:
    """A column of text."""

    header: str  # its name
    cells: Sequence[str]  # one a row

    def fit(self, room: int) -> list[str]:
        """Return header and cells, all as wide as the widest, at most as the room."""
        texts = [escape_control(text) for text in (self.header, *self.cells)]
        width = min(max(map(_width_of, texts)), room)
        return [_resize(text, width) for text in texts]


def print_table(console: Console, columns: Sequence[Column]) -> None:
    """Print the columns that fit, in order, and say which do not.

    What is too wide by itself is cut: the first column at the width of the terminal, the
    cells of another one at half of that or at their header.
    """
    shown: list[list[str]] = []
    left_out: list[str] = []
    room = console.width
    for column in columns:
        is_first = not shown
        most = max(_width_of(escape_control(column.header)), console.width // 2)
        texts = column.fit(console.width if is_first else most)
        width = _width_of(texts[0]) + (0 if is_first else _COLUMN_GAP)
        if width > room:
            left_out.append(escape_control(column.header))
        else:
            room -= width
            shown.append(texts)
    header, *lines = ((" " * _COLUMN_GAP).join(row).rstrip() for row in zip(*shown, strict=True))
    console.print(Text(header, "bold"))
    # At once: a print for each of a thousand rows takes most of a second.
    console.out("\n".join(lines), highlight=False)
    if left_out:
        print_prose(console, f"left out to fit the width: {', '.join(left_out)}")


def print_prose(console: Console, text: str, *, indent: int = 0) -> None:
    """Print a text, broken between words where it is wider than the terminal."""
    for line in Text(text).wrap(console, max(1, console.width - indent)):
        console.print(" " * indent + line.plain.rstrip())


def cut(text: str, width: int) -> str:
    """Return a text as it is if it fits a width, at least 1, else its beginning with `…`."""
    return text if _width_of(text) <= width else set_cell_size(text, width - 1) + "…"


def _resize(text: str, width: int) -> str:
    fitting = cut(text, width)
    return fitting + " " * (width - _width_of(fitting))


def _width_of(text: str) -> int:
    """Return how many columns of the terminal a text needs."""
    return len(text) if text.isascii() else cell_len(text)


def trial_columns(rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> list[Column]:
    """Return the columns of trials: id, status, objective, what varied, metrics, attempts, time.

    Args:
        rows: best first.
        sweeps: that the rows are of, oldest first.
    """
    newest = sweeps[-1]
    objective = newest.objective.tag
    several = len(sweeps) > 1
    ids = [f"{row.sweep_id}/{row.trial_id}" if several else row.trial_id for row in rows]
    columns = [Column("trial", ids)]
    if not all(row.is_complete for row in rows):
        columns.append(Column("status", [row.told_label for row in rows]))
    columns.append(_metric_column(objective, rows))
    for name in _list_varied(sweeps):
        columns.append(Column(name, [format_fact(row.assignment.get(name)) for row in rows]))
    metrics = dict.fromkeys(key for sweep in reversed(sweeps) for key in sweep.metric_keys)
    columns += [_metric_column(key, rows) for key in metrics if key != objective]
    ladder = [tag for tag in (tags.BUDGET, tags.RUNG) if any(tag in row.metrics for row in rows)]
    columns += [_metric_column(tag, rows) for tag in ladder]
    if any(row.attempts > 1 for row in rows):
        columns.append(Column("attempts", [str(row.attempts) for row in rows]))
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


def format_fact(value: Value | None) -> str:
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
    bound = "at most " if sweep.traits.may_end_early else ""
    return f"{bound}{count(sweep.max_trials, 'trial')}"
