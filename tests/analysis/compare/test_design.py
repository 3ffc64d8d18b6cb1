"""Which values of two groups are independent: blocks of runs, folds, or splits."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hparams_lab.analysis.compare.design import Design, Unit, choose_design
from hparams_lab.analysis.compare.groups import By, form_groups
from hparams_lab.analysis.compare.pairs import Observation, match_trials, observe
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.stats.permutation import Block
from tests.support.day_sweeps import Logs, log_days, log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY

LATE_FRIDAY = "2026-11-20_22-00-00"
LATE_SATURDAY = "2026-11-21_22-00-00"


def draw(logged: Logged) -> Design:
    """Return the samples of the first two days."""
    before, after = form_groups(logged.rows, logged.sweeps, By.DAY)[:2]
    sweeps = {sweep.id: sweep for sweep in logged.sweeps}
    matches = match_trials(before.rows, after.rows).matches
    return choose_design(*observe(matches, sweeps, logged.sweeps[-1].objective.tag))


def draw_of(*logs: Logs) -> Design:
    """Return the samples of the first two days of these sweeps."""
    return draw(put_together(*logs))


@pytest.mark.parametrize("splits", [False, True], ids=["no_split", "one_hold_out"])
def test_runs_of_equal_seeds_are_pairs(splits: bool) -> None:
    """Repeat by repeat, runs of one seed on the same rows stand side by side."""
    samples = draw(log_days([[0.5, 0.25], [1.0, 2.0]], [[0.75, 0.5], [1.0, 1.5]], splits=splits))

    assert Unit.RUN is samples.unit
    assert {((0.5,), (0.75,)), ((0.25,), (0.5,)), ((1.0,), (1.0,)), ((2.0,), (1.5,))} == {
        (tuple(block.before), tuple(block.after)) for block in samples.blocks
    }


def test_runs_of_other_seeds_are_pooled() -> None:
    """Where nothing says which repeat belongs to which, those of a trial are one block."""
    samples = draw_of(
        log_sweep(FRIDAY, [[0.5], [1.0]]), log_sweep(SATURDAY, [[0.75, 0.5], [1.0, 2.0]], seed=1)
    )

    assert [Block([0.5], [0.75, 0.5]), Block([1.0], [1.0, 2.0])] == samples.blocks
    assert (2, 6) == (samples.num_trials, samples.num_used)


def test_runs_done_again_are_one_value() -> None:
    """A sweep that is run twice on a day, with one seed, is no more evidence than once."""
    values = [[0.5], [1.0]]
    samples = draw_of(
        log_sweep(FRIDAY, values), log_sweep(LATE_FRIDAY, values), log_sweep(SATURDAY, values)
    )

    assert [Block([0.5], [0.5]), Block([1.0], [1.0])] == samples.blocks
    assert samples.is_identical


def test_runs_taken_over_are_no_evidence() -> None:
    """A run that a later sweep took over from an earlier one says nothing about a change."""
    samples = draw_of(log_sweep(FRIDAY, [[0.5]]), log_sweep(SATURDAY, [[0.5]], reused_from=FRIDAY))

    assert "one and the same runs" in samples.problem
    assert samples.weigh() is None


def test_noise_of_32_bits_makes_no_difference() -> None:
    """Values that differ in the last bits of what is logged are equal."""
    samples = draw(log_days([[0.1], [1e6]], [[0.1 + 1e-9], [1e6 + 1e-2]]))

    assert samples.is_identical


def test_hold_outs_that_differ_cannot_be_told_from_a_change() -> None:
    """One hold-out a side is one value a side, however many trials it judged."""
    rows = [[0.5 + index / 8] for index in range(12)]
    samples = draw_of(
        log_sweep(FRIDAY, rows, splits=True), log_sweep(SATURDAY, rows, splits=True, seed=1)
    )

    assert "judged on different hold-outs, of seeds 0 and 1" in samples.problem
    assert "--seed=0" in samples.problem


def test_other_data_is_another_hold_out() -> None:
    """The same seed holds out other rows of other data."""
    samples = draw_of(
        log_sweep(FRIDAY, [[0.5]], splits=True, data="aa"),
        log_sweep(SATURDAY, [[0.5]], splits=True, data="bb"),
    )

    assert "judged on other data" in samples.problem


def test_data_that_is_not_known_may_be_the_same() -> None:
    """Where one side does not know its data, equal seeds are equal rows."""
    samples = draw_of(
        log_sweep(FRIDAY, [[0.5]], splits=True),
        log_sweep(SATURDAY, [[0.75]], splits=True, data="bb"),
    )

    assert [Block([0.5], [0.75])] == samples.blocks


def test_only_one_side_took_its_rows_from_us() -> None:
    """Where one side does not say what it was judged on, there is nothing to set side by side."""
    samples = draw_of(log_sweep(FRIDAY, [[0.5]]), log_sweep(SATURDAY, [[0.5]], splits=True))

    assert "only one of them took its rows from run.split" in samples.problem


def test_several_hold_outs_are_so_many_values() -> None:
    """Each split counts once, by its mean over the trials that all splits have judged."""
    samples = draw_of(
        log_sweep(FRIDAY, {0: [1.0], 1: [3.0], 2: [99.0]}, splits=True),
        log_sweep(LATE_FRIDAY, {0: [2.0], 1: [4.0]}, splits=True, seed=1),
        log_sweep(SATURDAY, {0: [5.0], 1: [6.0], 2: [99.0]}, splits=True, seed=2),
    )

    assert Unit.SPLIT is samples.unit
    assert ([Block([2.0, 3.0], [5.5])], 2) == (samples.blocks, samples.num_trials)


def test_a_common_hold_out_is_enough() -> None:
    """Where the days share a hold-out, runs on it are compared, and others are not."""
    samples = draw_of(
        log_sweep(FRIDAY, [[1.0]], splits=True),
        log_sweep(SATURDAY, [[2.0]], splits=True),
        log_sweep(LATE_SATURDAY, [[9.0]], splits=True, seed=1),
    )

    assert ([Block([1.0], [2.0])], 2) == (samples.blocks, samples.num_used)


def test_folds_are_averaged_over_the_trials() -> None:
    """Runs of a fold share their rows, so a fold is one value, of all trials together."""
    samples = draw(log_days([[1.0, 2.0], [3.0, 4.0]], [[2.0, 2.0], [4.0, 6.0]], folds=2))

    assert (Unit.FOLD, 2, 2) == (samples.unit, samples.num_folds, samples.num_trials)
    assert [Block([2.0], [3.0]), Block([3.0], [4.0])] == samples.blocks


def test_folds_of_other_seeds_are_splits() -> None:
    """Folds of other seeds hold out other rows, so they cannot stand side by side."""
    samples = draw_of(
        log_sweep(FRIDAY, [[1.0, 2.0], [3.0, 4.0]], folds=2),
        log_sweep(SATURDAY, [[2.0, 2.0], [4.0, 6.0]], folds=2, seed=1),
    )

    assert (Unit.SPLIT, 2) == (samples.unit, samples.num_folds)
    assert [Block([2.0, 3.0], [3.0, 4.0])] == samples.blocks


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [(2, None, "2 folds and with no folds"), (2, 4, "2 folds and with 4 folds")],
    ids=["none", "other"],
)
def test_folds_are_compared_with_as_many(before: Any, after: Any, told: str) -> None:
    """Other folds train on more or fewer rows, so nothing is said of them."""
    samples = draw_of(
        log_sweep(FRIDAY, [[0.5] * 2], folds=before), log_sweep(SATURDAY, [[0.5] * 4], folds=after)
    )

    assert told in samples.problem


def test_trials_of_no_finite_value_are_left_out() -> None:
    """A trial that came to NaN or infinity on either side is in no block."""
    samples = draw(log_days([[1.0], [math.nan], [1.0]], [[2.0], [1.0], [math.inf]]))

    assert [Block([1.0], [2.0])] == samples.blocks


def test_no_common_point_is_no_evidence() -> None:
    """Where no point was tried by both, there is nothing to weigh."""
    samples = draw(log_days({0: [1.0]}, {1: [1.0]}))

    assert ("no point of the space was tried in full by both", None) == (
        samples.problem,
        samples.weigh(),
    )


def test_equal_differences_of_folds_are_no_certainty() -> None:
    """One image more in each of three folds does not become evidence by rounding."""
    sides = [
        [
            Observation(0, accuracy + gain, (0, "", fold), 3, fold, 0, f"{gain}/{fold}")
            for fold, accuracy in enumerate([0.55, 0.60, 0.65])
        ]
        for gain in (0.0, 0.05)
    ]
    evidence = choose_design(*sides).weigh()

    assert evidence is not None
    assert (0.25, -math.inf) == (evidence.p_value, evidence.low)
