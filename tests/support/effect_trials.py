"""Trials of three axes, of which one matters, and the effects in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.analysis.effects.effects import AxisEffect, Effects, describe_effects
from tests.support.trials import Metrics, Swept, rank_all

UNITS = HParam("units", Discrete([8, 16, 32]))
WORD = HParam("word", Discrete(["x", "y", "z"]))
FLAG = HParam("flag", Discrete([False, True]))
GRID = (UNITS, WORD, FLAG)

AddNoise = Callable[[float], float]


def adding_noise(seed: int = 0, scale: float = 0.01) -> AddNoise:
    """Return a function that adds noise, other at each call."""
    rng = np.random.default_rng(seed)
    return lambda value: value + scale * float(rng.normal())


def only_units(seed: int = 0) -> Metrics:
    """Return metrics that follow `units`, peak at 16, and hardly anything else."""
    add_noise = adding_noise(seed)
    height = {8: 0.1, 16: 0.9, 32: 0.5}
    return lambda point: {
        "accuracy": add_noise(height[point["units"]]),
        "loss": add_noise(-height[point["units"]]),
    }


def effects_of(*swept: Swept, **options: Any) -> Effects:
    """Return the effects in some sweeps; the quick evaluator is asked unless another is."""
    return describe_effects(*rank_all(*swept), **({"evaluator": "mdi"} | options))


def by_name(effects: Effects) -> Mapping[str, AxisEffect]:
    """Return the axes by name."""
    return {axis.name: axis for axis in effects.axes}
