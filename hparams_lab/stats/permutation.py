"""Dealing values out anew: what else might have come of runs that are exchangeable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_MAX_WAYS = 10_000  # that are all looked at; of more, as many are drawn
_MAX_DRAWN_VALUES = 5_000_000  # in all draws together: a quarter of a second
_MIN_DRAWS = 1_000
_MAX_VALUES_AT_ONCE = 2_000_000  # in memory

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Values that would be exchangeable if nothing had been changed."""

    before: Sequence[float]  # of one side, at least one
    after: Sequence[float]  # of the other one, at least one

    @property
    def weight(self) -> float:
        """The weight of its difference: 1/2 of a pair, at most the size of the lesser side."""
        return 1 / (1 / len(self.before) + 1 / len(self.after))

    @property
    def difference(self) -> float:
        """Mean after minus mean before."""
        return sum(self.after) / len(self.after) - sum(self.before) / len(self.before)


def permute(blocks: Sequence[Block]) -> tuple[Floats, Floats]:
    """Return what the side after gains, in sum, as values are dealt out anew in the blocks.

    All ways, or 10,000 and fewer of many values, drawn with a fixed seed.

    Args:
        blocks: at least one.

    Returns:
        `[num_ways]` gains, zero in the way things are, which is the first; and how many of
        its own values the side after has lost.
    """
    ways = math.prod(
        math.comb(len(block.before) + len(block.after), len(block.after)) for block in blocks
    )
    return _enumerate(blocks) if ways <= _MAX_WAYS else _draw(blocks)


def _enumerate(blocks: Sequence[Block]) -> tuple[Floats, Floats]:
    gains, moved = np.zeros(1), np.zeros(1)
    for block in blocks:
        values = np.array([*block.after, *block.before])
        num_after = len(block.after)
        chosen = np.array([*combinations(range(len(values)), num_after)])
        own_gains = values[chosen].sum(axis=1) - values[:num_after].sum()
        own_moved = (chosen >= num_after).sum(axis=1)
        gains = np.add.outer(gains, own_gains).ravel()
        moved = np.add.outer(moved, own_moved).ravel()
    return gains, moved


def _draw(blocks: Sequence[Block]) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    num_values = sum(len(block.before) + len(block.after) for block in blocks)
    num_ways = max(_MIN_DRAWS, min(_MAX_WAYS, _MAX_DRAWN_VALUES // num_values))
    gains, moved = np.zeros(num_ways), np.zeros(num_ways)  # the first way: as things are
    by_shape: dict[tuple[int, int], list[Block]] = {}
    for block in blocks:
        by_shape.setdefault((len(block.before), len(block.after)), []).append(block)
    for shape, alike in by_shape.items():
        values = np.array([[*block.after, *block.before] for block in alike])
        at_once = max(1, _MAX_VALUES_AT_ONCE // values.size)
        for begin in range(1, num_ways, at_once):
            end = min(num_ways, begin + at_once)
            draw = _swap if shape == (1, 1) else _permute
            gained, lost = draw(rng, values, shape[1], end - begin)
            gains[begin:end] += gained
            moved[begin:end] += lost
    return gains, moved


def _permute(
    rng: np.random.Generator, values: Floats, num_after: int, num_ways: int
) -> tuple[Floats, Floats]:
    """Return gains and moved values of blocks of one shape: `[num_blocks, num_values]`."""
    is_after = np.zeros(values.shape, np.bool_)
    is_after[:, :num_after] = True
    dealt = rng.permuted(np.broadcast_to(is_after, (num_ways, *values.shape)), axis=2)
    gains = np.einsum("wbv,bv->w", dealt, values) - values[is_after].sum()
    return gains, np.count_nonzero(dealt[:, :, num_after:], axis=(1, 2))


def _swap(
    rng: np.random.Generator, values: Floats, num_after: int, num_ways: int
) -> tuple[Floats, Floats]:
    """Return the same of pairs, ten times as fast."""
    swapped = rng.integers(0, 2, (num_ways, len(values)), dtype=np.int8)
    return swapped @ (values[:, 1] - values[:, 0]), swapped.sum(axis=1, dtype=np.float64)
