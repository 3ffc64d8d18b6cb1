"""Making a space wider: what it had stays as it was, what is new is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.declare.widen import extend, widen
from hparams_lab.errors import AssignmentError, DeclarationError, UsageError
from tests.support.spaces import EXAMPLES, axes, int_axes, small_spaces

EITHER_SEARCH = pytest.mark.parametrize("walks_levels", [True, False], ids=["levels", "domain"])

BASES: dict[str, Axis] = {
    "discrete": Axis(HParam("x", Discrete([8, 16]))),
    "ints": Axis(HParam("x", IntInterval(2, 8))),
    "reals": Axis(HParam("x", RealInterval(0.5, 2.0))),
    "grid": Axis(HParam("x", IntInterval(2, 8)), grid=[8, 2]),
    "step": Axis(HParam("x", IntInterval(2, 8)), step=2),
    "real_step": Axis(HParam("x", RealInterval(0.5, 2.0)), step=0.5),
    "points": Axis(HParam("x", RealInterval(0.5, 2.0)), grid_points=3),
    "log": Axis(HParam("x", RealInterval(0.5, 2.0)), scale="log", grid_points=3),
}


def one_axis(domain: Domain, **keywords: Any) -> SearchSpace:
    """Return the space of one axis."""
    return SearchSpace([Axis(HParam("x", domain), **keywords)])


def list_points(space: SearchSpace, walks_levels: bool) -> list[Assignment]:
    """Return points that a search would try: of the grid, or drawn from the domains."""
    if walks_levels:
        return [space.at(index) for index in range(space.size)]
    return [space.at_fractions([fraction] * len(space)) for fraction in (0.0, 0.3, 0.7, 0.99)]


def assert_kept(space: SearchSpace, wider: SearchSpace, walks_levels: bool) -> None:
    """Check that each point of a space is one of the wider space, with the same digest."""
    points = list_points(space, walks_levels)
    digests = [wider.validate(point).digest for point in points]
    assert [point.digest for point in points] == digests


@EITHER_SEARCH
@settings(deadline=None, max_examples=60)
@given(axis=axes("x"), other=axes("x"))
def test_every_point_stays_as_the_declaration_changes(
    walks_levels: bool, axis: Axis, other: Axis
) -> None:
    """Whatever is declared now, each point that there was is one still, with its digest."""
    space, declared = SearchSpace([axis]), SearchSpace([other])
    try:
        wider = widen(space, declared, walks_levels=walks_levels)
    except (UsageError, DeclarationError):
        return

    assert_kept(space, wider, walks_levels)


@EITHER_SEARCH
@settings(deadline=None, max_examples=60)
@given(axis=int_axes("x"), numbers=st.lists(st.integers(-50, 50), min_size=1, max_size=3))
def test_every_point_stays_as_values_are_added(
    walks_levels: bool, axis: Axis, numbers: list[int]
) -> None:
    """`--extend` takes no point away, and what it names is a value from now on."""
    space = SearchSpace([axis])
    texts = {"x": [str(number) for number in numbers]}
    try:
        wider = extend(space, texts, walks_levels=walks_levels)
    except DeclarationError:
        return

    assert_kept(space, wider, walks_levels)
    assert numbers == [wider["x"].cast(number) for number in numbers]


@EITHER_SEARCH
@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
@pytest.mark.parametrize("text", ["1", "12"], ids=["below", "above"])
def test_what_is_added_is_a_value(base: Axis, text: str, walks_levels: bool) -> None:
    """A value beyond an axis of any kind is one of its values, and the others stay."""
    space = SearchSpace([base])
    wider = extend(space, {"x": [text]}, walks_levels=walks_levels)

    assert_kept(space, wider, walks_levels)
    assert float(text) == wider["x"].parse(text)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_what_is_added_is_a_new_level(base: Axis) -> None:
    """To a search along the levels the new value is a level, behind those there were."""
    space = SearchSpace([base])
    wider = extend(space, {"x": ["32"]}, walks_levels=True)

    assert [*base.levels, 32] == list(wider["x"].levels)
    assert wider.size == space.size + 1


@settings(deadline=None, max_examples=30)
@given(space=small_spaces())
@pytest.mark.parametrize("walks_levels", [True, False], ids=["levels", "domain"])
def test_the_same_declaration_changes_nothing(walks_levels: bool, space: SearchSpace) -> None:
    """A space that is widened by itself is itself."""
    wider = widen(space, space, walks_levels=walks_levels)

    assert space.encode_json() == wider.encode_json()


@pytest.mark.parametrize(
    ("declared", "levels"),
    [
        (one_axis(Discrete([8, 16, 32])), [8, 16, 32]),
        (one_axis(Discrete([32])), [8, 16, 32]),
        (one_axis(Discrete([8])), [8, 16]),
        (one_axis(IntInterval(8, 64)), [8, 16, 64]),
    ],
    ids=["more", "others", "fewer", "interval"],
)
def test_levels_declared_now_come_behind(declared: SearchSpace, levels: list[int]) -> None:
    """What is declared beyond the old levels is added; what is not any more, stays."""
    wider = widen(one_axis(Discrete([8, 16])), declared, walks_levels=True)

    assert levels == list(wider["x"].levels)


def test_a_wider_interval_is_sampled_as_a_whole() -> None:
    """A search that draws from the domain draws from all of the wider one."""
    wider = widen(
        one_axis(RealInterval(1.0, 2.0)), one_axis(RealInterval(1.0, 4.0)), walks_levels=False
    )
    axis = wider["x"]

    assert (1.0, 4.0) == (axis.domain.min_value, axis.domain.max_value)
    assert 2.5 == axis.at_fraction(0.5)


def test_names_and_descriptions_are_those_of_now() -> None:
    """What the dashboard shows of an axis that grew is the declaration's."""
    hparam = HParam("x", Discrete([8, 16]), display_name="Units", description="of a layer")
    wider = widen(one_axis(Discrete([8])), SearchSpace([hparam]), walks_levels=True)

    assert "Units" == wider["x"].hparam.display_name
    assert "of a layer" == wider["x"].hparam.description


