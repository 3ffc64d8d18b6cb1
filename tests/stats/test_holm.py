"""Correction for many tests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.stats import holm

FEW = settings(max_examples=30, deadline=None)


@FEW
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8, unique=True))
def test_corrected_p_values_are_those_of_holm(p_values: list[float]) -> None:
    """Each is the highest of all smaller ones times the number of those not smaller still."""
    expected = [
        min(1.0, max(low * sum(other >= low for other in p_values) for low in p_values if low <= p))
        for p in p_values
    ]

    assert expected == pytest.approx(holm.correct(p_values))
