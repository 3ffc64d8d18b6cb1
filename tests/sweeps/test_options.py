"""What a user may ask of a sweep: ranges, and points by their text."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, UsageError
from hparams_lab.sweeps.options import LaunchOptions, ResumeOptions, make_options
from hparams_lab.sweeps.settings import parse_tries, split_settings
from tests.support.spaces import small_spaces

NOTHING: dict[str, Any] = {}

REFUSED = {
    "trials": ({"trials": 0}, r"--trials must be at least 1; got 0\. Raise it\."),
    "workers": ({"workers": 0}, r"--workers must be at least 1; got 0\. Raise it\."),
    "max_failures": ({"max_failures": 0}, r"--max_failures must be at least 1; got 0\. Raise it\."),
    "no_timeout": ({"run_timeout_secs": 0.0}, r"--run_timeout_secs must be .* above 0; got 0\.0\."),
    "endless": ({"run_timeout_secs": math.inf}, "--run_timeout_secs .* above 0; got inf"),
    "nan": ({"time_budget_secs": math.nan}, "--time_budget_secs .* above 0; got nan"),
    "past": ({"time_budget_secs": -1.0}, r"--time_budget_secs .* above 0; got -1\.0"),
    "runs_per_process": (
        {"runs_per_process": 0},
        r"--runs_per_process must be at least 1; got 0\. Raise it\.",
    ),
    "inline_retries": (
        {"executor": "inline", "retries": 2},
        r"--retries=2 needs processes .* got --executor=inline\. Drop one of the two\.",
    ),
    "inline_runs_per_process": (
        {"executor": "inline", "runs_per_process": 2},
        r"--runs_per_process=2 needs processes .* got --executor=inline\. Drop one of the two\.",
    ),
    "inline_timeout": (
        {"executor": "inline", "run_timeout_secs": 1.0},
        r"--run_timeout_secs=1\.0 needs processes .* got --executor=inline\. Drop one of the two\.",
    ),
}
REFUSED_OF_NEW = {
    "search": (
        {"search": "gird"},
        r"--search .*'gird'\. Did you mean 'grid'",
    ),
    "seed": ({"seed": -1}, r"--seed must be at least 0; got -1\. Raise it\."),
    "repeats": ({"repeats": 0}, r"--repeats must be at least 1; got 0\. Raise it\."),
    "folds": ({"folds": 1}, r"--folds must be at least 2; got 1\. Raise it\."),
    "no_subset": ({"subset": 0.0}, r"--subset must be a number above 0; got 0\.0\. Raise it\."),
    "large_subset": ({"subset": 1.5}, r"--subset must be at most 1; got 1\.5\. Lower it\."),
    "nan_subset": ({"subset": math.nan}, "--subset must be a number above 0; got nan"),
    "racing_alone": ({"racing": True}, r"--racing needs more than 3 runs a trial; got 1\. Raise"),
    "racing_three": ({"racing": True, "folds": 3}, "--racing needs more than 3 .* got 3"),
}


@pytest.mark.parametrize("make", [LaunchOptions, ResumeOptions])
@pytest.mark.parametrize(("fields", "message"), REFUSED.values(), ids=REFUSED)
def test_an_option_out_of_range_is_reported(
    make: Any, fields: dict[str, Any], message: str
) -> None:
    """An option that cannot be obeyed is named as it is typed, of a new sweep or an old one."""
    with pytest.raises(UsageError, match=message):
        make_options(make, **fields)


@pytest.mark.parametrize(("fields", "message"), REFUSED_OF_NEW.values(), ids=REFUSED_OF_NEW)
def test_an_option_of_a_new_sweep_out_of_range_is_reported(
    fields: dict[str, Any], message: str
) -> None:
    """What only a new sweep can be told is checked too."""
    with pytest.raises(UsageError, match=message):
        make_options(LaunchOptions, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        NOTHING,
        {"trials": 1, "workers": 1, "max_failures": 1, "seed": 0, "repeats": 1},
        {
            "folds": 2,
            "subset": 1.0,
            "run_timeout_secs": 0.001,
            "runs_per_process": 1,
            "time_budget_secs": 1e9,
        },
        {"executor": "inline", "workers": 1, "time_budget_secs": 1.0},
        {"racing": True, "repeats": 4},
        {"racing": True, "repeats": 2, "folds": 2},
    ],
    ids=["defaults", "least", "ends", "inline", "racing", "racing_folds"],
)
def test_the_ends_of_the_ranges_are_fine(fields: dict[str, Any]) -> None:
    """What just can be obeyed is not refused."""
    options = make_options(LaunchOptions, **fields)

    assert fields == {
        name: getattr(options, name, options.executor_options.get(name)) for name in fields
    }


SPACE = SearchSpace(
    [
        HParam("units", Discrete([8, 16, 32])),
        Axis(HParam("rate", RealInterval(0.001, 0.1)), scale="log", grid_points=3),
        HParam("name", Discrete(["adam", "a,b"])),
        HParam("fixed", Discrete([True])),
        Axis(HParam("depth", IntInterval(1, 8)), when={"units": 32}),
    ]
)
POINT = {"units": 8, "rate": 0.02, "name": "adam", "fixed": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("units=8,rate=0.02,name=adam", POINT),
        ("name=adam,rate=2e-2,units=8,fixed=true", POINT),
        ('units=8,rate=0.02,"name=a,b"', {**POINT, "name": "a,b"}),
        ("units=32,rate=0.1,name=adam,depth=5", {**POINT, "units": 32, "rate": 0.1, "depth": 5}),
    ],
    ids=["short", "any_order", "quoted", "conditional"],
)
def test_a_try_is_a_point_of_the_space(text: str, expected: dict[str, Any]) -> None:
    """A point is read by its values; what can have but one value need not be named."""
    (point,) = parse_tries(SPACE, [text])

    assert expected == dict(point)
    assert SPACE.validate(expected).canonical_json == point.canonical_json


def test_each_try_is_tried_once() -> None:
    """Points keep their order, and one that is named twice is one."""
    texts = [f"units={units},rate=0.02,name=adam" for units in (16, 8, 16)]

    assert [16, 8] == [point["units"] for point in parse_tries(SPACE, texts)]


@given(small_spaces(), st.floats(0.0, 0.999))
def test_any_point_can_be_tried(space: SearchSpace, fraction: float) -> None:
    """Each point of any space is read back from its text, quoted where it must be."""
    point = space.at_fractions([fraction] * len(space))
    words = [f"{name}={domains.format_value(value)}" for name, value in point.items()]
    text = ",".join('"' + word.replace('"', '""') + '"' for word in words)

    assert (point,) == parse_tries(space, [text])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", AssignmentError, "hparam 'units' has no value"),
        ("units", UsageError, r"--try takes AXIS=VALUE,.*; got 'units'\. Write it so\."),
        ("units=8,16", UsageError, r"--try takes AXIS=VALUE,.*; got 'units=8,16'"),
        ("units=8,units=16", UsageError, r"must name an axis once; got 'units' again\. Drop one\."),
        ('"units=8', UsageError, r"with double quotes in pairs; got '\"units=8'"),
        ("unit=8", AssignmentError, r"'unit' is not declared; .* Did you mean 'units'\?"),
        ("units=9,rate=0.1,name=adam", AssignmentError, "'units' must be one of 8, 16, 32; got 9"),
        ("units=8,rate=0.1", AssignmentError, r"hparam 'name' has no value\. Give it one\."),
        ("units=8,rate=0.1,name=adam,depth=1", AssignmentError, "only when units is 32; got 1"),
    ],
    ids=["empty", "no_value", "comma", "twice", "quote", "misspelt", "value", "missing", "unmet"],
)
def test_no_point_is_told_why(text: str, error: type[Exception], message: str) -> None:
    """A text that is no point of the space is told the form, or what is wrong with it."""
    with pytest.raises(error, match=message):
        parse_tries(SPACE, [text])


def test_a_setting_says_which_flag_it_was() -> None:
    """What `--extend` cannot read is told of `--extend`."""
    with pytest.raises(UsageError, match=r"--extend takes AXIS=VALUE,\.\.\.; got 'units'"):
        split_settings("--extend", ["units"])
