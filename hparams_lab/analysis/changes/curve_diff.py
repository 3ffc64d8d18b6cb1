"""Where the curves of two runs part, and how far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hparams_lab.events.read.reader import Series

# Event files keep 32-bit floats; two of them next to each other may be one number rounded.
_ROUNDING = float(np.finfo(np.float32).eps)
_TINY = float(np.finfo(np.float32).tiny)

_Points = dict[tuple[int, int], float]
"""Values by step, and by which of the points of that step they are of."""


@dataclass(frozen=True)
class CurveDiff:
    """How a tag's points differ."""

    tag: str  # of the points
    num_first: int  # points of the first run
    num_second: int  # points of the second run
    num_shared: int  # points that both have, by their steps
    # the first step that both have with different values; None if there is none
    parts_at: int | None
    largest: float  # the largest difference of finite values at one step; NaN if there is none
    largest_at: int | None  # its step; None if there is none

    @property
    def is_same(self) -> bool:
        """Whether both runs have the same points."""
        has_same_steps = self.num_first == self.num_shared == self.num_second
        return has_same_steps and self.parts_at is None


def compare_curves(first: Mapping[str, Series], second: Mapping[str, Series]) -> list[CurveDiff]:
    """Return how each tag's points differ, in order of first appearance.

    Args:
        first: points by tag.
        second: likewise.
    """
    return [
        _compare(tag, _index(first.get(tag)), _index(second.get(tag)))
        for tag in dict.fromkeys([*first, *second])
    ]


def is_close(one: float, other: float) -> bool:
    """Return whether two values are one number but for the rounding of 32-bit floats.

    Example:
        >>> is_close(0.1, 0.1 + 1e-9), is_close(0.1, 0.10001), is_close(math.nan, math.nan)
        (True, False, True)
    """
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=_TINY)


def _compare(tag: str, first: _Points, second: _Points) -> CurveDiff:
    shared = sorted(first.keys() & second.keys())
    parted = [key for key in shared if not is_close(first[key], second[key])]
    gaps = {key: abs(second[key] - first[key]) for key in parted}
    finite = [key for key in parted if math.isfinite(gaps[key])]
    largest = max(finite, key=gaps.__getitem__, default=None)
    return CurveDiff(
        tag=tag,
        num_first=len(first),
        num_second=len(second),
        num_shared=len(shared),
        parts_at=parted[0][0] if parted else None,
        largest=math.nan if largest is None else gaps[largest],
        largest_at=None if largest is None else largest[0],
    )


def _index(series: Series | None) -> _Points:
    if series is None:
        return {}
    seen: Counter[int] = Counter()
    points: _Points = {}
    for step, value in zip(series.steps, series.values, strict=True):
        points[step, seen[step]] = value
        seen[step] += 1
    return points
