"""Trials that were picked by their results, which by itself makes a difference."""

from __future__ import annotations

import numpy as np

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.compare.verdict import Conclusion
from hparams_lab.events.schema import Ending
from tests.support.day_sweeps import log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY


def test_the_best_run_again_are_no_evidence() -> None:
    """Points picked as yesterday's best regress to the mean, which is no verdict."""
    values = np.random.default_rng(0).normal(size=40)
    again = {int(units): [0.0] for units in np.argsort(-values)[:10]}
    pair = compare(
        put_together(log_sweep(FRIDAY, [[v] for v in values]), log_sweep(SATURDAY, again, seed=1))
    ).pairs[0]

    assert Conclusion.NO_EVIDENCE is pair.finding.verdict
    assert "the best of 40" in pair.finding.problem


def test_points_stopped_early_on_one_side_are_no_evidence() -> None:
    """What a pruner leaves is the better half, not a better model."""
    values = np.random.default_rng(0).normal(size=20)
    endings = {u: Ending.PRUNED for u, value in enumerate(values) if value < 0}
    after = log_sweep(SATURDAY, [[v] for v in values], endings=endings, seed=1)
    pair = compare(put_together(log_sweep(FRIDAY, [[0.0]] * 20), after)).pairs[0]

    assert Conclusion.NO_EVIDENCE is pair.finding.verdict
    assert "stopped early in 2026-11-21" in pair.finding.problem


def test_the_best_that_become_better_are_better() -> None:
    """Points picked as yesterday's best would get worse by themselves, so better is better."""
    values = np.random.default_rng(0).normal(size=40)
    again = {int(units): [9.0 + units / 100] for units in np.argsort(-values)[:10]}
    pair = compare(
        put_together(log_sweep(FRIDAY, [[v] for v in values]), log_sweep(SATURDAY, again, seed=1))
    ).pairs[0]

    assert Conclusion.BETTER is pair.finding.verdict


def test_an_axis_narrowed_to_its_worse_half_is_compared() -> None:
    """Points that are not the best ones were not picked for being that."""
    values = [float(units) for units in range(12)]
    again = {units: [values[units] - 1.0] for units in range(8)}
    pair = compare(
        put_together(log_sweep(FRIDAY, [[v] for v in values]), log_sweep(SATURDAY, again))
    ).pairs[0]

    assert Conclusion.WORSE is pair.finding.verdict
