"""One axis at a time: try its levels, keep the best, go on to the next axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hparams_lab.catalog.option import option
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.search.base import Strategy, StrategySpec, Traits, Verdict
from hparams_lab.search.options import PrunerOptions

DEFAULT_PASSES = 2


@dataclass(frozen=True, kw_only=True)
class OneAtATimeOptions(PrunerOptions):
    """Options of one_at_a_time."""

    order: tuple[str, ...] = option("AXIS,...: what one_at_a_time tunes first", default=())
    passes: int | None = option(
        "how often one_at_a_time goes over the axes", at_least=1, unset=DEFAULT_PASSES
    )


class OneAtATime(Strategy):
    """Tunes axis after axis over its grid levels, the others at the best known.

    It costs the sum of the levels instead of their product, and finds the best point
    where axes hardly depend on each other.

    It starts at the first level of every axis, or at the best of the points that were
    taken before anything was proposed. It ends after `passes` over all axes, or with
    one that changes nothing. An axis that does not exist at the best point is passed
    over; one that comes into existence has its first level.

    What it proposes follows from the order of the trials and their values alone: the
    passes are walked again each time, up to the first point without a value. The levels
    of an axis run in parallel; the next axis waits for them.

    Args:
        space: the space whose grid is searched.
        goal: which way is better.
        order: names of axes to tune first, in this order; the others follow.
        passes: how often to go over all axes, at least 1.

    Raises:
        UsageError: if `order` names no axis, or one twice.
    """

    traits = Traits(learns=True, walks_levels=True, may_end_early=True)

    def __init__(
        self,
        space: SearchSpace,
        goal: Goal,
        *,
        order: Sequence[str] = (),
        passes: int = DEFAULT_PASSES,
    ) -> None:
        _check_order(space, order)
        self._space = space
        self._sign = -1.0 if goal is Goal.MAXIMIZE else 1.0
        others = [axis for axis in space if axis.name not in order]
        self._axes = [*(space[name] for name in order), *others]
        self._passes = passes
        # In the order of the trials; None while a trial is running.
        self._costs: dict[Assignment, float | None] = {}

    @property
    def max_trials(self) -> int:
        """The length of all passes, which are shorter where axes do not exist."""
        num_levels = [len(axis.levels) for axis in self._axes]
        num_taken = self._num_taken_first()
        if num_taken == 0 or next(iter(self._costs)) == self._complete({}):
            longest = 1 + self._passes * sum(count - 1 for count in num_levels)
            return min(longest, self._space.size) + max(0, num_taken - 1)
        return num_taken + self._passes * sum(num_levels)

    def propose(self) -> Assignment | None:
        proposal = self._find_next()
        if proposal is not None:
            self._costs[proposal] = None
        return proposal

    def take(self, assignment: Assignment) -> None:
        self._costs[assignment] = None

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        """Let every run go on to its end."""
        return Verdict()

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        """Remember the value; what failed is never the best."""
        failed = value is None or math.isnan(value)
        self._costs[assignment] = math.inf if value is None or failed else self._sign * value

    def _find_next(self) -> Assignment | None:
        """Walk the passes up to a point that has not run; None if one on the way is running."""
        first = list(self._costs)[: self._num_taken_first()]
        if len(first) > 1 and self._is_running(first):
            return None
        best = self._best_of(first) if first else self._complete({})
        for _ in range(self._passes):
            before = best
            for axis in self._axes:
                points = list(dict.fromkeys([best, *self._vary(best, axis)]))
                new = next((point for point in points[1:] if point not in self._costs), None)
                if best not in self._costs:
                    return best
                if new is not None or (len(points) > 1 and self._is_running(points)):
                    return new
                best = self._best_of(points)
            if best == before:
                break
        return None

    def _num_taken_first(self) -> int:
        """Return how many trials came before the first that the walk itself would begin with.

        The walk begins beside the best of those that were taken first, so that a sweep
        that is resumed finds the same beginning although all its trials are taken.
        """
        trials = list(self._costs)
        for count in range(1, len(trials)):
            first = trials[:count]
            best = self._best_of(first)
            beside = (point for axis in self._axes for point in self._vary(best, axis))
            if trials[count] == next((point for point in beside if point not in first), None):
                return count
        return len(trials)

    def _vary(self, point: Assignment, axis: Axis) -> Iterator[Assignment]:
        """Yield `point` with each level of an axis, nothing if it does not exist there."""
        levels = axis.levels if axis.name in point else ()
        return (self._complete({**point, axis.name: level}) for level in levels)

    def _complete(self, values: dict[str, Value]) -> Assignment:
        """Return an assignment with the given values where axes exist, else their first levels."""
        complete: dict[str, Value] = {}
        for axis in self._space:
            if axis.is_active(complete):
                complete[axis.name] = values.get(axis.name, axis.levels[0])
        return Assignment(complete)

    def _is_running(self, points: Sequence[Assignment]) -> bool:
        return any(self._costs.get(point, 0.0) is None for point in points)

    def _best_of(self, points: Sequence[Assignment]) -> Assignment:
        """Return the first of the best; what is running or unknown is no better than failed."""

        def cost(point: Assignment) -> float:
            known = self._costs.get(point)
            return math.inf if known is None else known

        return min(points, key=cost)


def _check_order(space: SearchSpace, order: Sequence[str]) -> None:
    names = [axis.name for axis in space]
    seen: set[str] = set()
    for name in order:
        if name not in names:
            hint = did_you_mean(name, names) or f" Choose from: {', '.join(names)}."
            raise UsageError(f"--order must name hparams; got {name!r}.{hint}")
        if name in seen:
            raise UsageError(f"--order must name an hparam once; got {name!r} again. Drop one.")
        seen.add(name)


def _make(space: SearchSpace, goal: Goal, seed: int, options: OneAtATimeOptions) -> Strategy:
    passes = options.passes or DEFAULT_PASSES
    return OneAtATime(space, goal, order=options.order, passes=passes)


ONE_AT_A_TIME = StrategySpec(options=OneAtATimeOptions, make=_make)
