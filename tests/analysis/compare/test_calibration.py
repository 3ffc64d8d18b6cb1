"""Verdicts on simulated pairs of days: rarely false, and rarely missing what is there."""

from __future__ import annotations

import math

import pytest

from tests.support.calibration import Design, draw_skewed, measure_rate

NUM_PAIRS = 200

pytestmark = pytest.mark.soak


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(Design(), id="single_runs"),
        pytest.param(Design(noise=draw_skewed), id="skewed_noise"),
        pytest.param(Design(spread=10.0), id="noise_1_to_10"),
        pytest.param(Design(repeats=(2, 2)), id="2_repeats"),
        pytest.param(Design(repeats=(1, 3), noise=draw_skewed), id="1_repeat_against_3"),
        pytest.param(Design(seeds=((0,), (0,)), splits=True), id="one_hold_out"),
        pytest.param(Design(seeds=((0,), (0,)), folds=5), id="folds"),
        pytest.param(Design(folds=5), id="folds_of_other_seeds"),
        pytest.param(Design(splits=True), id="other_hold_outs"),
        pytest.param(Design(splits=True, seeds=((0, 1), (2, 3))), id="2_other_hold_outs"),
    ],
)
def test_what_is_not_there_is_rarely_seen(design: Design) -> None:
    """Where nothing was changed, at most 7 % of 200 pairs of days get better or worse."""
    assert measure_rate(design, 0.0, num_pairs=NUM_PAIRS) <= 0.07


@pytest.mark.parametrize(
    ("design", "effect", "least"),
    [
        pytest.param(Design(repeats=(2, 2)), 1.0, 0.8, id="2_repeats_a_run"),
        pytest.param(Design(repeats=(3, 3)), 1.0, 0.8, id="3_repeats_a_run"),
        pytest.param(Design(folds=5, repeats=(2, 2), seeds=((0,), (0,))), 1.0, 0.8, id="folds"),
        # The t-test of ten pairs has a power of 80.3 %; no test that holds its level has more.
        pytest.param(Design(), math.sqrt(2), 0.75, id="single_runs_a_difference"),
    ],
)
def test_what_is_there_is_mostly_seen(design: Design, effect: float, least: float) -> None:
    """One standard deviation, of ten matched trials, is seen in four of five pairs of days."""
    assert measure_rate(design, effect, num_pairs=NUM_PAIRS) >= least


def test_hold_outs_are_never_taken_for_a_change() -> None:
    """Whatever was changed, one hold-out a side leaves no verdict."""
    assert 0.0 == measure_rate(Design(splits=True), 5.0, num_pairs=20)
