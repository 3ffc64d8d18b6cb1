"""Conditions: what they select, what is missing, and what is refused with a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.where import Condition
from hparams_lab.errors import UsageError

ROW = {
    "accuracy": float(np.float32(0.9)),  # as an event file gives it back
    "best/accuracy": 0.95,
    "lambda": 0.1,
    "units": 16,
    "optimizer": "adam",
    "use_bias": True,
    "loss": math.nan,
    "none": None,
    "seed": 123_456_789,
    "größe": 3,
}


def matches(text: str) -> bool:
    """Return whether a condition is true of the row."""
    return Condition.parse(text).matches(ROW)


@pytest.mark.parametrize(
    "text",
    [
        'accuracy > 0.8 and optimizer == "adam"',
        "units < 8 or units >= 16",
        "not units == 8",
        "8 < units <= 16",
        'optimizer in ["adam", "sgd"]',
        "units not in (8, 32)",
        '"da" in optimizer',
        "`best/accuracy` > accuracy",
        "`lambda` < 1",
        "use_bias",
        "use_bias == True and not use_bias == False",
        "(units + 4) * 2 - 8 / 2 == 36",
        "-units < 0",
        "abs(-units) == max(units, 3, 16) and min(1, units) == 1",
        'lower("ADAM") == optimizer',
        "round(units / 3, 1) == 5.3",
        "größe == 3 and 'é' != \"größe\"",
        "accuracy\n> 0.8",
        '"`units`" != optimizer',
    ],
)
def test_language_is_that_of_python(text: str) -> None:
    """What Python would hold for true of the values is true."""
    assert matches(text)


@pytest.mark.parametrize("name", ["loss", "none", "dropout"], ids=["nan", "none", "absent"])
@pytest.mark.parametrize(
    "text",
    [
        "{} > 1",
        "{} <= 1",
        "{} == 1",
        "{} != 1",
        "not {} > 1",
        "not {} != 1",
        "{} in [1, 2]",
        "{} not in [1, 2]",
        "units not in [1, {}]",
        "{} + 1 > 0",
        "abs({}) >= 0",
        "0 < {} < 1",
        "{}",
        "not {}",
        "{} == {}",
    ],
)
def test_missing_value_matches_nothing(text: str, name: str) -> None:
    """What is missing makes neither a comparison nor its negation true."""
    assert not matches(text.replace("{}", name))


@pytest.mark.parametrize("name", ["loss", "none", "dropout"], ids=["nan", "none", "absent"])
def test_missing_values_are_asked_for_by_none(name: str) -> None:
    """`is None` is true of NaN, None and what is not there, and `is not None` is not."""
    assert matches(f"{name} is None and {name} == None and not {name} is not None")
    assert matches("units is not None and units != None and not units is None")


def test_missing_value_leaves_the_rest_to_decide() -> None:
    """An `or` with a true part is true, whatever is missing in the other."""
    assert matches("dropout > 0.2 or units == 16")
    assert not matches("dropout > 0.2 and units == 16")
    assert not matches("not (dropout > 0.2 or units == 8)")
    assert matches("not (dropout > 0.2 and units == 8)")


@pytest.mark.parametrize("text", ["units / 0 > 1", "1e308 * 1e308 - 1e308 * 1e308 == 0"])
def test_what_cannot_be_reckoned_is_missing(text: str) -> None:
    """A division by zero and a difference of infinities match nothing."""
    assert not matches(text)
    assert not matches(f"not {text}")


@given(st.floats(allow_nan=False, width=64, min_value=-1e30, max_value=1e30), st.floats(0.1, 9.9))
@settings(deadline=None, max_examples=100)
def test_numbers_are_compared_as_event_files_keep_them(written: float, factor: float) -> None:
    """A number of 32 bits is equal to the one that was written, and neither above nor below."""
    written = round(written, 6) * factor
    assume(abs(written) > 1e-30)  # below, 32 bits have fewer digits
    row = {"x": float(np.float32(written)), "y": written}
    links = ("==", "<=", ">=", "!=", "<", ">")

    assert ["==", "<=", ">="] == [
        link for link in links if Condition.parse(f"x {link} y").matches(row)
    ]


def test_integers_are_compared_exactly() -> None:
    """Seeds next to each other are different, though 32 bits could not tell them apart."""
    assert matches("seed == 123456789")
    assert not matches("seed == 123456788")


VALUES = st.one_of(st.none(), st.just(math.nan), st.integers(-2, 2))


@given(VALUES, VALUES)
@settings(deadline=None, max_examples=60)
def test_negation_and_condition_are_never_both_true(x: Any, y: Any) -> None:
    """A condition or its negation is true unless a value is missing; then neither is."""
    row = {"x": x, "y": y}
    is_missing = any(value is None or value != value for value in (x, y))
    for link in ("==", "!=", "<", "<=", ">", ">="):
        told = [Condition.parse(text).matches(row) for text in (f"x {link} y", f"not x {link} y")]

        assert sum(told) == (0 if is_missing else 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must not be empty"),
        ('optimizer = "adam"', "cannot hold '='; got it at place 11 .*Write =="),
        ("units > 8 & units < 9", "Write and"),
        ("units > 8 && units < 9", "'&&'.* Write and"),
        ("units > 8 AND units < 9", "'AND'.* Write and"),
        ("!use_bias", "Write not"),
        ("units <> 8", "Write !="),
        ("units ** 9 > 1", r"cannot hold 'units \*\* 9'.*\+ - \* /"),
        ("accuracy.real > 1", "cannot hold 'accuracy.real'; got it at place 1"),
        ("`é` == 1 and units.real", "'units.real'; got it at place 14"),
        ('__import__("os")', "functions are abs, lower, max, min, round"),
        ("max(1) > 0", "Give max 2 to 9 values"),
        ("(lambda: 1)()", "functions are"),
        ("[x for x in units]", "cannot hold"),
        ("units > 8 ?", "none from place 11 on"),
        ("lambda < 1", "names that are no plain words in backticks"),
        ("units is 8", "Write == or !="),
        ("units < None", "is None"),
        ('units == b"8"', "values are numbers, texts, True and False"),
        ("(" * 300 + "units", "must be like"),
        ("not " * 5000 + "use_bias", "must be like"),
        ("1" * 5000 + " > units", "must be like"),
        ("units > 8\0", "must be like"),
    ],
    ids=lambda text: text[:24].replace("\0", "NUL"),
)
def test_what_is_no_condition_is_refused(text: str, sentence: str) -> None:
    """A sentence says what the language has not, where, and what to write."""
    with pytest.raises(UsageError, match=sentence):
        Condition.parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('accuracy > "high"', 'values of one kind; got accuracy, a number .*"high", a text'),
        ("use_bias == 1", "true or false"),
        ('units in [8, "16"]', "values of one kind"),
        ("units in optimizer", "'units' must be a text"),
        ("accuracy", "'accuracy' must be true or false.*Compare it with a value"),
        ("use_bias and units", "'units' must be true or false"),
        ("optimizer + 1 > 2", "'optimizer' must be a number"),
        ("-optimizer > 2", "'optimizer' must be a number"),
        ("lower(units) == 'a'", "'units' must be a text"),
    ],
)
def test_kinds_are_not_mixed_up(text: str, sentence: str) -> None:
    """A text that is compared with a number is no silent nothing."""
    with pytest.raises(UsageError, match=sentence):
        matches(text)


def test_names_are_reported() -> None:
    """A condition knows the names that it asks for, but not its functions."""
    condition = Condition.parse("abs(`best/accuracy`) > 0.5 or units in [other, 8]")

    assert {"best/accuracy", "units", "other"} == condition.names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acuracy > 0.9", "no 'acuracy' .* Did you mean 'accuracy'"),
        ("best/accuracy > 0.9", "in backticks: `best/accuracy`"),
        ("optimizer == adam_w", "Put a text in quotes"),
        ("use_bias == true", "Did you mean 'True'"),
    ],
)
def test_unknown_name_is_refused(text: str, sentence: str) -> None:
    """A name that no row has is named, with what may be meant."""
    with pytest.raises(UsageError, match=sentence):
        Condition.parse(text).check(ROW)


def test_known_names_pass() -> None:
    """A condition on names that some row has is not refused."""
    Condition.parse("units > 8 and `best/accuracy` > 0.5").check(ROW)
    with pytest.raises(UsageError, match=r"'one'.*\n.*'two'"):
        Condition.parse("one > two").check(ROW)


def test_a_number_beyond_all_floats_is_compared() -> None:
    """A metric is below an integer that no float comes near."""
    assert Condition.parse(f"loss < 1{'0' * 400}").matches({"loss": 0.5})
