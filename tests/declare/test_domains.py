"""What a domain allows: the canonical cast, its text and JSON forms, the union."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, Domain, IntInterval, RealInterval

from hparams_lab.declare import domains
from hparams_lab.errors import AssignmentError
from tests.support.spaces import discretes

INTS, REALS = IntInterval(1, 8), RealInterval(0.0, 8.0)
BOOLS, WORDS = Discrete([False, True]), Discrete(["adam", "sgd"])
NUMBERS = Discrete([1, 2])
HUGE_INT = 10**400  # no float is as large


@pytest.mark.parametrize(
    ("domain", "value", "expected"),
    [
        (INTS, 3.0, 3),
        (INTS, np.int64(3), 3),
        (INTS, np.float32(3), 3),
        (INTS, np.uint8(8), 8),
        (REALS, 3, 3.0),
        (REALS, np.float64(0.5), 0.5),
        (REALS, np.int32(8), 8.0),
        (NUMBERS, 2.0, 2),
        (BOOLS, np.True_, True),
        (WORDS, np.str_("adam"), "adam"),
    ],
    ids=repr,
)
def test_equal_values_become_one_type(domain: Domain, value: Any, expected: Any) -> None:
    """A value becomes the domain's Python type, whatever equal type it came in."""
    actual = domains.cast(domain, value)

    assert expected == actual
    assert type(expected) is type(actual)


@pytest.mark.parametrize(
    ("domain", "value", "message"),
    [
        (INTS, True, r"an integer in \[1, 8\]; got True"),
        (INTS, np.True_, "got True"),
        (INTS, 2.5, "got 2.5"),
        (INTS, 0, "got 0"),
        (INTS, "3", "got '3'"),
        (INTS, float("nan"), "got nan"),
        (INTS, float("inf"), "got inf"),
        (INTS, None, "got None"),
        (REALS, False, r"a number in \[0.0, 8.0\]; got False"),
        (REALS, 8.5, "got 8.5"),
        (REALS, 1j, "got 1j"),
        (REALS, HUGE_INT, "got 1000"),
        (BOOLS, 1, "one of False, True; got 1"),
        (BOOLS, "true", "got 'true'"),
        (WORDS, "rmsprop", "one of adam, sgd; got 'rmsprop'"),
        (WORDS, 1, "got 1"),
        (NUMBERS, True, "one of 1, 2; got True"),
        (Discrete([5]), 6, "must be 5, the only value; got 6"),
    ],
    ids=lambda argument: repr(argument)[:40],
)
def test_other_values_are_refused(domain: Domain, value: Any, message: str) -> None:
    """A value of another type or outside the domain is told what is allowed."""
    with pytest.raises(AssignmentError, match=message):
        domains.cast(domain, value)


def test_there_is_one_zero() -> None:
    """Minus zero is cast to zero, so that equal values have equal ids."""
    assert repr(0.0) == repr(domains.cast(RealInterval(-1.0, 1.0), -0.0))


@given(st.data())
def test_a_cast_value_is_cast_to_itself(data: st.DataObject) -> None:
    """Casting a second time changes nothing."""
    domain = data.draw(discretes())
    once = domains.cast(domain, data.draw(st.sampled_from(list(domain.values))))

    assert repr(once) == repr(domains.cast(domain, once))


@given(st.data())
def test_a_value_is_read_back_from_its_text(data: st.DataObject) -> None:
    """What `format_value` writes, `parse` reads, for each type."""
    domain = data.draw(discretes())
    value = domains.cast(domain, data.draw(st.sampled_from(list(domain.values))))

    assert value == domains.parse(domain, domains.format_value(value))


@pytest.mark.parametrize(
    ("domain", "text", "expected"),
    [
        (BOOLS, "TRUE", True),
        (BOOLS, "0", False),
        (INTS, "3", 3),
        (REALS, "1e-3", 0.001),
        (REALS, "2", 2.0),
        (WORDS, "sgd", "sgd"),
    ],
    ids=repr,
)
def test_text_is_read_as_the_domains_type(domain: Domain, text: str, expected: Any) -> None:
    """The command line's words become values of the domain's type."""
    actual = domains.parse(domain, text)

    assert expected == actual
    assert type(expected) is type(actual)


@pytest.mark.parametrize(
    ("domain", "text"),
    [(BOOLS, "yes"), (INTS, "3.5"), (INTS, "three"), (REALS, "nan"), (REALS, ""), (WORDS, "SGD")],
    ids=repr,
)
def test_text_that_spells_no_value_is_refused(domain: Domain, text: str) -> None:
    """A word that is none of the domain's values is told what is allowed."""
    with pytest.raises(AssignmentError, match=f"must be .*; got '?{text}'?$"):
        domains.parse(domain, text)


@pytest.mark.parametrize("domain", [INTS, REALS, BOOLS, WORDS, NUMBERS], ids=repr)
def test_a_domain_survives_json(domain: Domain) -> None:
    """A domain read back from JSON allows the same values of the same type."""
    data = json.loads(json.dumps(domains.encode_json(domain)))
    again = domains.decode_json(data)

    assert repr(domain) == repr(again)
    assert domain.dtype is again.dtype


def test_bounds_are_told_as_plain_numbers() -> None:
    """Bounds that NumPy computed are written as people write them."""
    domain = RealInterval(np.float64(0.5), np.float64(1.0))
    expected = "a number in [0.5, 1.0]"

    assert expected == domains.describe_domain(domain)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([NUMBERS, Discrete([2, 3])], Discrete([1, 2, 3])),
        ([WORDS, Discrete(["lion"])], Discrete(["adam", "lion", "sgd"])),
        ([Discrete([False]), Discrete([True])], BOOLS),
        ([NUMBERS, Discrete([0.5])], Discrete([0.5, 1.0, 2.0])),
        ([NUMBERS, INTS], INTS),
        ([INTS, IntInterval(4, 16)], IntInterval(1, 16)),
        ([INTS, REALS], RealInterval(0.0, 8.0)),
        ([Discrete(range(9)), Discrete([20])], IntInterval(0, 20)),
    ],
    ids=repr,
)
def test_a_union_holds_all_parts(parts: list[Domain], expected: Domain) -> None:
    """The union is discrete where TensorBoard can filter it so, else an interval."""
    assert repr(expected) == repr(domains.merge(parts))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(INTS, REALS, True), (INTS, NUMBERS, True), (INTS, WORDS, False), (BOOLS, NUMBERS, False)],
    ids=repr,
)
def test_numbers_fit_one_column(one: Domain, other: Domain, expected: bool) -> None:
    """Numbers fit numbers; strings and bools fit only their like."""
    assert expected is domains.is_compatible(one, other)
