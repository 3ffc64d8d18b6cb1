from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hparams_lab.analysis.changes.changes import Stage, describe_changes
from hparams_lab.runs.sweep import Resumption, Sweep
from tests.support.changed_sweeps import make_provenance, make_side, write_sources
from tests.support.factories import FRIDAY, SATURDAY, make_sweep

RESUMED = datetime(2026, 11, 22, 10).astimezone()


def make_resumed(sweep_id: str, digests: str) -> Sweep:
    """Return a sweep that was resumed hour by hour, with the code of each of the digests."""
    stages = [make_provenance(commit=digest * 8, code_digest=digest) for digest in digests]
    resumptions = [
        Resumption((RESUMED + timedelta(hours=hour)).isoformat(), provenance)
        for hour, provenance in enumerate(stages[1:])
    ]
    return make_sweep(sweep_id, provenance=stages[0], resumptions=resumptions)


@pytest.mark.parametrize(
    ("hours", "number", "commit"),
    [(-1.0, 0, "aaaaaaaa"), (0.5, 1, "bbbbbbbb"), (5.0, 2, "aaaaaaaa")],
    ids=["before", "between", "after"],
)
def test_a_run_is_of_the_code_of_its_time(
    tmp_path: Path, hours: float, number: int, commit: str
) -> None:
    """The last resumption before a run began says what it ran."""
    start = (RESUMED + timedelta(hours=hours)).timestamp()
    side = make_side(tmp_path, make_resumed(SATURDAY, "aba"), start_secs=start)
    stage = Stage(side.sweeps[0], side.sweep_dirs[0], side.records)

    assert (number, commit) == (stage.number, stage.provenance.commit_label)


@pytest.mark.parametrize(
    ("digests", "archive"),
    [("a", 0), ("ab", 1), ("aab", 2), ("aba", 0), ("abb", 1)],
)
def test_the_archive_is_that_of_the_first_with_the_code(
    tmp_path: Path, digests: str, archive: int
) -> None:
    """A resumption has an archive only where it brought code that was not there yet."""
    side = make_side(tmp_path, make_resumed(SATURDAY, digests))
    stage = Stage(side.sweeps[0], side.sweep_dirs[0], [])

    assert side.sweep_dirs[0].source_file(archive) == stage.source_file


def test_two_halves_of_a_resumed_sweep_are_compared(tmp_path: Path) -> None:
    """Runs from before and after a resumption with other code differ in that code."""
    sweep = make_resumed(FRIDAY, "ab")
    late = make_side(tmp_path / "late", sweep, start_secs=RESUMED.timestamp() + 1)
    early = make_side(tmp_path / "early", sweep, start_secs=RESUMED.timestamp() - 1)
    write_sources(late.sweep_dirs[0].source_file(1), {"toy.py": "SIZE = 5\n"})
    lines = describe_changes(early, late).lines()

    assert ["commit: aaaaaaaa -> bbbbbbbb", "toy.py: 1 line added, 1 removed"] == lines[:2]
