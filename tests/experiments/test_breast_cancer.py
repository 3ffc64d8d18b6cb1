"""The Wisconsin data: what a careful net reaches, and what a large step does to it."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = pytest.mark.slow


def test_small_rate_reaches_its_accuracy(sweep: Sweep) -> None:
    """At a rate of 0.1 nets with dropout reach 0.95 with batches of any size."""
    settings = ("num_units=32", "activation=relu", "dropout=0.3", "learning_rate=0.1")
    results = sweep("breast_cancer", *settings, "batch_size=4,32")

    assert results.mean(batch_size=4) >= 0.95
    assert results.mean(batch_size=32) >= 0.95


def test_large_rate_bears_large_batches_only(sweep: Sweep) -> None:
    """At a rate of 1 a net without dropout diverges with batches of 4, and does not with 32."""
    settings = ("num_units=32", "activation=linear", "dropout=0", "learning_rate=1")
    results = sweep("breast_cancer", *settings, "batch_size=4,32")

    assert results.mean(batch_size=4) < 0.5
    assert results.mean(batch_size=32) >= 0.95
