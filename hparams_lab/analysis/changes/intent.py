"""How the intents of two sweeps differ: what is measured, sought, tried, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.analysis.changes.space import compare_spaces
from hparams_lab.catalog.option import Option, list_options
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.objective import Objective, Reduction
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
