from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.objective import maximize
from hparams_lab.errors import DeclarationError, LogdirError, UsageError
from hparams_lab.events.schema import Ending
from hparams_lab.interop.columns import list_values
from hparams_lab.interop.imported import ImportedRun, ImportedSearch, ImportedTrial, write_sweep
from hparams_lab.stats.interval import summarize
from tests.support.imported_search import read_logged
from tests.support.oracle import count_configs

START = datetime(2026, 11, 20, 18, 0, 7)


def make_run(score: float, **changes: Any) -> ImportedRun:
    """Return a run that came to a score."""
    return replace(ImportedRun(Ending.COMPLETE, {"score": [(0, score)]}), **changes)


def make_search(*trials: Sequence[ImportedRun], **changes: Any) -> ImportedSearch:
    """Return a search over the depth, 1 more in each trial."""
    search = ImportedSearch(
        name="toy",
        tool="a tool",
        strategy="search",
        columns=[list_values("depth", range(1, 1 + len(trials)))],
        trials=[ImportedTrial(i, {"depth": i + 1}, runs) for i, runs in enumerate(trials)],
        metrics=["score"],
        objective=maximize("score"),
    )
    return replace(search, **changes)


def test_trials_are_rows_of_the_dashboard(tmp_path: Path) -> None:
    """TensorBoard shows each trial with its values and its score, and one config."""
    logged = read_logged(write_sweep(make_search([make_run(0.5)], [make_run(0.25)]), tmp_path))

    assert [1.0, 2.0] == logged.hparam("depth")
    assert [0.5, 0.25] == logged.column("score")
    assert ["depth"] == logged.board.differing
    assert 1 == count_configs(tmp_path / "toy")


def test_folds_are_runs_with_a_spread(tmp_path: Path) -> None:
    """A trial of several runs has its spread beside the mean, as a sweep of ours has."""
    runs = [make_run(score) for score in (0.5, 0.25, 0.75)]
    logged = read_logged(write_sweep(make_search(runs, folds=3), tmp_path))
    spread = summarize([0.5, 0.25, 0.75], num_folds=3)

    assert ["r00f00", "r00f01", "r00f02"] == [run.dir.path.name for run in logged.runs]
    assert [0.5] == logged.column("score")
    assert [3.0] == logged.column("n/score")
    assert spread.std == pytest.approx(logged.column("std/score")[0])
    assert spread.low == pytest.approx(logged.column("ci95_low/score")[0])


def test_a_failed_run_fails_its_trial(tmp_path: Path) -> None:
    """A run that failed is a FAILURE with its reason beside it, and no spread is reported."""
    failed = ImportedRun(Ending.FAILED, {}, failure="out of memory")
    logged = read_logged(write_sweep(make_search([make_run(0.5), failed], folds=2), tmp_path))

    assert ["STATUS_SUCCESS", "STATUS_FAILURE"] == logged.board.statuses
    assert "out of memory\n" == logged.runs[1].dir.failure_file.read_text()
    assert [] == logged.column("n/score")


@pytest.mark.parametrize("score", [math.nan, math.inf, 1e300], ids=str)
def test_a_result_that_is_no_number_is_a_failure(tmp_path: Path, score: float) -> None:
    """A run whose objective the dashboard could not show has failed, whatever the tool says."""
    logged = read_logged(write_sweep(make_search([make_run(score)]), tmp_path))

    assert ["STATUS_FAILURE"] == logged.board.statuses
    assert "not a finite number" in logged.runs[0].dir.failure_file.read_text()


def test_a_pruned_trial_ranks_behind_full_ones(tmp_path: Path) -> None:
    """What a pruned run had reported has a column of its own and is no result."""
    pruned = ImportedRun(Ending.PRUNED, {"report/score": [(0, 0.9)]})
    logged = read_logged(write_sweep(make_search([pruned], [make_run(0.5)]), tmp_path))

    assert ["SUCCESS", "PRUNED"] == [row.label for row in logged.rows]
    assert [0.5] == logged.column("score")
    assert [pytest.approx(0.9)] == logged.column("report/score")


def test_runs_keep_their_times(tmp_path: Path) -> None:
    """Sessions begin and end when the tool ran them, and the sweep bears its start."""
    run = make_run(0.5, start_time_secs=START.timestamp(), wall_secs=2.5)
    path = write_sweep(make_search([run], start=START), tmp_path)
    logged = read_logged(path)

    assert "2026-11-20_18-00-07" == path.name
    assert START.timestamp() == logged.runs[0].start_time_secs
    assert 2.5 == logged.rows[0].wall_secs


