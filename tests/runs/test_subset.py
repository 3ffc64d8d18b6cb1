"""Which rows a share of the data has."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hparams_lab.runs.split import take_subset

ROWS = np.arange(100)

CLASS_SIZES = st.lists(st.integers(2, 40), min_size=1, max_size=6)
SEEDS = st.integers(0, 2**31 - 1)
SHARES = st.floats(0.01, 1.0)
FEW = settings(deadline=None, max_examples=50)


@FEW
@given(CLASS_SIZES, SEEDS, SHARES)
def test_each_class_has_its_share(sizes: list[int], seed: int, share: float) -> None:
    """Of each class there is one row at least, and its share to within one row."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    taken = Counter(take_subset(labels, labels, seed=seed, share=share)[1].tolist())

    for label, size in enumerate(sizes):
        assert taken[label] >= 1
        assert abs(taken[label] - share * size) <= 1


@FEW
@given(CLASS_SIZES, SEEDS, SHARES)
def test_the_share_of_all_rows_is_exact(sizes: list[int], seed: int, share: float) -> None:
    """Where no class is too small for the share, the shares of classes add up to it."""
    assume(min(sizes) * share >= 1)
    labels = np.repeat(np.arange(len(sizes)), sizes)

    assert round(share * len(labels)) == len(take_subset(labels, labels, seed=seed, share=share)[0])


@FEW
@given(SEEDS, SHARES)
def test_rows_keep_their_labels_and_order(seed: int, share: float) -> None:
    """A subset has rows of the data, none twice, beside their labels, in their order."""
    x, y = take_subset(ROWS, ROWS / 10, seed=seed, share=share)

    assert sorted(set(x.tolist())) == x.tolist()
    assert (x / 10).tolist() == y.tolist()


@FEW
@given(SEEDS)
def test_equal_seeds_give_equal_subsets(seed: int) -> None:
    """The subset is a function of the seed, another one for the next seed."""
    first, again, other = (
        take_subset(ROWS, ROWS % 2, seed=s, share=0.3)[0].tolist() for s in (seed, seed, seed + 1)
    )

    assert first == again
    assert first != other


def test_the_whole_is_a_copy() -> None:
    """A share of 1 is all the data, and not the shared data itself."""
    x = np.zeros((10, 2))
    everything, _ = take_subset(x, list(range(10)), seed=0, share=1)
    everything += 1

    assert (10, 2) == everything.shape
    assert not x.any()


@pytest.mark.parametrize(
    "labels",
    [np.eye(2)[ROWS % 2], (ROWS % 2).astype(bool), (ROWS % 2)[:, None]],
    ids=["one_hot", "bools", "one_column"],
)
def test_all_kinds_of_classes_are_stratified(labels: Any) -> None:
    """Half of one class in the data is half of it in the subset."""
    x, _ = take_subset(ROWS, labels, seed=0, share=0.2)

    assert (10, 10) == ((x % 2 == 0).sum(), (x % 2 == 1).sum())


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_reported(share: float) -> None:
    """A share that is not in (0, 1] is told in a sentence."""
    with pytest.raises(ValueError, match=rf"must lie in \(0, 1\]; got {share}\. Try 0\.1\."):
        take_subset(ROWS, ROWS, seed=0, share=share)


def test_unequal_lengths_are_reported() -> None:
    """A row without a label is told in a sentence."""
    with pytest.raises(ValueError, match=r"equally many rows, one or more; got 100 and 99\. "):
        take_subset(ROWS, ROWS[1:], seed=0, share=0.5)
