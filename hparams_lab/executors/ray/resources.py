"""What a run is given of a node of a Ray cluster."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hparams_lab.errors import UsageError
from hparams_lab.text import count

# What Ray counts with is ten-thousandths.
_LEAST_CPUS = 0.0001


@dataclass(frozen=True)
class Resources:
    """What a job is given of a node.

    Raises:
        UsageError: if Ray cannot count so.
    """

    cpus: float = 1.0  # processors, above 0; fractions too
    gpus: float = 0.0  # fractions too, but whole above 1, as Ray has it

    def __post_init__(self) -> None:
        if self.cpus < _LEAST_CPUS:
            raise UsageError(
                f"--cpus_per_run must be at least {_LEAST_CPUS}; got {self.cpus}. Raise it."
            )
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise UsageError(
                f"--gpus_per_run must be whole above 1; got {self.gpus:g}. Round it, or share one."
            )

    @property
    def resources(self) -> dict[str, float]:
        """The same in Ray's words."""
        return {"CPU": self.cpus} | ({"GPU": self.gpus} if self.gpus else {})

    def count_in(self, resources: Mapping[str, float]) -> int:
        """Return how many jobs have room in what a node has."""
        rooms = [_divide(resources.get("CPU", 0.0), self.cpus)]
        gpus = int(resources.get("GPU", 0.0))
        if self.gpus > 1:
            rooms.append(_divide(gpus, self.gpus))
        elif self.gpus:
            rooms.append(gpus * _divide(1.0, self.gpus))  # none is given halves of two GPUs
        return min(rooms)

    def __str__(self) -> str:
        return count(self.cpus, "CPU") + (f" and {count(self.gpus, 'GPU')}" if self.gpus else "")


def _divide(whole: float, part: float) -> int:
    return math.floor(whole / part + 1e-9)