def test_runs_without_times_end_as_they_are_imported(tmp_path: Path) -> None:
    """Where times are not known, none lies in the future, and how long it took counts."""
    run = make_run(0.5, wall_secs=2.5)
    logged = read_logged(write_sweep(make_search([run]), tmp_path, now=lambda: START))

    assert START.timestamp() == logged.runs[0].end_time_secs
    assert 2.5 == logged.rows[0].wall_secs


def test_steps_beyond_the_dashboards_do_not_break_it(tmp_path: Path) -> None:
    """A step that TensorBoard's table cannot hold is written as the last one that it can."""
    run = make_run(0.5, scalars={"score": [(2**40, 0.5)]})
    logged = read_logged(write_sweep(make_search([run]), tmp_path))

    assert [0.5] == logged.column("score")
    assert [2**31 - 1] == logged.runs[0].curves["score"].steps


def test_no_seed_is_claimed(tmp_path: Path) -> None:
    """A run of another tool has no seed of ours, and its card says where it is from."""
    search = make_search([make_run(0.5)])
    noted = replace(search.trials[0], notes={"candidate": "a|b"})
    logged = read_logged(write_sweep(replace(search, trials=[noted]), tmp_path))
    (event_file,) = logged.runs[0].dir.event_files

    assert logged.runs[0].seed is None
    assert b"| imported from | a tool, search |" in event_file.read_bytes()
    assert rb"| candidate | a\|b |" in event_file.read_bytes()


def test_importing_without_a_time_again_makes_another_sweep(tmp_path: Path) -> None:
    """Two imports of a search of no known time are two sweeps, and the first stays."""
    search = make_search([make_run(0.5)])
    first, second = write_sweep(search, tmp_path), write_sweep(search, tmp_path)

    assert first != second
    assert 2 == len(read_logged(first).board.session_groups)


def test_importing_with_a_time_again_is_refused(tmp_path: Path) -> None:
    """A search of a known time is imported once, as its rows would stand there twice."""
    search = make_search([make_run(0.5)], start=START)
    write_sweep(search, tmp_path)

    with pytest.raises(LogdirError, match=r"imported once; .*2026-11-20 18:00:07"):
        write_sweep(search, tmp_path)


def test_trial_ids_keep_the_tools_numbers(tmp_path: Path) -> None:
    """Where trials were left out, the others keep their places."""
    search = make_search([make_run(0.5)])
    tenth = replace(search.trials[0], index=12_345)
    logged = read_logged(write_sweep(replace(search, trials=[tenth]), tmp_path))

    assert logged.rows[0].trial_id.startswith("12345-")
    assert 1 == logged.sweep.max_trials


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        pytest.param({"trials": []}, UsageError, "a trial that has ended", id="no trial"),
        pytest.param({"columns": []}, UsageError, "must vary a parameter", id="no parameter"),
        pytest.param({"name": "a/b"}, DeclarationError, "must not contain a slash", id="name"),
        pytest.param({"metrics": ["n/score"]}, DeclarationError, "n/score", id="our own tag"),
        pytest.param(
            {"columns": [list_values("a=b", [1])]}, DeclarationError, "a=b", id="parameter"
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    """What makes no sweep is told in a sentence, and nothing is written."""
    with pytest.raises(error, match=message):
        write_sweep(make_search([make_run(0.5)], **changes), tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_columns_of_another_type_are_refused(tmp_path: Path) -> None:
    """A sweep that fits no column of those that are there leaves them alone."""
    write_sweep(make_search([make_run(0.5)], start=START), tmp_path)
    text = make_search([make_run(0.5)], columns=[list_values("depth", [1, None])])

    with pytest.raises(LogdirError, match="'depth' must keep its type"):
        write_sweep(text, tmp_path)
    assert [START.strftime("%Y-%m-%d_%H-%M-%S")] == [p.name for p in tmp_path.glob("toy/2*")]


def test_an_import_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Where a trial cannot be written, the sweep's directory is gone again."""
    search = make_search([make_run(0.5)])
    twice = replace(search, trials=[*search.trials, *search.trials])

    with pytest.raises(LogdirError, match="cannot write to the log directory"):
        write_sweep(twice, tmp_path)
    assert [] == list((tmp_path / "toy").iterdir())
