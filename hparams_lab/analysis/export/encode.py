"""A sheet as bytes for other programs: CSV, JSON, Parquet, or Markdown.

How each says what is not there, and what is no finite number:

    format    missing  NaN    infinity       text
    csv       (empty)  nan    inf, -inf      as RFC 4180 quotes it; a missing one looks empty
    json      null     "NaN"  "Infinity", "-Infinity", as the JSON of protobuf has them
    parquet   null     NaN    inf, -inf      a column of several types is text
    markdown  (empty)  nan    inf, -inf      escaped; numbers to six digits

Numbers are written in full everywhere else: as many digits as tell them apart. Times are
in UTC, ISO 8601.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hparams_lab.analysis.export.table import Sheet
from hparams_lab.errors import UsageError

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


def encode_json(sheet: Sheet) -> bytes:
    """Return the sheet as a JSON list with an object for each row."""
    rows = [dict(zip(sheet.columns, map(_to_json, row), strict=True)) for row in sheet.rows]
    return f"{json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()


def encode_markdown(sheet: Sheet) -> bytes:
    """Return the sheet as a table of Markdown, in which no value is markup."""
    rows = [map(_to_markdown, row) for row in (tuple(sheet.columns), *sheet.rows)]
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    rule = "|" + "---|" * len(sheet.columns)
    return "\n".join([head, rule, *body, ""]).encode()


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
    "json": encode_json,
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
