"""How the axes of a space appear in an Optuna study, and their values as its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value


class Param:
    """One axis as a parameter of a study.

    Numbers that are listed, or lie on steps, become their positions in increasing
    order: so samplers know which are neighbours, and rounding plays no part.

    Args:
        axis: has at least two legal values.

    Attributes:
        name: the axis's.
        distribution: what a sampler draws from.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval
        >>> param = Param(Axis(HParam("units", IntInterval(1, 64)), grid=[64, 8, 16]))
        >>> param.encode(64), param.decode(0)
        (2, 8)
    """

    def __init__(self, axis: Axis) -> None:
        self.name = axis.name
        self._axis = axis
        self._ordered = _order_numbers(axis)
        self.distribution = self._make_distribution()

    def _make_distribution(self) -> BaseDistribution:
        if self._ordered is not None:
            return IntDistribution(0, len(self._ordered) - 1)
        if self._axis.is_listed:
            return CategoricalDistribution(tuple(self._axis.levels))
        domain, log = self._axis.domain, self._axis.scale == "log"
        interval = IntDistribution if domain.dtype is int else FloatDistribution
        return interval(domain.min_value, domain.max_value, log=log)

    def encode(self, value: Value) -> Any:
        """Return the parameter's value for a value of the axis."""
        return value if self._ordered is None else self._ordered.index(value)

    def decode(self, drawn: Any) -> Value:
        """Return the axis's value for what a sampler drew."""
        return self._axis.cast(drawn if self._ordered is None else self._ordered[int(drawn)])

    def suggest(self, trial: Trial) -> None:
        """Have the study's sampler give the trial a value of this parameter."""
        match self.distribution:
            case CategoricalDistribution() as words:
                trial.suggest_categorical(self.name, words.choices)
            case IntDistribution() as integers:
                trial.suggest_int(self.name, integers.low, integers.high, log=integers.log)
            case FloatDistribution() as reals:
                trial.suggest_float(self.name, reals.low, reals.high, log=reals.log)


def _order_numbers(axis: Axis) -> Sequence[Value] | None:
    """Return the levels in increasing order if only they are legal, and numbers."""
    if not axis.is_listed or axis.domain.dtype in (bool, str):
        return None
    # Steps are in order as they are, and may be too many to hold.
    return axis.levels if axis.grid is None else sorted(axis.levels)
