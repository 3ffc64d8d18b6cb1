"""The trials that no other one beats in both of two metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hparams_lab.analysis.trials.goal import MetricGoal
from hparams_lab.analysis.trials.rows import TrialRow


def find_front(rows: Sequence[TrialRow], first: MetricGoal, second: MetricGoal) -> list[TrialRow]:
    """Return the trials that none beats: better in one metric and no worse in the other.

    Trials that are equal in both metrics stand or fall together.

    Args:
        rows: in any order; those that were stopped early, did not succeed, or lack one of the
            metrics or have NaN for it, are passed over.
        first: the metric that orders the list.
        second: the other metric.

    Returns:
        Best first by the first metric, so worst first by the second; equals in the order
        they came.
    """
    ranked = sorted(
        list_comparable(rows, first, second),
        key=lambda row: (first.rank(first.value_of(row)), second.rank(second.value_of(row))),
    )
    front: list[TrialRow] = []
    for row in ranked:
        if not front or _beats_or_equals(row, front[-1], first, second):
            front.append(row)
    return front


def list_comparable(
    rows: Sequence[TrialRow], first: MetricGoal, second: MetricGoal
) -> list[TrialRow]:
    """Return the complete trials that have both metrics."""
    return [
        row
        for row in rows
        if row.is_complete
        and not math.isnan(first.value_of(row))
        and not math.isnan(second.value_of(row))
    ]


def _beats_or_equals(row: TrialRow, last: TrialRow, first: MetricGoal, second: MetricGoal) -> bool:
    """Return whether a row, no better in the first metric, belongs beside the front's last."""
    is_equal = all(metric.value_of(row) == metric.value_of(last) for metric in (first, second))
    return is_equal or second.rank(second.value_of(row)) < second.rank(second.value_of(last))
