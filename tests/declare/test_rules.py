"""What a declaration must not say, as one table."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.rules import RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import DeclarationError

NAN, INF = math.nan, math.inf
UNIT = RealInterval(0.0, 1.0)
LAYERS = HParam("layers", Discrete([1, 2]))


def over(domain: Any, **options: Any) -> list[Any]:
    """Return a lone axis over a domain."""
    return [Axis(HParam("x", domain), **options)]


def child(when: Any) -> list[Any]:
    """Return LAYERS and an axis with a condition."""
    return [LAYERS, Axis(HParam("second", Discrete([8])), when=when)]


# What is declared, and a part of the sentence that says what is wrong with it.
BAD = {
    "no_axis": ([], "must have an hparam; got none"),
    "a_string_as_axis": (["units"], "must be an hp.HParam or a lab.Axis of one; got 'units'"),
    "no_domain": (over(None), "must have a domain, or TensorBoard shows no filter"),
    "empty_discrete": (over(Discrete([], dtype=int)), "must not be empty; got []"),
    "bool_among_ints": (over(Discrete([1, True])), "must not mix bools with numbers"),
    "nan_in_discrete": (over(Discrete([NAN, 1.0])), "finite numbers, or the dashboard stays blank"),
    "inf_in_discrete": (over(Discrete([INF])), "must hold finite numbers"),
    "twice_in_discrete": (over(Discrete([8, 16, 8])), "twice"),
    "ten_ints": (over(Discrete(range(10))), "must have fewer than ten numbers"),
    "ten_floats": (over(Discrete([i / 2 for i in range(10)])), "Declare hp.RealInterval(0.0, 4.5)"),
    "int_too_large_for_a_double": (over(Discrete([2**53 + 1])), "must stay within ±2**53"),
    "bound_too_large_for_a_double": (over(IntInterval(0, 2**60)), "must stay within ±2**53"),
    "bool_bounds": (over(IntInterval(False, True)), "must have numbers as bounds, not bools"),
    "bool_lower_bound": (over(IntInterval(True, 3)), "must have numbers as bounds, not bools"),
    "nan_bound": (over(RealInterval(NAN, 1.0)), "must have finite bounds; got (nan, 1.0)"),
    "inf_bound": (over(RealInterval(0.0, INF)), "must have finite bounds; got (0.0, inf)"),
    "empty_name": ([HParam("", UNIT)], "names must be words; got ''"),
    "blank_name": ([HParam("  ", UNIT)], "names must be words; got '  '"),
    "none_as_name": ([HParam(None, UNIT)], "names must be words; got None"),
    "padded_name": ([HParam("x ", UNIT)], "nor begin or end with a space"),
    "equals_in_name": ([HParam("x=y", UNIT)], "must not contain '='"),
    "duplicate_names": ([LAYERS, HParam("layers", UNIT)], "must differ; got 'layers' twice"),
    "unknown_scale": (over(UNIT, scale="logarithmic"), "'linear' or 'log'; got 'logarithmic'"),
    "log_at_0": (over(UNIT, scale="log"), "must have an interval above 0 for a log scale"),
    "log_below_0": (over(IntInterval(-1, 8), scale="log"), "an integer in [-1, 8]"),
    "log_of_discrete": (over(Discrete([1, 10]), scale="log"), "must have an interval above 0"),
    "step_on_log": (over(IntInterval(1, 8), scale="log", step=1), "cannot have a step on a log"),
    "step_0": (over(UNIT, step=0), "must have a step above 0; got 0"),
    "negative_step": (over(UNIT, step=-0.1), "must have a step above 0; got -0.1"),
    "nan_step": (over(UNIT, step=NAN), "must have a step above 0; got nan"),
    "bool_step": (over(IntInterval(0, 8), step=True), "must have a step above 0; got True"),
    "text_step": (over(UNIT, step="0.1"), "must have a step above 0; got '0.1'"),
    "broken_step_of_ints": (over(IntInterval(0, 8), step=1.5), "its step must be one; got 1.5"),
    "step_of_discrete": (over(Discrete([1, 2]), step=1), "which is its own grid; got step=1"),
    "infinite_grid_points": (over(UNIT, grid_points=INF), "must have a finite grid"),
    "one_grid_point": (over(UNIT, grid_points=1), "at least 2; got grid_points=1"),
    "broken_grid_points": (over(UNIT, grid_points=2.5), "a whole number of grid_points"),
    "bool_grid_points": (over(UNIT, grid_points=True), "a whole number of grid_points"),
    "grid_points_of_discrete": (over(Discrete([1]), grid_points=2), "which is its own grid"),
    "many_log_ints": (
        over(IntInterval(1, 10**9), scale="log", grid_points=10**6),
        "at most 100000 grid_points",
    ),
    "step_and_grid_points": (over(UNIT, step=0.1, grid_points=3), "got step and grid_points"),
    "empty_grid": (over(UNIT, grid=[]), "must have a value in its grid; got []"),
    "endless_grid": (over(IntInterval(0, 9), grid=itertools.count()), "a finite grid of at most"),
    "grid_outside": (over(UNIT, grid=[0.5, 2.0]), "must be a number in [0.0, 1.0]; got 2.0"),
    "nan_in_grid": (over(UNIT, grid=[NAN]), "must be a number in [0.0, 1.0]; got nan"),
    "bool_in_grid": (over(IntInterval(0, 1), grid=[True]), "an integer in [0, 1]; got True"),
    "none_in_grid": (over(UNIT, grid=[None]), "must be a number in [0.0, 1.0]; got None"),
    "twice_in_grid": (over(IntInterval(0, 9), grid=[1, 2, 1.0]), "lists 1.0 twice"),
    "condition_is_no_mapping": (child([("layers", 2)]), "must map hparams to values"),
    "misspelt_parent": (child({"layer": 2}), "got 'layer'. Did you mean 'layers'?"),
    "unknown_parent": (child({"zzz": 2}), "declared before it; got 'zzz'. Declare it first."),
    "later_parent": (child({"layers": 2})[::-1], "declared before it; got 'layers'"),
    "own_parent": (over(UNIT, when={"x": 0.5}), "declared before it; got 'x'"),
    "condition_never_holds": (
        child({"layers": [2, 3]}),
        "never holds: hparam 'layers' must be one of 1, 2; got 3",
    ),
    "condition_of_another_type": (child({"layers": "2"}), "must be one of 1, 2; got '2'"),
    "condition_of_no_value": (child({"layers": []}), "asks for no value of 'layers'"),
}


@pytest.mark.parametrize(("axes", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_declaration_is_told_what_is_wrong(axes: list[Any], message: str) -> None:
    """Each broken rule is a DeclarationError that names the rule and the value."""
    with pytest.raises(DeclarationError, match=re.escape(message)):
        SearchSpace(axes)


@pytest.mark.parametrize("name", BAD)
def test_each_problem_ends_in_what_to_do(name: str) -> None:
    """Each problem is one line that begins small and ends in an instruction."""
    axes, _ = BAD[name]
    with pytest.raises(DeclarationError) as caught:
        SearchSpace(axes)

    assert caught.value.problems
    for problem in caught.value.problems:
        assert "\n" not in problem
        assert re.search(r"[.?] [A-Z].*[.?]$", problem), problem


@pytest.mark.parametrize("name", RESERVED_NAMES)
def test_names_that_every_run_carries_are_reserved(name: str) -> None:
    """An hparam must not have the name of a column that we add."""
    with pytest.raises(DeclarationError, match=f"'{name}' is one that every run carries"):
        SearchSpace([HParam(name, UNIT)])


def test_all_problems_are_told_at_once() -> None:
    """A declaration with several problems is told each, in declared order."""
    axes = [HParam("a"), LAYERS, LAYERS, Axis(HParam("b", UNIT), scale="log", step=0)]
    with pytest.raises(DeclarationError) as caught:
        SearchSpace(axes)
    fragments = ["'a' must have a domain", "'layers' twice", "above 0 for a log", "step above 0"]

    assert len(fragments) == len(caught.value.problems)
    for fragment, problem in zip(fragments, caught.value.problems, strict=True):
        assert fragment in problem


def test_a_parent_without_a_domain_is_one_problem() -> None:
    """A condition on an hparam that has no domain is told of the domain alone, in our words."""
    with pytest.raises(DeclarationError) as caught:
        SearchSpace([HParam("a"), Axis(HParam("b", UNIT), when={"a": 1})])

    assert "has no attribute" not in str(caught.value)


GOOD = {
    "nine_numbers": [HParam("x", Discrete(range(9)))],
    "thirty_strings": [HParam("x", Discrete([str(i) for i in range(30)]))],
    "unicode_name": [HParam("lernråte 1", UNIT)],
    "nearly_reserved_name": [HParam("Day", UNIT)],
    "numpy_step": over(IntInterval(0, 9), step=np.int64(3)),
    "numpy_grid_points": over(UNIT, grid_points=np.int64(3)),
    "numpy_grid": over(UNIT, grid=np.linspace(0, 1, 3)),
    "one_integer": over(IntInterval(1, 1)),
    "widest_integers": over(IntInterval(-(2**53), 2**53)),
    "parent_by_hparam": child({LAYERS: 2}),
    "numpy_condition": child({"layers": np.array([1, 2])}),
}


@pytest.mark.parametrize("axes", GOOD.values(), ids=GOOD.keys())
def test_what_breaks_no_rule_is_accepted(axes: list[Any]) -> None:
    """Nine numbers, many strings, unicode and NumPy numbers are all right."""
    assert len(axes) == len(SearchSpace(axes))


def test_a_condition_is_held_against_the_parents_grid() -> None:
    """A value that the parent's domain allows but its grid never takes is refused."""
    parent = Axis(HParam("a", IntInterval(1, 9)), grid=[1, 2])
    with pytest.raises(DeclarationError, match=r"'b' never holds: .* one of 1, 2; got 5"):
        SearchSpace([parent, Axis(HParam("b", UNIT), when={"a": 5})])
