"""The stepped-down net: which optimizers start it, with which activation and loss."""

from __future__ import annotations

import pytest

from tests.experiments.conftest import Sweep

pytestmark = pytest.mark.slow


def test_adam_reaches_its_accuracy_with_any_loss(sweep: Sweep) -> None:
    """With relu and adam any loss reaches 0.94."""
    results = sweep(
        "binary_stack", "activation=relu", "optimizer=adam", "batch_size=64", "epochs=30"
    )

    assert 3 == len(results.records)
    assert min(record.last_values["accuracy"] for record in results.records) >= 0.94


def test_sgd_does_not_start_sigmoids(sweep: Sweep) -> None:
    """Through four layers of sigmoids SGD learns nothing, where adam does."""
    settings = ("activation=sigmoid", "loss_function=binary_crossentropy", "batch_size=16")
    results = sweep("binary_stack", *settings, "optimizer=adam,sgd", "epochs=30")

    assert results.mean(optimizer="sgd") < 0.6
    assert results.mean(optimizer="adam") > 0.75
