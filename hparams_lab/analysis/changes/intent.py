"""How the intents of two sweeps differ: what is measured, sought, tried, and how it is run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.catalog.option import Option, list_options
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value, format_value
from hparams_lab.declare.objective import Objective, Reduction
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.runs.sweep import Sweep
from hparams_lab.search.catalog import STRATEGIES
from hparams_lab.sweeps.options import ExecutionOptions

_SEARCH: Mapping[str, Callable[[Sweep], object]] = {
    "strategy": lambda sweep: sweep.strategy,
    "limit of trials": lambda sweep: sweep.trial_limit,
    "repeats": lambda sweep: sweep.repeats,
    "folds": lambda sweep: sweep.folds,
    "subset": lambda sweep: sweep.subset,
    "pruning": lambda sweep: sweep.traits.prunes,
    "racing": lambda sweep: sweep.racing,
    "reuse": lambda sweep: sweep.reuse,
}
_EXECUTION: Mapping[str, Callable[[Sweep], object]] = {
    "executor": lambda sweep: sweep.executor,
    "workers": lambda sweep: sweep.workers,  # those it had, not those that were asked for
}


def compare_intents(before: Sweep, after: Sweep) -> list[Change]:
    """Return what the later sweep was to do otherwise: metrics, space, search, execution.

    Args:
        before: the earlier one.
        after: the later one.
    """
    return [
        *_compare_facts(Topic.METRICS, {"experiment": lambda s: s.experiment}, before, after),
        *_compare_objectives(before.objective, after.objective),
        *_compare_metrics(before, after),
        *compare_spaces(before.space, after.space),
        *_compare_facts(Topic.SEARCH, _SEARCH, before, after),
        *_compare_options(
            Topic.SEARCH, STRATEGIES.options, before.search_options, after.search_options
        ),
        *_compare_tries(before, after),
        *_compare_facts(Topic.EXECUTION, _EXECUTION, before, after),
        *_compare_options(
            Topic.EXECUTION,
            _list_execution_options(),
            *({**sweep.execution_options, "workers": None} for sweep in (before, after)),
        ),
    ]


def say(value: Any) -> str:
    """Return a fact's value in words: `none`, `yes`, `no`, a list of values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(say, value)) or "none"
    return "none" if value is None else format_value(value)


def _compare_facts(
    topic: Topic,
    facts: Mapping[str, Callable[[Sweep], object]],
    before: Sweep,
    after: Sweep,
) -> Iterator[Change]:
    for name, read in facts.items():
        if read(before) != read(after):
            yield Change(topic, name, say(read(before)), say(read(after)))


def _compare_objectives(before: Objective, after: Objective) -> Iterator[Change]:
    if before != after:
        yield Change(Topic.METRICS, "objective", _say_objective(before), _say_objective(after))


def _say_objective(objective: Objective) -> str:
    best = ", the best of a run" if objective.reduction is Reduction.BEST else ""
    return f"{objective.goal.value} {objective.metric}{best}"


def _compare_metrics(before: Sweep, after: Sweep) -> Iterator[Change]:
    for key in after.metric_keys:
        if key not in before.metric_keys:
            yield Change(Topic.METRICS, f"metric {key}", None, "")
    for key in before.metric_keys:
        if key not in after.metric_keys:
            yield Change(Topic.METRICS, f"metric {key}", "", None)


def _list_execution_options() -> dict[str, Option]:
    own = {each.name: each for each in list_options(ExecutionOptions)}
    return EXECUTORS.options | own


