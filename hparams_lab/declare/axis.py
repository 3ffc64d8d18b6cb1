"""An hparam plus what TensorBoard cannot say of it: scale, step, grid and condition."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Discrete, Domain, HParam

from hparams_lab.declare import domains
from hparams_lab.declare.assignment import name_of
from hparams_lab.declare.domains import Value
from hparams_lab.errors import AssignmentError

# A listed grid is held in memory; steps and grid points are computed and have no limit.
MAX_LISTED = 100_000


@dataclass(frozen=True, eq=False)  # hparams are equal by name only
class Axis:
    """One axis of a search space. A bare `hp.HParam` is `Axis(hparam)`.

    An interval contributes to a grid its two ends, or `grid_points` values, or every
    `step`. Nothing is checked here: `rules` checks all axes of a
    space at once.

    Attributes:
        hparam: name, domain, display name and description, for TensorBoard too.
        scale: `"linear"`, or `"log"` for an interval above 0: how values are spaced
            and sampled.
        step: distance of legal values, counted from the lower bound; the upper bound is
            legal only if it is reached. For intervals, on a linear scale.
        grid_points: number of values an interval contributes to a grid, both ends
            included, at least 2.
        grid: the only values this axis takes, in this order, for every strategy.
        when: condition: hparam (declared earlier) to the value or values with which
            this axis exists. All must hold. Where they do not, the assignment has no
            value for this axis.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import RealInterval
        >>> rate = Axis(HParam("rate", RealInterval(1e-3, 1e-1)), scale="log", grid_points=3)
        >>> list(rate.levels)
        [0.001, 0.01, 0.1]
    """

    hparam: HParam
    scale: str = "linear"
    step: float | None = None
    grid_points: int | None = None
    grid: Iterable[Any] | None = None
    when: Mapping[Any, Any] | None = None

    def __post_init__(self) -> None:
        if self.grid is not None:
            # One more than allowed shows that it is too long, even when it never ends.
            listed = tuple(itertools.islice(_as_values(self.grid), MAX_LISTED + 1))
            object.__setattr__(self, "grid", listed)
        if isinstance(self.when, Mapping):
            conditions = {name_of(k): tuple(_as_values(v)) for k, v in self.when.items()}
            object.__setattr__(self, "when", conditions)
        for key in ("step", "grid_points"):
            if isinstance(getattr(self, key), np.generic):
                object.__setattr__(self, key, getattr(self, key).item())

    @property
    def name(self) -> str:
        """The hparam's name."""
        return str(self.hparam.name)

    @property
    def domain(self) -> Domain:
        """The hparam's domain."""
        return self.hparam.domain

    @property
    def conditions(self) -> Mapping[str, tuple[Value, ...]]:
        """Parent name to the values with which this axis exists; empty: it always does."""
        return self.when or {}

    @cached_property
    def levels(self) -> Sequence[Value]:
        """The values in a grid, in grid order, without duplicates; never a built list."""
        if self.grid is not None:
            return tuple(domains.cast(self.domain, value) for value in self.grid)
        if isinstance(self.domain, Discrete):
            return tuple(domains.cast(self.domain, value) for value in self.domain.values)
        low, high = self.domain.min_value, self.domain.max_value
        integer = self.domain.dtype is int
        if self.step is not None:
            return step_levels(low, high, self.step, integer=integer)
        log = self.scale == "log"
        return spaced_levels(low, high, self.grid_points or 2, log=log, integer=integer)

    def cast(self, value: Any) -> Value:
        """Return `value` in the domain's type.

        Raises:
            AssignmentError: if it is none of the axis's legal values.
        """
        return self._explain(lambda: self._cast(value))

    def parse(self, text: str) -> Value:
        """Return the legal value that `text` spells.

        Raises:
            AssignmentError: if it spells none.
        """
        return self._explain(lambda: self._cast(domains.parse(self.domain, text)))

    def _explain(self, get_value: Callable[[], Value]) -> Value:
        try:
            return get_value()
        except AssignmentError as error:
            raise AssignmentError(
                f"hparam {self.name!r} {error}. Choose a legal value or widen the domain."
            ) from None

    def _cast(self, value: Any) -> Value:
        typed = domains.cast(self.domain, value)
        if self.grid is not None and typed not in self.levels:
            listed = ", ".join(domains.format_value(level) for level in self.levels)
            raise AssignmentError(f"must be one of {listed}; got {value!r}")
        if self.step is not None and self.grid is None:
            return self._on_step(typed)
        return typed

    def _on_step(self, value: Value) -> Value:
        assert self.step is not None and not isinstance(value, str)
        index: int = round((value - self.domain.min_value) / self.step)
        near = self.levels[min(index, len(self.levels) - 1)]
        if not math.isclose(float(near), value, rel_tol=1e-9, abs_tol=1e-9 * self.step):
            raise AssignmentError(
                f"must be {self.domain.min_value!r} plus a multiple of {self.step!r}; got {value!r}"
            )
        return near

    @property
    def is_listed(self) -> bool:
        """Whether no value but the levels is legal."""
        listed = self.grid is not None or self.step is not None
        return listed or isinstance(self.domain, Discrete)

    @property
    def num_values(self) -> int | None:
        """Number of legal values; None if there are infinitely many."""
        listed = self._listed_values()
        if listed is not None:
            return len(listed)
        low, high = self.domain.min_value, self.domain.max_value
        if self.domain.dtype is int:
            return int(high) - int(low) + 1
        return 1 if low == high else None

    def at_fraction(self, fraction: float) -> Value:
        """Return the legal value at a fraction of the way along the axis, on its scale.

        Fractions drawn uniformly give values drawn uniformly: each of a list has an
        equal share.

        Args:
            fraction: in [0, 1).

        Example:
            >>> from tensorboard.plugins.hparams.summary_v2 import IntInterval
            >>> axis = Axis(HParam("units", IntInterval(1, 4)))
            >>> [axis.at_fraction(fraction) for fraction in (0.0, 0.3, 0.99)]
            [1, 2, 4]
        """
        listed = self._listed_values()
        if listed is not None:
            return listed[min(int(fraction * len(listed)), len(listed) - 1)]
        low, high = self.domain.min_value, self.domain.max_value
        # Half a unit to each side gives the end integers their full share.
        margin = 0.5 if self.domain.dtype is int else 0.0
        if self.scale == "log":
            log_low, log_high = math.log(low - margin), math.log(high + margin)
            value = math.exp(log_low + fraction * (log_high - log_low))
        else:
            value = low + fraction * (high - low)
        if self.domain.dtype is int:
            return int(min(max(math.floor(value + 0.5), low), high))
        return float(min(max(value, low), high)) + 0.0  # -0.0 + 0.0 is 0.0: one zero, one id

    def sample(self, rng: np.random.Generator) -> Value:
        """Return a legal value drawn uniformly, on the axis's scale."""
        return self.at_fraction(rng.random())

    def is_active(self, earlier: Mapping[str, Value]) -> bool:
        """Return whether the axis exists beside the values of the axes before it."""
        return all(
            parent in earlier and earlier[parent] in values
            for parent, values in self.conditions.items()
        )

    def _listed_values(self) -> Sequence[Value] | None:
        """Return the legal values if they are evenly likely ones of a sequence, else None."""
        if self.is_listed:
            return self.levels
        if self.domain.dtype is int and self.scale == "linear":
            return range(int(self.domain.min_value), int(self.domain.max_value) + 1)
        return None

    def narrow(self, values: Sequence[Any]) -> Axis:
        """Return this axis with `values`, which it must allow, as the only ones.

        Raises:
            AssignmentError: if the axis does not allow one of them.
        """
        cast_values = dict.fromkeys(self.cast(value) for value in values)
        return replace(self, grid=tuple(cast_values), grid_points=None, step=None)

    def encode_json(self) -> dict[str, Any]:
        """Return the axis as JSON data, the inverse of `decode_json`."""
        data: dict[str, Any] = {"name": self.name, "domain": domains.encode_json(self.domain)}
        if self.scale != "linear":
            data["scale"] = self.scale
        for key in ("step", "grid_points", "grid", "when"):
            if getattr(self, key) is not None:
                data[key] = getattr(self, key)
        for key in ("display_name", "description"):
            if getattr(self.hparam, key):
                data[key] = getattr(self.hparam, key)
        return data

    @staticmethod
    def decode_json(data: Mapping[str, Any]) -> Axis:
        """Return the axis that `encode_json` wrote."""
        hparam = HParam(
            data["name"],
            domains.decode_json(data["domain"]),
            display_name=data.get("display_name"),
            description=data.get("description"),
        )
        return Axis(
            hparam,
            scale=data.get("scale", "linear"),
            step=data.get("step"),
            grid_points=data.get("grid_points"),
            grid=data.get("grid"),
            when=data.get("when"),
        )


