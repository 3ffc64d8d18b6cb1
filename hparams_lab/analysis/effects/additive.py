"""What each level of each factor adds to a number, all other factors taken as they are.

An additive model by least squares: the number is the sum of a base (one for each block of
trials), of one effect for the level of each factor, and of noise. On a balanced grid the
mean it has for a level is the plain mean of the level's trials; elsewhere it is that
mean freed of what the other factors brought along with the level. Where an axis does not
exist it adds nothing, so conditional axes need no trials of their own.

Interplay of factors counts as noise: it widens the intervals. A point that was run again,
in another sweep, has the same interplay again, so it is one observation, not two: the noise
is the spread of points about the model, not that of runs about points.

Source: marginal means after least squares: Searle, Speed and Milliken, "Population
marginal means in the linear model", The American Statistician 34 (1980), 216-221.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hparams_lab.analysis.effects.factors import Factor

_UPPER_TAIL = 0.975  # of the two-sided 95 % interval
# Relative to the lengths of what is compared: far above rounding, far below any effect.
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class LevelMean:
    """What the model has for one level of a factor."""

    # of the number, if all trials with the factor had this level and were else as they are; NaN
    # where the trials cannot separate it from another factor's
    mean: float
    low: float  # lower end of the two-sided 95 % interval of the mean; NaN if there is none
    high: float  # upper end of it


class AdditiveModel:
    """The least squares fit of an additive model.

    Args:
        factors: at least one level each.
        values: `[num_trials]`, finite.
        blocks: `[num_trials]`, 0-based block of each trial.
        points: `[num_trials]`, 0-based, equal where all hyperparameters are.
    """

    def __init__(
        self,
        factors: Sequence[Factor],
        values: NDArray[np.float64],
        blocks: NDArray[np.intp],
        points: NDArray[np.intp],
    ) -> None:
        # Differences from one of the values: equal values leave exactly no noise.
        self._offset = float(values[0]) if len(values) else 0.0
        self._scale = float(np.ptp(values)) or 1.0
        self._values = (values - self._offset) / self._scale
        self._factors = list(factors)
        base = np.eye(int(blocks.max(initial=0)) + 1)[blocks]
        self._blocks, self._points = blocks, points
        self._codes = [_encode(factor) for factor in factors]
        self._design = np.hstack([base, *self._codes])
        widths = [base.shape[1], *(code.shape[1] for code in self._codes)]
        self._ends = np.cumsum(widths)
        # A rotation of the trials that leaves a row a column: sums of squares, ranks and
        # weights stay as they are, and ten thousand trials cost what a hundred do.
        stacked = np.column_stack([self._design, self._values])
        rotated = np.asarray(np.linalg.qr(stacked, mode="r"))
        self._rows, self._heights = rotated[:, :-1], rotated[:, -1]

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        return np.asarray(np.linalg.pinv(self._rows, rcond=_TOLERANCE))

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        return np.asarray(self._inverse @ self._heights)

    @cached_property
    def _rank(self) -> int:
        return int(np.linalg.matrix_rank(self._rows))

    @cached_property
    def num_observations(self) -> int:
        """How many trials there are, those of one point as one.

        That is the rank of one effect a point and one a block.
        """
        num_points, num_blocks = int(self._points.max()) + 1, int(self._blocks.max()) + 1
        if num_points == len(self._values):
            return num_points
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ends = self._points, num_points + self._blocks
        size = num_points + num_blocks
        graph = coo_array((np.ones(len(self._values)), ends), shape=(size, size))
        return size - int(connected_components(graph, directed=False)[0])

    @property
    def num_spare(self) -> int:
        """How many of these are beyond what the model has to fit: degrees of freedom."""
        return self.num_observations - self._rank

    @property
    def without_blocks(self) -> NDArray[np.float64]:
        """The values, freed of what sets the blocks apart. `[num_trials]`."""
        shifts = self._weights[self._blocks]
        return np.asarray((self._values - (shifts - shifts.mean())) * self._scale + self._offset)

    @property
    def noise_std(self) -> float:
        """The standard deviation of a trial from the model; NaN if none is to spare."""
        if self.num_spare < 1:
            return math.nan
        return math.sqrt(self._squares(self._rows) / (len(self._values) - self._rank)) * self._scale

    @cached_property
    def _noise(self) -> float:
        """The mean square of the points from it, of the scaled values."""
        if self.num_spare < 1:
            return math.nan
        squares = self._squares(self._rows)
        if self.num_observations < len(self._values):
            squares = max(squares - self._squares_within(), 0.0)
        return squares / self.num_spare

    def _squares_within(self) -> float:
        """Return the sum of squares that one effect a point and one a block leave."""
        from scipy.sparse import coo_array, hstack
        from scipy.sparse.linalg import lsqr

        ones, trials = np.ones(len(self._values)), np.arange(len(self._values))
        columns = [coo_array((ones, (trials, codes))) for codes in (self._points, self._blocks)]
        return float(lsqr(hstack(columns), self._values, atol=1e-12, btol=1e-12)[3]) ** 2

    def estimate_means(self, index: int) -> list[LevelMean]:
        """Return the mean of each level of a factor."""
        factor, code = self._factors[index], self._codes[index]
        usual = self._design[factor.active].mean(axis=0)
        means = []
        for level in range(len(factor.groups)):
            wanted = usual.copy()
            wanted[self._ends[index] : self._ends[index + 1]] = code[factor.codes == level][0]
            means.append(self._estimate(wanted))
        return means

    def _estimate(self, wanted: NDArray[np.float64]) -> LevelMean:
        """Return the mean of trials whose average row of the design is the wanted one."""
        # Only what is a combination of the trials' own rows can be estimated from them.
        seen = wanted @ self._inverse @ self._rows
        if np.linalg.norm(seen - wanted) > _TOLERANCE**0.5 * np.linalg.norm(wanted):
            return LevelMean(math.nan, math.nan, math.nan)
        mean = float(wanted @ self._weights) * self._scale + self._offset
        half = self._half_width(float(np.linalg.norm(wanted @ self._inverse))) * self._scale
        return LevelMean(mean, mean - half, mean + half)

    def _half_width(self, spread: float) -> float:
        if math.isnan(self._noise):
            return math.nan
        from scipy.special import stdtrit  # a fifth of a second to import

        return float(stdtrit(self.num_spare, _UPPER_TAIL)) * spread * math.sqrt(self._noise)

    def test_effect(self, index: int) -> float:
        """Return the p-value of a factor's levels being all alike, by the partial F-test.

        Returns:
            In [0, 1]; NaN where no trial is to spare, or other factors or the blocks vary
            with this one so that no level differs from another by itself.
        """
        own = slice(self._ends[index], self._ends[index + 1])
        reduced = np.delete(self._rows, own, axis=1)
        num_effects = self._rank - int(np.linalg.matrix_rank(reduced))
        if num_effects < 1 or self.num_spare < 1:
            return math.nan
        gain = max(self._squares(reduced) - self._squares(self._rows), 0.0) / num_effects
        # Values that rounding alone sets apart are no evidence.
        if gain <= _TOLERANCE**2 * len(self._values):
            return 1.0
        from scipy.special import fdtrc

        noise = max(self._noise, np.finfo(float).tiny)
        return float(fdtrc(num_effects, self.num_spare, gain / noise))

    def _squares(self, rows: NDArray[np.float64]) -> float:
        """Return the sum of squares that a fit of the columns leaves."""
        weights = np.linalg.lstsq(rows, self._heights, rcond=None)[0]
        left = self._heights - rows @ weights
        squares = float(left @ left)
        # What rounding leaves of a perfect fit is nothing.
        return squares if squares > _TOLERANCE**2 * len(self._values) else 0.0


def _encode(factor: Factor) -> NDArray[np.float64]:
    """Return the columns of a factor: an indicator a level, zero on average where it exists."""
    active = factor.active
    code = np.zeros((len(active), len(factor.groups)))
    code[active, factor.codes[active]] = 1.0
    code[active] -= code[active].mean(axis=0)
    return code
