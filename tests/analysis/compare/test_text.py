"""What a comparison says in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import markdown
import pytest

from hparams_lab.analysis.compare.comparison import Comparison, compare
from hparams_lab.analysis.compare.text import (
    format_best,
    format_markdown,
    format_verdict,
    list_remarks,
    list_unmatched,
    name_comparison,
    tabulate_origins,
    tabulate_results,
)
from hparams_lab.analysis.compare.verdict import Conclusion
from hparams_lab.declare.objective import minimize
from hparams_lab.events.schema import Ending
from hparams_lab.runs.sweep import Resumption
from tests.support.day_sweeps import log_days, log_sweep, put_together
from tests.support.factories import FRIDAY, SATURDAY

LEVELS = [[float(level)] for level in range(8)]
RAISED = [[level + 0.25 + level / 64] for (level,) in LEVELS]


def say(before: Any, after: Any, **options: Any) -> str:
    """Return the sentence on two days."""
    (pair,) = compare(log_days(before, after, **options)).pairs
    return format_verdict(pair)


def test_a_verdict_comes_first_and_says_how_much() -> None:
    """The sentence names both days, the verdict, its size, and what it rests on."""
    assert (
        "2026-11-21 against 2026-11-20: better by 0.305 (95 % interval 0.271 to 0.339; "
        "p = 0.0078; 8 matched trials, d = 8)"
    ) == say(LEVELS, RAISED)


def test_a_lower_loss_is_better_by_a_positive_size() -> None:
    """Where less is better, the size of what was gained has no sign either."""
    assert "better by 0.305 (95 % interval 0.271 to 0.339;" in say(
        RAISED, LEVELS, objective=minimize("loss")
    )


def test_no_evidence_says_what_would_be() -> None:
    """Without evidence, the difference has a sign, and repeats that would show it a number."""
    told = say(LEVELS, [[level + (-1) ** int(level) + 0.5] for (level,) in LEVELS])

    assert "no evidence (+0.5; 95 % interval -0.5 to 1.5; p = 0.28;" in told
    assert told.endswith("--repeats=5 would show a difference of this size")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (LEVELS, "no evidence: identical in all 8 pairs (8 matched trials)"),
        (RAISED[:3], "no evidence (+0.266; too few for an interval; p = 0.25; 3 matched"),
        ({0: [0.5]}, "one run a side does not show the noise: run both with --repeats"),
        ([[level + (-1) ** int(level)] for (level,) in LEVELS], "is too small to matter here"),
    ],
    ids=["identical", "few", "one", "tiny"],
)
def test_no_evidence_says_why(after: Any, told: str) -> None:
    """Values that are identical, too few, or too near each other are said to be so."""
    assert told in say(LEVELS, after)


def test_splits_are_reported() -> None:
    """Where splits were compared, the sentence counts them, and says what would show more."""
    days = [(FRIDAY, 0), ("2026-11-20_22-00-00", 1), (SATURDAY, 2)]
    logs = [log_sweep(sweep_id, LEVELS, seed=seed, splits=True) for sweep_id, seed in days]
    (pair,) = compare(put_together(*logs)).pairs

    assert "8 matched trials, 2 and 1 split of the data" in format_verdict(pair)
    assert format_verdict(pair).endswith("with the same --seed on both sides")


def test_folds_are_reported() -> None:
    """Where folds were compared, the sentence says of how many."""
    before = [[level, level + 1.0] * 3 for (level,) in LEVELS]
    after = [[value + 0.5 + 0.01 * n for n, value in enumerate(row)] for row in before]

    assert "8 matched trials, 6 folds, d = " in say(before, after, folds=2)


def test_what_was_not_compared_is_reported() -> None:
    """Points of one day only, and trials that failed, are counted under the verdict."""
    (pair,) = compare(
        put_together(
            log_sweep(FRIDAY, LEVELS, endings={0: Ending.FAILED}), log_sweep(SATURDAY, RAISED[:7])
        )
    ).pairs

    assert ["1 point only in 2026-11-20", "trials left out: 1 FAILURE"] == list_unmatched(pair)


def test_other_data_is_no_verdict() -> None:
    """Where the data is not the same, all trials may have been judged on other rows."""
    (pair,) = compare(
        put_together(log_sweep(FRIDAY, LEVELS, data="aa"), log_sweep(SATURDAY, RAISED, data="bb"))
    ).pairs

    assert Conclusion.NO_EVIDENCE is pair.finding.verdict
    assert pair.finding.problem.startswith("judged on other data")


def test_a_single_day_of_several_sweeps_is_pointed_to_them() -> None:
    """Where there is but one day, its sweeps may be compared."""
    logged = put_together(log_sweep(FRIDAY, LEVELS), log_sweep("2026-11-20_22-00-00", LEVELS))
    (remark,) = list_remarks(compare(logged))

    assert remark.startswith("2026-11-20 is the only day")
    assert remark.endswith("try --by=sweep")


def make_comparison() -> Comparison:
    """Return a comparison of two days with a failure in it, whose title has an underscore."""
    return compare(log_days(LEVELS, RAISED, endings={7: Ending.FAILED}, commit="a|b"), by="sweep")


def test_the_tables_have_a_row_for_each_group() -> None:
    """Every column has a cell for each group, and only statuses that occur have one."""
    comparison = make_comparison()
    results, origins = tabulate_results(comparison), tabulate_origins(comparison)

    assert {2} == {len(cells) for cells in (*results.values(), *origins.values())}
    assert ["8", "8"] == results["trials"]
    assert (["7", "7"], ["1", "1"]) == (results["ok"], results["failure"])
    assert "pruned" not in results


def test_the_best_trial_is_named_in_full() -> None:
    """The best trial has value, sweep, id and assignment, by which it can be run again."""
    group = make_comparison().groups[0]
    assert group.best is not None

    assert f"best of {FRIDAY}: 6 by {FRIDAY}/{group.best.trial}: units=6" == format_best(group)


def test_markdown_has_the_same_words() -> None:
    """As TensorBoard renders it, Markdown has title, verdict, tables and what changed."""
    comparison = make_comparison()
    page = markdown.markdown(format_markdown(comparison), extensions=["markdown.extensions.tables"])

    assert f"<h2>{name_comparison(comparison)}</h2>" in page
    assert f"<strong>{format_verdict(comparison.pairs[0])}.</strong>" in page
    assert (2, 4) == (page.count("<table>"), page.count(f"<td>{FRIDAY}</td>") * 2)
    assert "<td>a|b</td>" in page
    assert f"<h3>What changed from {FRIDAY} to {SATURDAY}</h3>" in page


def test_a_sweep_gone_on_with_is_not_sent_to_itself() -> None:
    """Who compares by sweep is not told to compare by sweep."""
    sweep, runs = log_sweep(FRIDAY, [[0.1]])
    states = [replace(sweep.provenance, code_digest=digest) for digest in "ab"]
    resumed = Resumption("2026-11-20T19:00:00+01:00", states[1])
    sweep = replace(sweep, provenance=states[0], resumptions=(resumed,))
    remarks = list_remarks(compare(put_together((sweep, runs)), by="sweep"))

    assert f"{FRIDAY}: its runs are of 2 states of the code" in remarks
