"""Tables fit the terminal, whatever is in them, or say what they leave out."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from hparams_lab.cli.output.tables import (
    Column,
    cut,
    format_number,
    make_console,
    print_prose,
    print_table,
)


def test_a_wide_table_says_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that do not fit are named below the table."""
    monkeypatch.setenv("COLUMNS", "80")
    columns = [Column(f"column_{i}", [f"{'x' * 20}"]) for i in range(6)]
    print_table(make_console(), columns)

    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "left out to fit the width: column_3, column_4, column_5" == lines[-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (float("nan"), "nan"), (0.123456789, "0.12346"), (3.0, "3"), (1e-9, "1e-09")],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    """A metric is printed with five significant digits."""
    assert text == format_number(value)


def print_at(width: int, columns: list[Column]) -> list[str]:
    """Return the lines of a table on a terminal of a width."""
    stream = io.StringIO()
    print_table(Console(file=stream, width=width, markup=False, soft_wrap=True), columns)
    return stream.getvalue().split("\n")[:-1]


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text("漢字ｗ한", max_size=30),
    st.text("ab_ 0.5", max_size=90),
)


@st.composite
def tables(draw: st.DrawFn) -> list[Column]:
    """Columns of any text, of one number of rows."""
    num_rows = draw(st.integers(0, 4))
    cells = st.lists(TEXTS, min_size=num_rows, max_size=num_rows)
    return draw(st.lists(st.builds(Column, TEXTS, cells), min_size=1, max_size=6))


@given(tables(), st.integers(1, 100))
@settings(deadline=None, max_examples=200)
def test_no_line_is_wider_than_the_terminal(columns: list[Column], width: int) -> None:
    """Whatever the cells hold, a line is at most as wide as the terminal."""
    lines = print_at(width, columns)

    assert max(map(cell_len, lines)) <= width or width == 1  # a wide letter needs two
    assert all(line.isprintable() for line in lines)


@given(tables(), st.integers(30, 100))
@settings(deadline=None, max_examples=100)
def test_every_column_is_shown_or_named(columns: list[Column], width: int) -> None:
    """There is one line a row, and as many columns are shown or named as there are."""
    named = [Column(f"column{index}", column.cells) for index, column in enumerate(columns)]
    header, *rest = print_at(width, named)
    below = " ".join(rest[len(columns[0].cells) :])

    shown = [column.header for column in named if column.header in header.split()]
    left_out = re.findall(r"column\d", below)
    assert [column.header for column in named] == sorted(shown + left_out)


def test_narrow_column_behind_a_wide_one_is_shown() -> None:
    """A column that does not fit leaves room for those behind it."""
    columns = [Column("trial", ["1"]), Column("x" * 15, ["2"]), Column("secs", ["3"])]

    assert ["trial  secs", "1      3"] == print_at(18, columns)[:2]


def test_wide_cells_are_cut() -> None:
    """A cell is cut at the terminal's width in the first column, at half of it in others."""
    columns = [Column("id", ["i"]), Column("text", ["t" * 50])]

    assert ["id  text", "i   " + "t" * 19 + "…"] == print_at(40, columns)
    assert ["i" * 39 + "…"] == print_at(40, [Column("id", ["i" * 50])])[1:]


def test_names_of_columns_are_not_cut() -> None:
    """A column is at least as wide as its name, or left out."""
    columns = [Column("id", ["i"]), Column("name" * 6, ["t" * 50])]

    assert ["id  " + "name" * 6, "i   " + "t" * 23 + "…"] == print_at(40, columns)


def test_control_characters_are_spelled() -> None:
    """What would break a line or command a terminal stands as Python writes it."""
    assert ["text", r"a\nb\x1b[31m\udc80"] == print_at(40, [Column("text", ["a\nb\x1b[31m\udc80"])])


def test_prose_is_broken_between_words() -> None:
    """A long line is broken where words end, each part as far in as the first."""
    stream = io.StringIO()
    print_prose(Console(file=stream, width=12), "one two three four", indent=2)

    assert "  one two\n  three four\n" == stream.getvalue()


@pytest.mark.parametrize(
    ("width", "expected"), [(6, "abcdef"), (5, "abcd…"), (1, "…")], ids=["fits", "cut", "tiny"]
)
def test_text_is_cut_with_an_ellipsis(width: int, expected: str) -> None:
    """What does not fit ends with an ellipsis, within the width."""
    assert expected == cut("abcdef", width)
