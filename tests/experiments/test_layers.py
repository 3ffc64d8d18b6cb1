"""Numbers of layers: how many widths a net has, and what a narrow one costs."""

from __future__ import annotations

import pytest

from hparams_lab.declare.source import ExperimentSource
from tests.experiments.conftest import EXPERIMENTS, Sweep

pytestmark = pytest.mark.slow


def test_one_wide_layer_is_enough(sweep: Sweep) -> None:
    """One layer of 64 reaches 0.91 on 240 images, one of 4 is ten points worse."""
    results = sweep("layers", "num_layers=1", "units_1=4,64", folds=3, subset=0.2)

    assert results.mean(units_1=64) >= 0.91
    assert results.mean(units_1=4) < results.mean(units_1=64) - 0.1


def test_nets_have_a_width_for_each_layer() -> None:
    """Widths of layers that a net does not have are no part of its trial."""
    space = ExperimentSource(EXPERIMENTS / "layers.py").load().space
    points = [space.at(index) for index in range(space.size)]
    num_widths = [sum("units" in name for name in point) for point in points]

    assert 3 + 3**2 + 3**3 == len(points)
    assert [point["num_layers"] for point in points] == num_widths
