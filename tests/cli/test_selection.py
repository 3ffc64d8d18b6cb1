"""Which sweeps, trials and order the flags mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from absl import flags
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.cli.flags.selection import (
    define_order,
    define_selection,
    keep_rows,
    order_rows,
    select_sweeps,
    sort_column,
)
from hparams_lab.errors import HParamsLabError, UsageError
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_record, make_sweep

SUNDAY = datetime(2026, 11, 22, 7)
LAST_YEAR = "2025-06-01_12-00-00"


def parse(*words: str) -> flags.FlagValues:
    """Return the flags of a command line."""
    values = flags.FlagValues()  # type: ignore[no-untyped-call]  # absl has no types
    define_selection(values)
    define_order(values)
    values(["show", *words])
    return values


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """An experiment with sweeps of last year, of a Friday and of a Saturday."""
    home = ExperimentDir(tmp_path / "toy")
    for sweep_id in (LAST_YEAR, FRIDAY, SATURDAY):
        add_sweep(home, make_sweep(sweep_id))
    return home


def make_rows(values: Sequence[float | None]) -> list[TrialRow]:
    """Return the rows of trials with those accuracies, and ascending units, best first."""
    sweep_dir = SweepDir(Path("/logs/toy") / SATURDAY)
    records = [
        make_record(
            sweep_dir.run_dir(f"{index:04d}-abcdef01"),
            {"units": index, "kind": "odd" if index % 2 else "even"},
            {} if value is None else {"accuracy": value},
        )
        for index, value in enumerate(values)
    ]
    return rank_trials(records, [make_sweep()])


def units(rows: Sequence[TrialRow]) -> list[int]:
    """Return what each trial has for units."""
    return [row.assignment["units"] for row in rows]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [SATURDAY]),
        (["--since=7d"], [FRIDAY, SATURDAY]),
        (["--since=2026-11-21"], [SATURDAY]),
        (["--until=2026-11-20"], [LAST_YEAR, FRIDAY]),
        (["--since=2026-01-01", "--until=2026-11-20"], [FRIDAY]),
        ([f"--since={FRIDAY}", f"--until={FRIDAY}"], [FRIDAY]),
    ],
    ids=["nothing", "since", "from_a_day", "until_a_day", "between", "by_id"],
)
def test_time_selects_sweeps(words: list[str], expected: list[str], home: ExperimentDir) -> None:
    """All sweeps that began in the time are meant, and without a time the newest."""
    found = select_sweeps(parse(*words), home, now=lambda: SUNDAY)

    assert expected == [sweep.id for sweep in found]


def test_word_selects_within_the_time(home: ExperimentDir) -> None:
    """A word names sweeps of the time, and `all` is all of them."""
    values = parse("--since=7d")
    chosen = [
        select_sweeps(values, home, word, now=lambda: SUNDAY) for word in ("all", "2026-11-20")
    ]

    assert [[FRIDAY, SATURDAY], [FRIDAY]] == [[sweep.id for sweep in found] for found in chosen]


def test_default_may_be_all_sweeps(home: ExperimentDir) -> None:
    """A command may be about all sweeps unless told otherwise."""
    found = select_sweeps(parse(), home, default="all")

    assert [LAST_YEAR, FRIDAY, SATURDAY] == [sweep.id for sweep in found]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since=1h"], f"its newest is {SATURDAY}"),
        (["--until=2020-01-01"], "no sweep .*--until=2020-01-01"),
        (["--since=2026-11-21", "--until=2026-11-20"], "until must not be before since"),
        (["--since=yesterday"], "a time must be like"),
    ],
    ids=["too_late", "too_early", "exchanged", "no_time"],
)
def test_empty_time_is_refused(words: list[str], sentence: str, home: ExperimentDir) -> None:
    """A time without a sweep is told with the newest one there is."""
    with pytest.raises(HParamsLabError, match=sentence):
        select_sweeps(parse(*words), home, now=lambda: SUNDAY)


def test_where_keeps_rows_in_order() -> None:
    """Rows of which all conditions are true are kept, best first as before."""
    rows = make_rows([0.5, 0.9, 0.7, None])
    values = parse("--where=accuracy > 0.6", "--where=units >= 1")

    assert [1, 2] == units(keep_rows(values, rows))
    assert rows == keep_rows(parse(), rows)


def test_where_may_ask_for_what_one_row_has() -> None:
    """A name that only some rows know is known; one that none knows is not."""
    rows = make_rows([None, 0.9])

    assert [1] == units(keep_rows(parse("--where=accuracy > 0"), rows))
    with pytest.raises(UsageError, match="no 'loss'"):
        keep_rows(parse("--where=loss > 0"), rows)


def test_facts_of_a_trial_can_be_asked_for() -> None:
    """Trial, sweep, day, commit, status, time, seed and number of runs go by these names."""
    (row,) = make_rows([0.5])
    condition = (
        f'trial == "0000-abcdef01" and sweep == "{SATURDAY}" and status == "SUCCESS" and runs == 1'
        ' and day == "2026-11-21" and secs >= 0 and seed >= 0 and kind == "even"'
    )

    assert [row] == keep_rows(parse(f"--where={condition}"), [row])


def test_nothing_is_left_of_nothing() -> None:
    """Without rows no name can be unknown."""
    assert [] == keep_rows(parse("--where=loss > 0"), [])
    assert [] == order_rows(parse("--sort=loss"), [])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("accuracy", [0, 2, 1, 3]),
        ("accuracy:asc", [0, 2, 1, 3]),
        ("-accuracy", [1, 2, 0, 3]),
        ("accuracy:desc", [1, 2, 0, 3]),
        ("-units", [3, 2, 1, 0]),
        ("kind", [2, 0, 1, 3]),
        ("-kind", [1, 3, 2, 0]),
    ],
)
def test_rows_are_sorted(word: str, expected: list[int]) -> None:
    """A column sorts up or down; what has no value is last, equal rows stay best first."""
    rows = make_rows([0.5, 0.9, 0.7, None])

    assert expected == units(order_rows(parse(f"--sort={word}"), rows))
    assert word.strip("-").split(":")[0] == sort_column(parse(f"--sort={word}"), rows)


@given(st.lists(st.none() | st.floats(), min_size=1, max_size=8), st.booleans())
@settings(deadline=None, max_examples=60)
def test_sorting_loses_no_row(values: list[float | None], is_descending: bool) -> None:
    """Any values, NaN and infinities too, are put in order without losing a row."""
    rows = make_rows([0.0, *values])
    ordered = order_rows(parse("--sort=" + "-" * is_descending + "accuracy"), rows)
    told = [row.facts.get("accuracy", math.nan) for row in ordered]
    numbers = [value for value in told if not math.isnan(value)]

    assert sorted(units(rows)) == sorted(units(ordered))
    assert sorted(numbers, reverse=is_descending) == told[: len(numbers)]


def test_top_is_of_the_sorted() -> None:
    """`--top` takes the first rows in the order of `--sort`."""
    rows = make_rows([0.5, 0.9, 0.7])

    assert [0, 2] == units(order_rows(parse("--sort=accuracy", "--top=2"), rows))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sort=acuracy"], "--sort must name a column.*Did you mean 'accuracy'"),
        (["--sort=-zzz"], "The columns are .*accuracy, .*units"),
        (["--top=0"], "--top must be at least 1"),
    ],
)
def test_bad_order_is_refused(words: list[str], sentence: str) -> None:
    """A column that no row has and an empty top are refused."""
    with pytest.raises(UsageError, match=sentence):
        order_rows(parse(*words), make_rows([0.5]))
