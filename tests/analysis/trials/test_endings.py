"""In which way a trial failed: its label for readers, its facts for conditions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.analysis.where import Condition
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from tests.support.factories import SATURDAY, make_record, make_sweep


def row_of(endings: Sequence[Ending | None], *, attempt: int = 0) -> TrialRow:
    """Return the trial of runs that ended so."""
    sweep_dir = SweepDir(Path("/logs/toy") / SATURDAY)
    records = [
        make_record(
            sweep_dir.run_dir("0000-abcdef01", repeat=repeat, attempt=attempt),
            {"x": 1.0},
            {"accuracy": 0.5},
            ending=ending,
        )
        for repeat, ending in enumerate(endings)
    ]
    (row,) = rank_trials(records, [make_sweep(repeats=len(endings))])
    return row


@pytest.mark.parametrize(
    ("endings", "told_label", "ending"),
    [
        ([Ending.COMPLETE], "SUCCESS", "complete"),
        ([None], "RUNNING", None),
        ([Ending.FAILED], "FAILURE", "failed"),
        ([Ending.TIMED_OUT], "FAILURE (timed out)", "timed out"),
        ([Ending.OUT_OF_MEMORY], "FAILURE (out of memory)", "out of memory"),
        ([Ending.COMPLETE, Ending.CRASHED], "FAILURE (crashed)", "crashed"),
        ([Ending.FAILED, Ending.CRASHED], "FAILURE (failed, crashed)", "failed, crashed"),
        ([Ending.INTERRUPTED] * 2, "FAILURE (interrupted)", "interrupted"),
        ([Ending.PRUNED], "PRUNED", "pruned"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failure_says_its_way(
    endings: Sequence[Ending | None], told_label: str, ending: str | None
) -> None:
    """The reader is told how a trial failed, unless it was train's own error."""
    row = row_of(endings)

    assert (told_label, ending) == (row.told_label, row.ending)


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        ('status == "FAILURE"', True),
        ('ending == "timed out"', True),
        ('ending in ["crashed", "timed out"]', True),
        ('ending == "crashed"', False),
        ("attempts > 1", True),
    ],
)
def test_conditions_know_the_way(text: str, is_match: bool) -> None:
    """`status` is the dashboard's word for every way to fail, `ending` says which it was."""
    row = row_of([Ending.TIMED_OUT], attempt=2)

    assert is_match is Condition.parse(text).matches(row.facts)


def test_attempts_are_those_of_the_run_that_took_most() -> None:
    """A trial whose run was made again twice has three attempts."""
    assert (1, 3) == (row_of([Ending.COMPLETE]).attempts, row_of([None], attempt=2).attempts)
