"""What `search.py` searches: five functions to minimize, and a task with learning curves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace


@dataclass(frozen=True)
class Function:
    """A function to minimize.

    Attributes:
        space: its arguments.
        true_value: what it is without noise.
        optimum: its least true value.
        noise: standard deviation of what is added to each observation.
    """

    space: SearchSpace
    true_value: Callable[[Assignment], float]
    optimum: float
    noise: float = 0.0

    def observe(self, point: Assignment, rng: np.random.Generator) -> float:
        """Return the value at a point as a run would measure it."""
        return self.true_value(point) + self.noise * float(rng.normal())


def _box(num_axes: int, low: float, high: float) -> SearchSpace:
    return SearchSpace(HParam(f"x{i}", RealInterval(low, high)) for i in range(num_axes))


def _branin(point: Assignment) -> float:
    x, y = point["x"], point["y"]
    bent = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(bent**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


_HARTMANN_HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
_HARTMANN_WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_HARTMANN_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann(point: Assignment) -> float:
    x = np.array(list(point.values()))
    exponents = (_HARTMANN_WIDTHS * (x - _HARTMANN_CENTRES) ** 2).sum(axis=1)
    return -float(_HARTMANN_HEIGHTS @ np.exp(-exponents))


def _rosenbrock(point: Assignment) -> float:
    x = list(point.values())
    pairs = itertools.pairwise(x)
    return float(sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairs))


def _quadratic(point: Assignment) -> float:
    return float(sum((value - i) ** 2 for i, value in enumerate(point.values())))


def _network(point: Assignment) -> float:
    """Return the loss of a made-up network: each optimizer has a rate of its own that is best."""
    best_rate = -2.5 if point["optimizer"] == "adam" else -1.0
    loss = 0.3 * (math.log10(point["learning_rate"]) - best_rate) ** 2
    if point["optimizer"] == "sgd":
        loss += 0.5 * (point["momentum"] - 0.9) ** 2 - 0.05
    loss += 0.05 * (math.log2(point["units_1"]) - 7) ** 2
    if point["layers"] == 2:
        loss += 0.03 * (math.log2(point["units_2"]) - 6) ** 2 - 0.1
    return loss + (0.1 if point["activation"] == "tanh" else 0.0)


_NETWORK_SPACE = SearchSpace(
    [
        HParam("optimizer", Discrete(["adam", "sgd"])),
        Axis(HParam("learning_rate", RealInterval(1e-5, 1.0)), scale="log"),
        Axis(HParam("momentum", RealInterval(0.0, 0.99)), when={"optimizer": "sgd"}),
        HParam("layers", Discrete([1, 2])),
        Axis(HParam("units_1", IntInterval(4, 512)), scale="log"),
        Axis(HParam("units_2", IntInterval(4, 512)), scale="log", when={"layers": 2}),
        HParam("activation", Discrete(["relu", "tanh"])),
    ]
)

_BRANIN_SPACE = SearchSpace(
    [HParam("x", RealInterval(-5.0, 10.0)), HParam("y", RealInterval(0.0, 15.0))]
)

FUNCTIONS = {
    "Branin": Function(_BRANIN_SPACE, _branin, 0.397887),
    "Hartmann 6": Function(_box(6, 0.0, 1.0), _hartmann, -3.32237),
    "Rosenbrock 4": Function(_box(4, -2.048, 2.048), _rosenbrock, 0.0),
    "noisy quadratic": Function(_box(4, -5.0, 5.0), _quadratic, 0.0, noise=1.0),
    "conditional": Function(_NETWORK_SPACE, _network, -0.15),
}


CURVE_SPACE = SearchSpace(
    [
        Axis(HParam("learning_rate", RealInterval(1e-5, 1.0)), scale="log"),
        Axis(HParam("units", IntInterval(4, 512)), scale="log"),
        HParam("dropout", RealInterval(0.0, 0.8)),
        HParam("optimizer", Discrete(["adam", "sgd"])),
    ]
)


def loss_after(point: Assignment, epochs: int) -> float:
    """Return the loss of a run after a number of epochs, without noise.

    A power law from one down to an asymptote. A smaller rate is slower, and a larger
    network is too, so that the order of two runs may change on the way.
    """
    rate = math.log10(point["learning_rate"]) + (2.5 if point["optimizer"] == "adam" else 1.5)
    units = math.log2(point["units"])
    asymptote = 0.05 + 0.08 * rate**2 + 0.01 * (units - 7) ** 2
    asymptote = min(0.95, asymptote + 0.3 * (point["dropout"] - 0.3) ** 2)
    speed = min(1.5, max(0.2, 0.9 + 0.3 * rate - 0.05 * (units - 7)))
    return float(asymptote + (1 - asymptote) * (1 + epochs) ** -speed)
