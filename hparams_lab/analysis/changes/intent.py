"""How the intents of two sweeps differ: what is measured, sought, tried, and how it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.analysis.changes.space import compare_spaces
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.objective import Objective, Reduction
from hparams_lab.runs.sweep import Sweep

_Facts = Mapping[str, Callable[[Sweep], object]]

_SEARCH: _Facts = {
    "strategy": lambda sweep: sweep.strategy,
    "limit of trials": lambda sweep: sweep.trial_limit,
    "repeats": lambda sweep: sweep.repeats,
    "folds": lambda sweep: sweep.folds,
    "subset": lambda sweep: sweep.subset,
    "pruning": lambda sweep: sweep.prunes,
    "racing": lambda sweep: sweep.racing,
    "reuse": lambda sweep: sweep.reuse,
}
_EXECUTION: _Facts = {
    "executor": lambda sweep: sweep.executor,
    "workers": lambda sweep: sweep.workers,
    "time limit of a run, secs": lambda sweep: sweep.run_timeout_secs,
    "memory limit of a run, MB": lambda sweep: sweep.memory_limit_mb,
    "retries of a run": lambda sweep: sweep.retries or 0,
    "runs per process": lambda sweep: sweep.runs_per_process or 1,
    "runs per GPU": lambda sweep: sweep.runs_per_gpu or 1,
    "Ray cluster": lambda sweep: sweep.ray_address,
    "processors of a run": lambda sweep: sweep.cpus_per_run,
    "GPUs of a run": lambda sweep: sweep.gpus_per_run,
    "limit of failures": lambda sweep: sweep.max_failures,
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
        *_compare_options(before.search_options, after.search_options),
        *_compare_tries(before, after),
        *_compare_facts(Topic.EXECUTION, _EXECUTION, before, after),
    ]


def say(value: Any) -> str:
    """Return a fact's value in words: `none`, `yes`, `no`, a list of values."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(say, value)) or "none"
    return "none" if value is None else format_value(value)


def _compare_facts(topic: Topic, facts: _Facts, before: Sweep, after: Sweep) -> Iterator[Change]:
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


def _compare_options(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*after, *before]):
        one, other = (
            say(options[name]) if options.get(name) is not None else "default"
            for options in (before, after)
        )
        if one != other:
            yield Change(Topic.SEARCH, name.replace("_", " "), one, other)


def _compare_tries(before: Sweep, after: Sweep) -> Iterator[Change]:
    earlier, later = list(before.tries), list(after.tries)
    if earlier != later:
        note = "other ones" if len(earlier) == len(later) else ""
        counts = [str(len(tries)) for tries in (earlier, later)]
        yield Change(Topic.SEARCH, "points tried first", counts[0], counts[1], note)
