from __future__ import annotations

import builtins
import csv
import io
import json
import math
import sys
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.export.table import (
    ENCODERS,
    Sheet,
    encode_csv,
    encode_markdown,
    encode_parquet,
    format_json,
)
from hparams_lab.errors import UsageError

# All that UTF-8 can say, save NUL, which Python 3.10 reads in no CSV.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CELLS = {
    "text": TEXTS,
    "whole": st.integers(-(2**53), 2**53),
    "real": st.floats(),
    "flag": st.booleans(),
}
TYPES = {"text": str, "whole": int, "real": float, "flag": bool}
ROWS = st.lists(st.fixed_dictionaries({k: st.none() | v for k, v in CELLS.items()}), max_size=4)


def _sheet(*rows: dict[str, Any], **types: type) -> Sheet:
    names = rows[0] if rows else types
    return Sheet({name: [row[name] for row in rows] for name in names}, len(rows), types)


def _one(value: Any) -> Sheet:
    return _sheet({"a": value, "b": 1})


def _read_csv(content: bytes) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(content.decode(), newline=""))]


def _same(one: Any, other: Any) -> bool:
    return one == other or (one != one and other != other)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_csv_comes_back(rows: list[dict[str, Any]]) -> None:
    """Numbers come back to the last digit, texts to the last character; None is empty."""
    found = _read_csv(encode_csv(_sheet(*rows, **TYPES)))

    assert len(rows) == len(found)
    for row, cells in zip(rows, found, strict=True):
        assert (row["text"] or "") == cells["text"]
        assert _same(row["real"], None if cells["real"] == "" else float(cells["real"]))
        assert row["whole"] == (None if cells["whole"] == "" else int(cells["whole"]))
        assert {None: "", True: "True", False: "False"}[row["flag"]] == cells["flag"]


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_json_comes_back(rows: list[dict[str, Any]]) -> None:
    """Every value comes back with its type; what is no number is spelled as protobuf does."""
    found = json.loads(format_json(_sheet(*rows, **TYPES)), parse_constant=pytest.fail)

    for row, cells in zip(rows, found, strict=True):
        cells["real"] = float(cells["real"]) if isinstance(cells["real"], str) else cells["real"]
        assert all(_same(row[name], cells[name]) for name in row)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_parquet_comes_back(rows: list[dict[str, Any]]) -> None:
    """Every value comes back with its type, NaN as NaN and None as null."""
    parquet = pytest.importorskip("pyarrow.parquet")
    found = parquet.read_table(io.BytesIO(encode_parquet(_sheet(*rows, **TYPES)))).to_pylist()

    for row, cells in zip(rows, found, strict=True):
        assert all(_same(row[name], cells[name]) for name in row)


def test_csv_is_as_the_rfc_has_it() -> None:
    """Lines end in CR LF, and quotes are doubled within quotes."""
    assert b'a,b\r\n"say ""hi"", twice",1\r\n' == encode_csv(_one('say "hi", twice'))


@pytest.mark.parametrize(
    ("value", "text"),
    [(math.nan, b"nan"), (math.inf, b"inf"), (-math.inf, b"-inf"), (None, b""), (0.1, b"0.1")],
    ids=str,
)
def test_csv_tells_missing_from_what_is_no_number(value: float | None, text: bytes) -> None:
    """An empty cell is a missing value, and no other number is."""
    assert b"a,b\r\n" + text + b",1\r\n" == encode_csv(_one(value))


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_json_spells_what_is_no_number(value: float, text: str) -> None:
    """JSON has no NaN; the JSON of protobuf has these texts."""
    assert [{"a": text, "b": 1}] == json.loads(format_json(_one(value)))


@pytest.mark.parametrize("name", ["csv", "json", "markdown"])
def test_times_are_in_utc(name: str) -> None:
    """A time is ISO 8601 with its offset, of one length wherever its second ends."""
    noon = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)

    assert b"2026-11-21T12:00:00.000000+00:00" in ENCODERS[name](_one(noon))


def test_parquet_knows_times() -> None:
    """A time is a timestamp of microseconds in UTC."""
    parquet = pytest.importorskip("pyarrow.parquet")
    noon = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)

    assert noon == parquet.read_table(io.BytesIO(encode_parquet(_one(noon))))["a"][0].as_py()


def test_parquet_makes_text_of_a_mixed_column() -> None:
    """A column of several types, which Parquet has not, is of texts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    sheet = _sheet({"a": "auto"}, {"a": 3.0}, {"a": None})

    assert ["auto", "3.0", None] == parquet.read_table(io.BytesIO(encode_parquet(sheet)))[
        "a"
    ].to_pylist()


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("a|b", r"a\|b"),
        ("two\nlines", "two<br>lines"),
        ("<b>*x*</b>", r"\<b\>\*x\*\</b\>"),
        ("_x_", r"\_x\_"),
        ("2026-11-21_07-34-05", "2026-11-21_07-34-05"),
        ("back\\slash`", r"back\\slash\`"),
        (1 / 3, "0.333333"),
        (None, ""),
    ],
    ids=repr,
)
def test_markdown_cells_are_no_markup(value: Any, cell: str) -> None:
    """Whatever a value holds, the table keeps its form; ids and paths stay readable."""
    assert f"| a | b |\n|---|---|\n| {cell} | 1 |\n" == encode_markdown(_one(value)).decode()


def test_no_rows_leave_the_columns() -> None:
    """A sheet without rows is a line of names, an empty list, a table without rows."""
    sheet = _sheet(a=str, b=int)

    assert b"a,b\r\n" == encode_csv(sheet)
    assert [] == json.loads(format_json(sheet))
    assert b"| a | b |\n|---|---|\n" == encode_markdown(sheet)


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is missing, one sentence names the extra."""
    real_import = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.delitem(sys.modules, "pyarrow", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(UsageError, match=r"hparams_lab\[frames\]"):
        encode_parquet(_one(1))