def _as_values(values: Any) -> Iterator[Any]:
    """Yield Python values; a lone value stands for a list of one, a string is a lone value."""
    listed = isinstance(values, Iterable) and not isinstance(values, str)
    if isinstance(values, Set):
        values = sorted(values, key=repr)  # sets of strings have another order in each process
    for value in values if listed else (values,):
        yield value.item() if isinstance(value, np.generic) else value


# 0.30000000000000004 is the 0.3 that its author meant, so that ids and the commands we
# print stay readable; a number that needs more digits keeps them.
_SIGNIFICANT_DIGITS = 12
_MAX_NOISE_ULPS = 8


class Levels(Sequence[Value]):
    """A strictly increasing sequence computed on demand.

    Args:
        count: number of values, at least 1.
        value_at: the value at a 0-based index below `count`; strictly increasing.
    """

    def __init__(self, count: int, value_at: Callable[[int], Value]) -> None:
        self._count = count
        self._value_at = value_at

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        if isinstance(index, slice):
            return [self._value_at(i) for i in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(f"level {index} of {self._count}")
        return self._value_at(index % self._count)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the index of `value` by bisection.

        Raises:
            ValueError: if no level equals it.
        """
        found = bisect_left(self, value, start, self._count if stop is None else stop)
        if found < self._count and self[found] == value:
            return found
        raise ValueError(f"{value!r} is not a level")

    def __contains__(self, value: object) -> bool:
        try:
            self.index(value)
        except (ValueError, TypeError):
            return False
        return True


def step_levels(low: float, high: float, step: float, *, integer: bool) -> Sequence[Value]:
    """Return low, low + step, ... up to the last value at or below `high`."""
    if integer:
        return range(int(low), int(high) + 1, int(step))
    low += 0  # -0.0 + 0 is 0.0: one zero, one id
    # The last step counts if it misses the end by rounding only: (0.3 - 0) / 0.1 is 2.99...
    count = math.floor((high - low) / step * (1 + 1e-12) + 1e-9) + 1
    return Levels(count, lambda i: min(_tidy(low + i * step), high) if i else low)


def spaced_levels(
    low: float, high: float, count: int, *, log: bool, integer: bool
) -> Sequence[Value]:
    """Return `count` values from `low` to `high`, both included, evenly spaced.

    With `log` the logarithms are evenly spaced. Integers are rounded half up; where two
    would fall on one integer, it is given once.
    """
    low, high = low + 0, high + 0  # -0.0 + 0 is 0.0: one zero, one id
    if low == high or count == 1:
        return (int(low) if integer else float(low),)
    if integer and not log and count > high - low:
        return range(int(low), int(high) + 1)

    def value_at(index: int) -> float:
        if index in (0, count - 1):
            return low if index == 0 else high
        fraction = index / (count - 1)
        value = low * (high / low) ** fraction if log else low + (high - low) * fraction
        return min(max(_tidy(value), low), high)

    if not integer:
        return Levels(count, lambda i: float(value_at(i)))
    if log:
        return tuple(dict.fromkeys(math.floor(value_at(i) + 0.5) for i in range(count)))
    # In integers, as rounded floats could not distinguish neighbours above 2**53.
    steps = count - 1
    return Levels(count, lambda i: low + ((high - low) * i * 2 + steps) // (2 * steps))


def _tidy(value: float) -> float:
    short = float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
    return short if abs(short - value) <= _MAX_NOISE_ULPS * math.ulp(value) else value