def test_conditions_stay() -> None:
    """A conditional axis that grows keeps its condition."""
    space = EXAMPLES["condition"]
    wider = extend(space, {"second": ["32"]}, walks_levels=True)

    assert_kept(space, wider, True)
    assert {"layers": (2,)} == wider["second"].conditions
    assert wider.size == space.size + 2


TUTORIAL = EXAMPLES["tutorial"]
CHANGES: dict[str, tuple[Sequence[Axis], str]] = {
    "fewer_axes": (TUTORIAL.axes[:2], r"change of optimizer\. Begin another sweep with run"),
    "more_axes": ([*TUTORIAL, Axis(HParam("new", Discrete([1])))], "change of new"),
    "condition": (
        [*TUTORIAL.axes[:2], replace(TUTORIAL.axes[2], when={"num_units": 16})],
        "change of optimizer",
    ),
    "type": (
        [Axis(HParam("num_units", Discrete(["a"]))), *TUTORIAL.axes[1:]],
        "'num_units' must keep its type .*; it is a, the only value and was one of 16, 32",
    ),
}


@pytest.mark.parametrize(("changed", "message"), CHANGES.values(), ids=CHANGES)
def test_another_space_is_refused(changed: Sequence[Axis], message: str) -> None:
    """Other hparams, conditions or types are no wider space, and that is said."""
    with pytest.raises(UsageError, match=message):
        widen(TUTORIAL, SearchSpace(changed), walks_levels=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_unit": ["64"]}, r"'num_unit' is not declared; .* Did you mean 'num_units'\?"),
        ({"num_units": ["many"]}, "hparam 'num_units' must be an integer; got 'many'. Write one."),
        ({"num_units": ["1.5"]}, "hparam 'num_units' must be an integer; got '1.5'"),
        ({"dropout": ["high"]}, "hparam 'dropout' must be a .*number; got 'high'. Write one."),
    ],
    ids=["misspelt", "no_integer", "half", "no_number"],
)
def test_an_impossible_value_is_reported(values: Mapping[str, Sequence[str]], message: str) -> None:
    """An unknown axis or a value of another type is named with what to do."""
    with pytest.raises(AssignmentError, match=message):
        extend(TUTORIAL, values, walks_levels=True)


@pytest.mark.parametrize(
    ("axis", "text"),
    [(BASES["log"], "0"), (BASES["reals"], "nan"), (BASES["reals"], "inf")],
    ids=["log_of_zero", "nan", "infinity"],
)
def test_a_value_that_breaks_the_rules_is_refused(axis: Axis, text: str) -> None:
    """What could not be declared cannot be added."""
    with pytest.raises((AssignmentError, DeclarationError), match="'x'"):
        extend(SearchSpace([axis]), {"x": [text]}, walks_levels=True)


def test_a_string_is_added_as_it_is() -> None:
    """The new value of an axis of strings need not have been one of them."""
    wider = extend(TUTORIAL, {"optimizer": ["rms prop"]}, walks_levels=False)

    assert ["adam", "rms prop", "sgd"] == sorted(wider["optimizer"].levels)


@EITHER_SEARCH
def test_a_condition_may_have_been_narrowed_away(walks_levels: bool) -> None:
    """A space that `--set` left without a condition's value is widened as any other."""
    axes = [
        HParam("optimizer", Discrete(["adam", "sgd"])),
        Axis(HParam("momentum", Discrete([0.5, 0.9])), when={"optimizer": "sgd"}),
        HParam("units", Discrete([8, 16])),
    ]
    space = SearchSpace(axes).narrow({"optimizer": ["adam"]})
    wider = extend(space, {"units": ["32"]}, walks_levels=walks_levels)

    assert [8, 16, 32] == list(wider["units"].levels)
    assert wider.encode_json() == widen(wider, wider, walks_levels=walks_levels).encode_json()
