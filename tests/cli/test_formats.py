"""What is printed as JSON is what the table is made of, in what JSON can say."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absl import flags
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.cli.flags.formats import define_format, format_of, print_json, to_plain
from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Status


@dataclass(frozen=True)
class Point:
    """Something with fields."""

    place: Path
    values: tuple[float, ...]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Point(Path("/a"), (1.0, math.nan)), {"place": "/a", "values": [1.0, None]}),
        ({1: Status.SUCCESS, "b": {"c"}}, {"1": "SUCCESS", "b": ["c"]}),
        ([True, 3, "größe", None], [True, 3, "größe", None]),
        ({"low": -math.inf, "high": math.inf}, {"low": None, "high": None}),
        ([np.float32(0.5), np.int64(3), np.bool_(True)], [0.5, 3, True]),
        (Exception("why"), "why"),
    ],
    ids=["dataclass", "enum", "plain", "infinite", "numpy", "other"],
)
def test_data_is_what_json_has(data: Any, expected: Any) -> None:
    """Every kind of data becomes what JSON has for it; what is no number is null."""
    assert expected == to_plain(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_whatever_is_printed_is_strict_json(data: Any) -> None:
    """No value leads to a document that a strict reader refuses."""
    assert json.dumps(to_plain(data), allow_nan=False)


def test_one_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed is one document, with letters of all languages as they are."""
    print_json({"name": "größe"})

    printed = capsys.readouterr().out
    assert {"name": "größe"} == json.loads(printed)
    assert "größe" in printed


def test_an_unknown_format_is_told_the_closest() -> None:
    """A misspelt format is told the closest one."""
    values = flags.FlagValues()
    define_format(values)
    values(["program", "--format=jsn"])

    with pytest.raises(UsageError, match="Did you mean 'json'"):
        format_of(values)
