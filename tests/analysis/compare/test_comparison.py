"""Comparisons: which groups are held against which, and what is said of them."""

from __future__ import annotations

import pytest

from hparams_lab.analysis.compare.comparison import Comparison, compare
from hparams_lab.analysis.compare.verdict import Conclusion, Finding
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.errors import UsageError
from tests.support.day_sweeps import Logs, log_days, log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY

SUNDAY = "2026-11-22_09-00-00"
BASE = [[float(level)] for level in range(12)]
NUDGES = [0.125, 0.25, 0.375, 0.5] * 3


def raise_by(factor: float) -> list[list[float]]:
    """Return the base values, each raised by its own nudge times a factor."""
    return [[value + factor * nudge] for (value,), nudge in zip(BASE, NUDGES, strict=True)]


def find(before: Logs, after: Logs) -> Finding:
    """Return what two sweeps come to."""
    (pair,) = compare(put_together(before, after), by="sweep").pairs
    return pair.finding


def three_days() -> Comparison:
    """Return three days, the second better than the first, the third like the second."""
    return compare(
        put_together(
            log_sweep(FRIDAY, BASE),
            log_sweep(SATURDAY, raise_by(1)),
            log_sweep(SUNDAY, raise_by(1)),
        )
    )


@pytest.mark.parametrize(
    ("objective", "factor", "expected"),
    [
        (maximize("accuracy"), 1, Conclusion.BETTER),
        (maximize("accuracy"), -1, Conclusion.WORSE),
        (minimize("loss"), 1, Conclusion.WORSE),
        (minimize("loss"), -1, Conclusion.BETTER),
    ],
    ids=["more", "less", "more_loss", "less_loss"],
)
def test_the_goal_says_what_is_better(
    objective: object, factor: float, expected: Conclusion
) -> None:
    """A difference in the direction of the objective is better, in the other one worse."""
    (pair,) = compare(log_days(BASE, raise_by(factor), objective=objective)).pairs

    assert expected is pair.finding.verdict
    assert pair.finding.evidence is not None
    assert factor * 0.3125 == pytest.approx(pair.finding.evidence.difference)


def test_each_group_is_held_against_the_one_before() -> None:
    """Without a baseline, days follow each other."""
    comparison = three_days()

    assert [("2026-11-20", "2026-11-21"), ("2026-11-21", "2026-11-22")] == [
        (pair.before, pair.after) for pair in comparison.pairs
    ]
    assert [Conclusion.BETTER, Conclusion.NO_EVIDENCE] == [
        pair.finding.verdict for pair in comparison.pairs
    ]
    assert [False, True] == [pair.finding.is_identical for pair in comparison.pairs]


@pytest.mark.parametrize("word", ["2026-11-21", "2026-11-21_07"], ids=["label", "beginning"])
def test_all_groups_are_held_against_a_baseline(word: str) -> None:
    """With a baseline, given in full or by its beginning, all others are held against it."""
    logged = put_together(*(log_sweep(day, BASE) for day in (FRIDAY, SATURDAY, SUNDAY)))
    by = "sweep" if "_" in word else "day"
    comparison = compare(logged, by=by, baseline=word)

    assert [True, True] == [pair.before.startswith(word) for pair in comparison.pairs]
    assert ["2026-11-20", "2026-11-22"] == [pair.after[:10] for pair in comparison.pairs]


@pytest.mark.parametrize("word", ["2026-11-19", "2026-11-2"], ids=["none", "several"])
def test_the_baseline_must_be_one_group(word: str) -> None:
    """A word that is the beginning of no label, or of several, is refused."""
    with pytest.raises(UsageError, match="--baseline must name one of the groups"):
        compare(put_together(*(log_sweep(day, BASE) for day in (FRIDAY, SUNDAY))), baseline=word)


def test_several_comparisons_are_corrected() -> None:
    """What would be better by itself may be chance where more is looked at."""
    weak = [[value + (0.5 if units < 6 else 0.0)] for units, (value,) in enumerate(BASE)]
    alone = compare(log_days(BASE, weak)).pairs[0].finding
    noisy = [[value + 0.1 * (-1) ** units] for units, (value,) in enumerate(weak)]
    among = compare(
        put_together(
            log_sweep(FRIDAY, BASE), log_sweep(SATURDAY, weak), log_sweep(SUNDAY, noisy, seed=1)
        )
    )
    finding = among.pairs[0].finding

    assert (Conclusion.BETTER, 0.03125) == (alone.verdict, alone.corrected_p_value)
    assert (Conclusion.NO_EVIDENCE, 0.0625) == (finding.verdict, finding.corrected_p_value)
    assert finding.repeats_needed is not None


def test_a_wider_axis_matches_on_common_points() -> None:
    """After an axis was widened, the trials that both days have are compared."""
    (pair,) = compare(log_days(BASE[:6], raise_by(1))).pairs

    assert (6, 0, 6) == (pair.num_matched, pair.num_only_before, pair.num_only_after)
    assert Conclusion.BETTER is pair.finding.verdict


def test_too_few_trials_say_how_many_repeats_it_takes() -> None:
    """Three trials cannot tell anything; with two repeats they can."""
    finding = find(log_sweep(FRIDAY, BASE[:3]), log_sweep(SATURDAY, raise_by(1)[:3]))

    assert (Conclusion.NO_EVIDENCE, 2) == (finding.verdict, finding.repeats_needed)


def test_hold_outs_that_differ_leave_no_verdict() -> None:
    """Twelve trials that all rose may all have met with an easier hold-out."""
    finding = find(
        log_sweep(FRIDAY, BASE, splits=True),
        log_sweep(SATURDAY, raise_by(1), splits=True, seed=1),
    )

    assert (Conclusion.NO_EVIDENCE, None) == (finding.verdict, finding.evidence)
    assert "different hold-outs, of seeds 0 and 1" in finding.problem


def test_a_single_group_is_described() -> None:
    """One day has nothing to be held against, and is told all the same."""
    comparison = compare(put_together(log_sweep(FRIDAY, BASE)))

    assert (1, []) == (len(comparison.groups), comparison.pairs)


def test_some_trials_may_be_chosen() -> None:
    """Trials that are not meant are in no group and no pair."""
    logged = log_days(BASE, raise_by(1))
    rows = [row for row in logged.rows if row.assignment["units"] < 7]
    comparison = compare(logged, rows=rows)

    assert [7, 7] == [group.num_trials for group in comparison.groups]
    assert 7 == comparison.pairs[0].num_matched


def test_what_changed_is_reported() -> None:
    """Each comparison says what was changed between its groups."""
    (pair,) = compare(
        put_together(log_sweep(FRIDAY, BASE, commit="aa"), log_sweep(SATURDAY, BASE, commit="bb"))
    ).pairs

    assert any("aa -> bb" in line for line in pair.changes.lines())


def test_days_that_are_identical_are_no_comparisons() -> None:
    """A night that changed nothing at all does not weaken what the next one shows."""
    base = [[float(units)] for units in range(7)]
    better = [[value + 0.5] for (value,) in base]
    logs = [log_sweep(f"2026-11-{day}_10-00-00", base) for day in (10, 11, 12)]
    finding = compare(put_together(*logs, log_sweep(FRIDAY, better))).pairs[-1].finding

    assert (Conclusion.BETTER, 0.015625) == (finding.verdict, finding.corrected_p_value)
