"""Searching an architecture for MNIST, on a share of the images."""

from __future__ import annotations

import pytest

from hparams_lab.events.schema import Ending
from tests.experiments.conftest import Sweep

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_mnist")]

GOOD = "activation=relu,units_1=256,units_2=64,units_3=64,units_4=64,dropout=0,learning_rate=0.001"


def test_good_point_reaches_its_accuracy(sweep: Sweep) -> None:
    """A wide relu net at a rate of 0.001 reaches 0.93 on the test images from half the others."""
    results = sweep("mnist_architecture", search="random", tries=[GOOD], trials=1, subset=0.5)

    assert results.mean("test_accuracy") >= 0.93
    assert results.mean("accuracy") >= 0.93


def test_hyperband_stops_poor_architectures(sweep: Sweep) -> None:
    """Hyperband judges by the held-out images of each epoch: not every run has all eight."""
    results = sweep("mnist_architecture", search="hyperband", trials=5, subset=0.05)
    endings = {record.ending for record in results.records}

    assert {Ending.COMPLETE, Ending.PRUNED} == endings