def _compare_options(
    topic: Topic,
    declared: Mapping[str, Option],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> Iterator[Change]:
    """Yield the options that differ; those that are declared come in their order, and first."""
    names = dict.fromkeys([*declared, *after, *before])
    for name in names:
        option = declared.get(name)  # None: of a plug-in that is not installed here
        unset = option.unset if option else None
        one, other = (
            say(unset if options.get(name) is None else options[name])
            for options in (before, after)
        )
        if one != other:
            yield Change(topic, option.label if option else name.replace("_", " "), one, other)


def _compare_tries(before: Sweep, after: Sweep) -> Iterator[Change]:
    earlier, later = list(before.tries), list(after.tries)
    if earlier != later:
        note = "other ones" if len(earlier) == len(later) else ""
        counts = [str(len(tries)) for tries in (earlier, later)]
        yield Change(Topic.SEARCH, "points tried first", counts[0], counts[1], note)


_MAX_SHOWN = 8
# Of a longer list the ends stand for the rest.
_MAX_COMPARED = 1000


def compare_spaces(before: SearchSpace, after: SearchSpace) -> list[Change]:
    """Return the axes that differ, in the order of the later space, removed ones last.

    Display names and descriptions do not count, nor does the order of the axes.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> old = SearchSpace([HParam("units", Discrete([8, 16]))])
        >>> new = SearchSpace([HParam("units", Discrete([8, 16, 32]))])
        >>> [str(change) for change in compare_spaces(old, new)]
        ['units: 8, 16 -> 8, 16, 32 (wider)']
    """
    return [*_compare(before, after)]


def describe_axis(axis: Axis) -> str:
    """Return which values an axis takes, and how: `[0.001, 0.1], log scale, 3 grid points`.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import HParam, RealInterval
        >>> describe_axis(Axis(HParam("rate", RealInterval(0.1, 0.5)), grid_points=3))
        '[0.1, 0.5], 3 grid points'
    """
    if axis.is_listed:
        text = _list_values(axis)
    else:
        text = f"[{_say(axis.domain.min_value)}, {_say(axis.domain.max_value)}]"
        text += ", log scale" if axis.scale == "log" else ""
        text += f", {axis.grid_points} grid points" if axis.grid_points is not None else ""
    conditions = [
        f"{parent} is {' or '.join(map(_say, values))}"
        for parent, values in axis.conditions.items()
    ]
    return text + (f" when {' and '.join(conditions)}" if conditions else "")


def _compare(before: SearchSpace, after: SearchSpace) -> Iterator[Change]:
    earlier = {axis.name: axis for axis in before}
    for axis in after:
        was = earlier.pop(axis.name, None)
        if was is None:
            yield Change(Topic.SPACE, axis.name, None, describe_axis(axis))
            continue
        kind = _classify(was, axis)
        texts = [describe_axis(was), describe_axis(axis)]
        types = [each.domain.dtype.__name__ for each in (was, axis)]
        if texts[0] == texts[1] and types[0] != types[1]:
            texts = [f"{text} as {type_}" for text, type_ in zip(texts, types, strict=True)]
        if texts[0] != texts[1] or kind:
            yield Change(Topic.SPACE, axis.name, texts[0], texts[1], note=kind)
    for axis in earlier.values():
        yield Change(Topic.SPACE, axis.name, describe_axis(axis), None)


def _classify(before: Axis, after: Axis) -> str:
    keeps_all, has_nothing_new = _holds(after, before), _holds(before, after)
    if keeps_all:
        return "" if has_nothing_new else "wider"
    return "narrower" if has_nothing_new else "other values"


def _holds(outer: Axis, inner: Axis) -> bool:
    """Return whether one axis allows every value of the other."""
    if inner.is_listed:
        ends = itertools.islice(inner.levels, _MAX_COMPARED)
        return all(_allows(outer, value) for value in (*ends, inner.levels[-1]))
    return not outer.is_listed and all(
        _allows(outer, bound) for bound in (inner.domain.min_value, inner.domain.max_value)
    )


def _allows(axis: Axis, value: Value) -> bool:
    try:
        axis.cast(value)
    except AssignmentError:
        return False
    return True


def _list_values(axis: Axis) -> str:
    count = len(axis.levels)
    if count <= _MAX_SHOWN:
        return ", ".join(map(_say, axis.levels))
    shown = ", ".join(map(_say, axis.levels[: _MAX_SHOWN - 2]))
    return f"{shown}, ... {_say(axis.levels[-1])} ({count} values)"


def _say(value: Value) -> str:
    """Return a value as it stands in a list: quoted where it is not one bare word."""
    is_bare = not isinstance(value, str) or (value.isprintable() and value.split() == [value])
    return format_value(value) if is_bare and "," not in str(value) else repr(value)
