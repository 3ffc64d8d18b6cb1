"""How many repeats would show a difference, held against power by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.compare.significance import ALPHA, permutation_test
from hparams_lab.stats.permutation import Block
from hparams_lab.stats.power import MAX_REPEATS, count_fold_repeats, count_repeats


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 3), st.integers(1, 40), st.integers(0, 60))
def test_more_repeats_than_there_are(effect: float, num_trials: int, num_pairs: int) -> None:
    """It takes more than there are, and enough to tell anything; a larger effect no more."""
    repeats = count_repeats(effect, num_trials, num_pairs=num_pairs, alpha=ALPHA)

    assert repeats * num_trials > num_pairs
    assert repeats * num_trials >= 6
    assert repeats >= count_repeats(2 * effect, num_trials, num_pairs=num_pairs, alpha=ALPHA)
    assert repeats == count_repeats(-effect, num_trials, num_pairs=num_pairs, alpha=ALPHA)


def test_so_many_repeats_show_it() -> None:
    """With that many, the test sees a difference of that size four times out of five."""
    rng = np.random.default_rng(0)
    num_pairs = 4 * count_repeats(0.75, 4, num_pairs=4, alpha=ALPHA)
    seen = [
        permutation_test(
            [Block([0.0], [value]) for value in rng.normal(0.75, 1, num_pairs)]
        ).p_value
        <= ALPHA
        for _ in range(100)
    ]

    assert 0.7 < np.mean(seen) < 0.95


@pytest.mark.parametrize("effect", [0.0, 0.001], ids=["none", "tiny"])
def test_what_is_too_small_takes_too_many(effect: float) -> None:
    """Of a difference that is none, or nearly, the count stops."""
    assert MAX_REPEATS + 1 == count_repeats(effect, 10, num_pairs=10, alpha=ALPHA)
    assert MAX_REPEATS + 1 == count_fold_repeats(effect, 5, num_pairs=5, alpha=ALPHA)


@pytest.mark.parametrize("effect", [50.0, math.inf], ids=["huge", "infinite"])
def test_what_is_huge_takes_what_the_test_takes(effect: float) -> None:
    """A difference without noise takes six pairs, below which no test can tell."""
    assert 3 == count_repeats(effect, 2, num_pairs=2, alpha=ALPHA)
    assert 2 == count_fold_repeats(effect, 5, num_pairs=5, alpha=ALPHA)
