from __future__ import annotations

from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.analysis.changes.intent import compare_intents
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.search.base import Traits
from tests.support.factories import METRICS, make_sweep

POINT = Assignment({"units": 8, "rate": 0.1})
OTHER_POINT = Assignment({"units": 16, "rate": 0.1})


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({}, {"objective": minimize("loss")}, "objective: maximize accuracy -> minimize loss"),
        (
            {},
            {"objective": maximize("accuracy", reduction="best")},
            "objective: maximize accuracy -> maximize accuracy, the best of a run",
        ),
        ({}, {"metrics": (*METRICS, Metric("auc"))}, "metric auc: added"),
        ({}, {"metrics": METRICS[:1]}, "metric loss: removed"),
        ({}, {"strategy": "random"}, "strategy: grid -> random"),
        ({}, {"trial_limit": 20}, "limit of trials: none -> 20"),
        ({}, {"repeats": 3}, "repeats: 1 -> 3"),
        ({"folds": 5}, {"folds": 10}, "folds: 5 -> 10"),
        ({}, {"subset": 0.5}, "subset: none -> 0.5"),
        ({}, {"traits": Traits(prunes=True)}, "pruning: no -> yes"),
        ({"racing": True}, {}, "racing: yes -> no"),
        (
            {"search_options": {"pruner": "median"}},
            {"search_options": {"min_budget": 2}},
            "min budget: 1 -> 2, pruner: median -> none",
        ),
        (
            {"search_options": {"order": []}},
            {"search_options": {"order": ["units", "rate"]}},
            "order: none -> units, rate",
        ),
        ({}, {"tries": [POINT]}, "points tried first: 0 -> 1"),
        ({"tries": [POINT]}, {"tries": [OTHER_POINT]}, "points tried first: 1 -> 1 (other ones)"),
        ({}, {"executor": "process"}, "executor: inline -> process"),
        (
            {},
            {"execution_options": {"run_timeout_secs": 60.0}},
            "time limit of a run, secs: none -> 60.0",
        ),
        (
            {},
            {"execution_options": {"memory_limit_mb": 512.0}},
            "memory limit of a run, MB: none -> 512.0",
        ),
        (
            {"execution_options": {"retries": 0}},
            {"execution_options": {"retries": 2}},
            "retries of a run: 0 -> 2",
        ),
        ({}, {"execution_options": {"runs_per_process": 8}}, "runs per process: 1 -> 8"),
        ({}, {"execution_options": {"runs_per_gpu": 2}}, "runs per GPU: 1 -> 2"),
        ({}, {"execution_options": {"ray_address": "auto"}}, "Ray cluster: none -> auto"),
        ({}, {"execution_options": {"cpus_per_run": 2.0}}, "processors of a run: 1 -> 2.0"),
        ({}, {"execution_options": {"gpus_per_run": 0.5}}, "GPUs of a run: 0 -> 0.5"),
        ({"execution_options": {"max_failures": 3}}, {}, "limit of failures: 3 -> none"),
        ({}, {"experiment": "mnist"}, "experiment: toy -> mnist"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_intent_is_compared(before: dict[str, Any], after: dict[str, Any], text: str) -> None:
    """What was to be done otherwise is told in words, and nothing else."""
    changes = compare_intents(make_sweep(**before), make_sweep(**after))

    assert text == ", ".join(map(str, changes))


def test_an_intent_does_not_differ_from_itself() -> None:
    """Two sweeps that were meant alike have no changes."""
    assert [] == compare_intents(make_sweep(seed=1), make_sweep(seed=2))
