"""MNIST by cross-validation, with fewer images, folds and points."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_mnist")]


def test_small_batches_win(sweep: Sweep) -> None:
    """With 32 units and half of the images batches of 64 reach 0.9, and beat those of 512."""
    settings = ("epochs=10", "num_units=32")
    results = sweep("mnist_cv", "batch_size=64,512", *settings, folds=2, subset=0.5)

    assert 2 == len(results.of(batch_size=64))
    assert results.mean(batch_size=64) >= 0.9
    assert results.mean(batch_size=64) > results.mean(batch_size=512)
