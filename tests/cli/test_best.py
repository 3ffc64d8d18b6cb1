"""`best`: the best trial of a selection, and how to run it again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def test_best_prints_the_whole_trial(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`best` prints values, metrics, seed, directory and the command that runs it again."""
    assert 0 == swept("best", "hill")

    printed = capsys.readouterr().out
    facts = dict(line.split(maxsplit=1) for line in printed.splitlines()[1:-1])
    assert (facts["x"], facts["kind"], facts["height"]) == ("4.0", "good", "8")
    assert Path(facts["directory"]).is_dir()


def test_the_replayed_run_has_the_same_seed(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that `best` prints runs the same values with the same run seed."""
    swept("best", "hill")
    before = capsys.readouterr().out.splitlines()
    replay = shlex.split(before[-1].removeprefix("replay: hparams_lab "))
    assert 0 == swept(*replay, "--executor=inline")
    capsys.readouterr()
    swept("best", "hill")

    after = capsys.readouterr().out.splitlines()
    assert next(line for line in before if "run seed" in line) in after


def test_best_needs_a_success(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every trial failed, `best` says so and names the command that shows them."""
    program("run", "hill", "--executor=inline", "--set=kind=bad")
    capsys.readouterr()

    assert 2 == program("best", "hill")
    assert "has no successful trial" in capsys.readouterr().err


def test_best_of_those_that_match(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--where` leaves out trials, the best one too."""
    assert 0 == swept("best", "hill", "--where=height < 8")

    title, x, *_ = capsys.readouterr().out.splitlines()
    assert "best of 2 trials" in title
    assert ["x", "2.0"] == x.split()


def test_best_of_the_days_that_are_meant(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--since` takes the best of all sweeps since then, not of the newest alone."""
    swept("run", "hill", "--executor=inline", "--set=kind=good", "--set=x=0")
    capsys.readouterr()
    swept("best", "hill", "--since=1h")

    title, x, *_ = capsys.readouterr().out.splitlines()
    assert "best of 4 trials" in title
    assert ["x", "4.0"] == x.split()


def test_no_match_has_no_best(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no trial matches, a sentence says so and names the command that shows why."""
    assert 2 == swept("best", "hill", "--where=height > 99")

    assert "where height > 99" in capsys.readouterr().err


def test_document_has_the_replay(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has the trial, its sweep, and the command that the text has."""
    swept("best", "hill")
    replay = capsys.readouterr().out.splitlines()[-1]
    assert 0 == swept("best", "hill", "--format=json")

    document = json.loads(capsys.readouterr().out)
    assert f"replay: {document['replay']}" == replay
    assert {"x": 4.0, "kind": "good"} == document["trial"]["hparams"]
    assert document["sweep"]["sweep"] == document["trial"]["sweep"]
    assert "height" == document["sweep"]["objective"]["metric"]
