"""Weights at the start: what is too small never moves."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = pytest.mark.slow


def test_scaled_weights_reach_their_accuracy(sweep: Sweep) -> None:
    """Weights on the scale of a layer's inputs reach 0.9 in ten epochs."""
    results = sweep("initializers", "initializer=he_uniform,he_normal")

    assert results.mean(initializer="he_uniform") >= 0.9
    assert results.mean(initializer="he_normal") >= 0.9


def test_zeros_and_small_weights_never_start(sweep: Sweep) -> None:
    """Three layers that begin with zeros or with weights of at most 0.05 do not learn."""
    results = sweep("initializers", "initializer=zero,uniform")

    assert results.mean(initializer="zero") < 0.2
    assert results.mean(initializer="uniform") < 0.35
