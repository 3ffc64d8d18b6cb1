"""`show`: the table of trials, what is selected of them, and the same as a document."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.logdir.layout import experiment_dir
from tests.cli.conftest import Program


def test_show_ranks_the_trials(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """The best trial comes first, with its values."""
    assert 0 == swept("show", "hill")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("3 of 3 trials, 3 SUCCESS")
    assert ["8", "4", "0"] == [line.split()[1] for line in lines[3:]]


def test_show_needs_no_module(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading what is logged needs the log directory alone."""
    shutil.rmtree("experiments")

    assert 0 == swept("show", "hill")
    assert "3 SUCCESS" in capsys.readouterr().out


def test_failed_trials_come_last(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials that failed stand behind those that did not, and a column says so."""
    program("run", "hill", "--executor=inline")
    capsys.readouterr()
    program("show", "hill")

    lines = capsys.readouterr().out.splitlines()
    assert "3 SUCCESS, 3 FAILURE" in lines[0]
    assert ["SUCCESS"] * 3 + ["FAILURE"] * 3 == [line.split()[1] for line in lines[3:]]


def test_top_limits_the_rows(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--top=1` shows one row and says how many it leaves out."""
    swept("show", "hill", "--top=1")

    lines = capsys.readouterr().out.splitlines()
    assert 5 == len(lines)
    assert "2 more trials" == lines[-1]


def test_all_sweeps_can_be_shown_together(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """`all` ranks the trials of every sweep, each under its sweep's id."""
    swept("run", "hill", "--executor=inline", "--set=kind=good")
    capsys.readouterr()
    swept("show", "hill", "all")

    lines = capsys.readouterr().out.splitlines()
    ids = [sweep.id for sweep in experiment_dir("logs", "hill").find_sweeps()]
    assert lines[0].endswith("6 of 6 trials, 6 SUCCESS")
    assert set(ids) == {line.split("/")[0] for line in lines[3:]}


@pytest.mark.slow
@pytest.mark.parametrize("word", ["2020", "20"], ids=["none", "several"])
def test_a_sweep_must_be_named_without_doubt(
    swept: Program, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """A sweep's id may be cut short as long as it says which one is meant."""
    swept("run", "hill", "--executor=inline", "--set=kind=good")
    capsys.readouterr()

    assert 2 == swept("show", "hill", word)
    assert word in capsys.readouterr().err


def test_where_sort_and_top_choose_rows(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of which a condition is true come by the column, the first of them only."""
    assert 0 == swept("show", "hill", "--where=height < 8", "--sort=x", "--top=1")

    lines = capsys.readouterr().out.splitlines()
    assert "2 trials match (height < 8)" == lines[1]
    assert ["0", "0"] == lines[-2].split()[1:3]
    assert "1 more trial" == lines[-1]


def test_sorted_column_is_shown(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """What the rows are sorted by is a column, though the table would not have it."""
    swept("show", "hill", "--sort=-seed")

    header, *rows = (line.split() for line in capsys.readouterr().out.splitlines()[2:])
    seeds = [int(row[1]) for row in rows]
    assert ["trial", "seed", "height"] == header[:3]
    assert sorted(seeds, reverse=True) == seeds


def test_no_match_is_reported(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no trial matches, the sentence stands alone, without a table."""
    assert 0 == swept("show", "hill", "--where=height > 99")

    assert "0 trials match (height > 99)" == capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--where=heigth > 1", "Did you mean 'height'"),
        ("--where=height > 'a'", "values of one kind"),
        ("--where=height >", "a condition must be like"),
        ("--sort=heigth", "Did you mean 'height'"),
        ("--since=2999-01-01", "its newest is 20"),
        ("--format=yaml", "Choose of table, json"),
        ("--top=0", "--top must be at least 1"),
    ],
)
def test_bad_flags_are_refused(
    swept: Program, capsys: pytest.CaptureFixture[str], flag: str, sentence: str
) -> None:
    """A selection that cannot be made ends with one sentence and exit code 2."""
    assert 2 == swept("show", "hill", flag)
    printed = capsys.readouterr()

    assert "" == printed.out
    assert sentence in printed.err


def show_json(program: Program, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Return the document that `show` prints."""
    capsys.readouterr()
    assert 0 == program("show", "hill", "--format=json", *words)
    return json.loads(capsys.readouterr().out)


def test_document_has_all_of_a_trial(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has hparams, metrics and status of a trial, and seed, times and path of its runs."""
    document = show_json(swept, capsys, "--where=x == 4")
    (trial,) = document["trials"]
    (run,) = trial["runs"]

    assert (3, 1) == (document["num_trials"], document["num_matching"])
    assert {"x": 4.0, "kind": "good"} == trial["hparams"]
    assert {"height": 8.0, "cost": 1.0} == trial["metrics"]
    assert ("SUCCESS", 8.0) == (trial["status"], trial["objective"])
    assert Path(run["path"]).is_dir() and Path(run["path"]).is_absolute()
    assert datetime.fromisoformat(run["started"]) <= datetime.fromisoformat(run["ended"])
    assert datetime.fromisoformat(run["started"]).tzinfo is not None
    assert isinstance(run["seed"], int)


def test_document_says_why_runs_failed(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed run has its traceback, and no value of the objective."""
    program("run", "hill", "--executor=inline", "--set=kind=bad", "--trials=1")
    (trial,) = show_json(program, capsys)["trials"]

    assert ("FAILURE", None) == (trial["status"], trial["objective"])
    assert "ValueError: no such hill" in trial["runs"][0]["failure"]


def test_document_has_spreads(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Repeats of a trial have their spread, and a run each."""
    program("run", "hill", "--executor=inline", "--set=kind=good", "--set=x=4", "--repeats=2")
    document = show_json(program, capsys)
    (trial,) = document["trials"]

    assert 2 == len(trial["runs"]) == document["sweeps"][0]["repeats"]
    assert {"std": 0.0, "count": 2, "ci95_low": 8.0, "ci95_high": 8.0} == trial["spreads"]["height"]


def test_top_limits_the_document(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has the rows that the table would have, in the same order."""
    document = show_json(swept, capsys, "--sort=x", "--top=2")

    assert [0.0, 2.0] == [trial["hparams"]["x"] for trial in document["trials"]]
