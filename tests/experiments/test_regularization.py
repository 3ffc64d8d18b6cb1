"""Dropout and the max-norm constraint: more of one asks for less of the other."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = pytest.mark.slow


def test_both_in_moderation_reach_their_accuracy(sweep: Sweep) -> None:
    """Half of the units dropped, a norm of 3 is loose enough for 0.92; 1 is too tight."""
    results = sweep("regularization", "dropout=0.5", "max_norm=1,3", repeats=2)

    assert results.mean(max_norm=3) >= 0.92
    assert results.mean(max_norm=1) < results.mean(max_norm=3)


def test_too_much_of_both_costs_accuracy(sweep: Sweep) -> None:
    """With nine tenths dropped and a norm of 1 a net falls below 0.88."""
    results = sweep("regularization", "dropout=0.9", "max_norm=1", repeats=2)

    assert results.mean() < 0.88
