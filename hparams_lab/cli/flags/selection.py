"""Which sweeps and which trials a command is about: `--since`, `--until`, `--where`, `--sort`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from absl import flags

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.where import Condition
from hparams_lab.cli.inputs.find import find_sweeps
from hparams_lab.errors import UnknownExperimentError, UsageError, did_you_mean
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.times import Period
from hparams_lab.runs.sweep import find_newest


def define_selection(values: flags.FlagValues) -> None:
    """Add `--since`, `--until` and `--where`, which may be given more than once."""
    flags.DEFINE_string(
        "since", None, "sweeps begun then or later: 7d, 12h, 2026-11-21", flag_values=values
    )
    flags.DEFINE_string("until", None, "sweeps begun then or earlier", flag_values=values)
    flags.DEFINE_multi_string(
        "where",
        [],
        "trials of which this is true, as 'accuracy > 0.9 and optimizer == \"adam\"', or "
        "'ending == \"timed out\"', which is one way to a status of FAILURE",
        flag_values=values,
    )


def define_order(values: flags.FlagValues) -> None:
    """Add `--sort` and `--top`."""
    flags.DEFINE_string(
        "sort",
        None,
        "by a column, or -COLUMN from the highest down; best first if not given",
        flag_values=values,
    )
    flags.DEFINE_integer("top", None, "how many trials, the first ones", flag_values=values)


def select_sweeps(
    values: flags.FlagValues,
    home: ExperimentDir,
    word: str | None = None,
    *,
    default: Literal["newest", "all"] = "newest",
    now: Callable[[], datetime] = datetime.now,
) -> list[SweepDir]:
    """Return the sweeps that the flags and a word name, oldest first, at least one.

    Args:
        values: with the flags of `define_selection`.
        home: of an experiment that has sweeps.
        word: the beginning of a sweep's id, or `all`; None for all that began in the time
            that the flags name.
        default: which sweeps are meant where neither a word nor a time is given.
        now: that `7d` is before.

    Raises:
        UnknownExperimentError: if there is no such sweep, or the word is ambiguous.
        UsageError: if a time is none, or the end is before the beginning.
    """
    period = Period.parse(values.since, values.until, now())
    if word is None and (period or default == "all"):
        named = home.find_sweeps()
    else:
        named = [find_newest(home)] if word is None else find_sweeps(home, word)
    chosen = [sweep for sweep in named if sweep.start_time in period]
    if not chosen:
        limits = [f"--since={values.since}"] if values.since else []
        limits += [f"--until={values.until}"] if values.until else []
        raise UnknownExperimentError(
            f"experiment {home.name!r} has no sweep that began in {' '.join(limits)}; its newest "
            f"is {home.find_sweeps()[-1].id}. Widen the time."
        )
    return chosen


def keep_rows(values: flags.FlagValues, rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the rows of which each `--where` is true, in their order.

    Raises:
        UsageError: if a condition is none, or asks for a name that no row has.
    """
    kept = list(rows)
    for text in values.where:
        condition = Condition.parse(text)
        if rows:
            condition.check(_names_of(rows))
        kept = [row for row in kept if condition.matches(row.facts)]
    return kept


def order_rows(values: flags.FlagValues, rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the rows that `--top` leaves, by the column of `--sort`, else in their order.

    Rows without a value come last either way, and equal ones keep their order.

    Raises:
        UsageError: if no row has such a column, or `--top` is below 1.
    """
    if values.top is not None and values.top < 1:
        raise UsageError(f"--top must be at least 1; got {values.top}. Raise it.")
    ordered = list(rows)
    if values.sort is not None and rows:
        name, is_descending = _parse_sort(values.sort, _names_of(rows))
        present = [row for row in rows if _has_value(row, name)]
        present.sort(key=lambda row: _rank(row.facts[name]), reverse=is_descending)
        ordered = present + [row for row in rows if not _has_value(row, name)]
    return ordered[: values.top]


def sort_column(values: flags.FlagValues, rows: Sequence[TrialRow]) -> str | None:
    """Return the column that `--sort` names, None without one.

    Raises:
        UsageError: if no row has it.
    """
    if values.sort is None or not rows:
        return None
    return _parse_sort(values.sort, _names_of(rows))[0]


def _parse_sort(text: str, known: set[str]) -> tuple[str, bool]:
    """Return the column that `--sort` names, and whether it is to fall."""
    readings = (
        (text, False),
        (text.removesuffix(":asc"), False),
        (text.removesuffix(":desc"), True),
        (text.removeprefix("-"), True),
    )
    for name, is_descending in readings:
        if name in known:
            return name, is_descending
    hint = did_you_mean(readings[-1][0], known) or f" The columns are {', '.join(sorted(known))}."
    raise UsageError(f"--sort must name a column; got {text!r}.{hint}")


def _names_of(rows: Iterable[TrialRow]) -> set[str]:
    return {name for row in rows for name in row.facts}


def _has_value(row: TrialRow, name: str) -> bool:
    value = row.facts.get(name)
    return value is not None and value == value  # NaN is none


def _rank(value: Any) -> tuple[bool, Any]:
    """Return a key by which numbers come before texts."""
    return isinstance(value, str), value
