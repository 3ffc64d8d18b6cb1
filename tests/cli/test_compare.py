"""`compare` as it is typed: real sweeps, real event files, a terminal of 80 columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from hparams_lab.logdir.layout import ExperimentDir
from tests.cli.conftest import Program

MODULE = '''"""How high is the hill?"""
import random
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric
import hparams_lab as lab

def load_data():
    return list(range(40)), [0, 1] * 20

def train(run):
    luck = random.Random(run.seed).gauss(0, 0.02)
    {split}
    return {{"height": run.hparams["x"] + luck + {gain}, "cost": 1.0}}

EXPERIMENT = lab.Experiment(
    name="hill",
    hparams=[HParam("x", Discrete([1, 2, 3, 4, 5, 6]))],
    metrics=[Metric("height"), Metric("cost")],
    objective=lab.maximize("height"),
    load_data=load_data,
    train=train,
)
'''


class Hill:
    """Runs sweeps of the hill, raised by a gain, and moves them to a day."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def sweep(self, day: str, *options: str, gain: float = 0.0, splits: bool = False) -> None:
        split = "run.split(*run.data)" if splits else "pass"
        Path("experiments/hill.py").write_text(MODULE.format(gain=gain, split=split))
        assert 0 == self._program("run", "hill", "--executor=inline", *options)
        path = ExperimentDir(Path("logs/hill")).find_sweeps()[-1].path
        moved = path.with_name(f"{day}_12-00-00")
        sweep_file = path / "sweep.json"
        sweep_file.write_text(sweep_file.read_text().replace(path.name, moved.name))
        path.rename(moved)


@pytest.fixture
def hill(program: Program) -> Hill:
    """Return what sweeps the hill."""
    return Hill(program)


Told = Any


@pytest.fixture
def compare(program: Program, capsys: pytest.CaptureFixture[str]) -> Told:
    """Calls `compare hill` with flags and returns what it prints."""

    def call(*words: str) -> str:
        capsys.readouterr()
        assert 0 == program("compare", "hill", *words)
        return capsys.readouterr().out

    return call


def test_a_real_change_is_seen(hill: Hill, compare: Told) -> None:
    """One changed line that raises the hill is seen, and shown."""
    hill.sweep("2026-11-20")
    hill.sweep("2026-11-21", gain=0.5)
    title, verdict, *_ = told = compare().splitlines()

    assert "hill by day: height (maximize)" == title
    assert verdict.startswith("2026-11-21 against 2026-11-20: better by 0.5 (")
    assert "6 matched trials" in verdict
    assert any("+ 0.5" in line and line.lstrip().startswith("+") for line in told)


def test_a_run_with_new_seeds_is_no_evidence(hill: Hill, compare: Told) -> None:
    """The same code with other seeds comes out otherwise, which is no evidence of anything."""
    hill.sweep("2026-11-20")
    hill.sweep("2026-11-21", "--seed=1")
    verdict = compare().splitlines()[1]

    assert verdict.startswith("2026-11-21 against 2026-11-20: no evidence (")


def test_the_same_run_again_is_identical(hill: Hill, compare: Told) -> None:
    """The same code with the same seeds comes out the same, and is said to."""
    hill.sweep("2026-11-20")
    hill.sweep("2026-11-21")

    assert "no evidence: identical in all 6 pairs" in compare()


def test_hold_outs_of_other_seeds_are_named(hill: Hill, compare: Told) -> None:
    """Runs that split the data by other seeds were judged on other rows, which is said."""
    hill.sweep("2026-11-20", splits=True)
    hill.sweep("2026-11-21", "--seed=1", gain=0.5, splits=True)
    verdict = compare().splitlines()[1]

    assert "no evidence (6 matched trials): judged on different hold-outs, of seeds 0" in verdict
    assert "--seed=0" in verdict


def test_folds_are_compared_fold_by_fold(hill: Hill, compare: Told) -> None:
    """With folds, each fold that both days held out is one value."""
    hill.sweep("2026-11-20", "--folds=6", splits=True)
    hill.sweep("2026-11-21", "--folds=6", gain=0.5, splits=True)
    verdict = compare().splitlines()[1]

    assert "better by 0.5 (" in verdict
    assert "6 matched trials, 6 folds" in verdict


def test_json_has_everything(hill: Hill, compare: Told) -> None:
    """As JSON, groups, pairs, evidence, directories and changes are one document."""
    hill.sweep("2026-11-20")
    hill.sweep("2026-11-21", gain=0.5)
    data = json.loads(compare("--format=json"))
    (pair,) = data["pairs"]

    assert ("hill", "day") == (data["experiment"], data["by"])
    assert ["2026-11-20", "2026-11-21"] == [group["label"] for group in data["groups"]]
    assert all(Path(group["best"]["dir"]).is_dir() for group in data["groups"])
    assert ("better", 6) == (pair["finding"]["verdict"], pair["num_matched"])
    assert 0.03125 == pair["finding"]["evidence"]["p_value"]
    assert pair["changes"]["code"]["files"]


@pytest.mark.parametrize(
    ("flag", "days", "trials"),
    [
        ("--since=2026-11-21", ["2026-11-21", "2026-11-22"], 6),
        ("--until=2026-11-21", ["2026-11-20", "2026-11-21"], 6),
        ("--where=x > 4", ["2026-11-20", "2026-11-21", "2026-11-22"], 2),
    ],
    ids=["since", "until", "where"],
)
def test_the_selection_is_heeded(
    hill: Hill, compare: Told, flag: str, days: list[str], trials: int
) -> None:
    """Only sweeps of the time, and trials of the condition, that are named are compared."""
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        hill.sweep(day)
    data = json.loads(compare(flag, "--format=json"))
    found = [(group["label"], group["num_trials"]) for group in data["groups"]]

    assert [(day, trials) for day in days] == found


def test_a_baseline_is_heeded(hill: Hill, compare: Told) -> None:
    """With a baseline, both other days are held against it."""
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        hill.sweep(day)
    told = compare("--baseline=2026-11-21")

    assert "2026-11-20 against 2026-11-21: " in told
    assert "2026-11-22 against 2026-11-21: " in told


def test_a_condition_that_nothing_meets_is_said(hill: Hill, compare: Told) -> None:
    """Where no trial is meant, there are no empty tables."""
    hill.sweep("2026-11-20")
    told = compare("--where=x > 99").splitlines()

    assert ["no trial has begun, or none is meant by --where"] == told[1:]


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--by=week", "--by must be a day, a sweep or a commit; got 'week'"),
        ("--baseline=yesterday", "--baseline must name one of the groups; got 'yesterday'"),
        ("--format=csv", "--format must name a format; got 'csv'"),
    ],
    ids=["by", "baseline", "format"],
)
def test_what_cannot_be_obeyed_is_said(
    hill: Hill, program: Program, capsys: pytest.CaptureFixture[str], flag: str, told: str
) -> None:
    """A wrong word is told in one line, and the exit code is 2."""
    hill.sweep("2026-11-20")
    capsys.readouterr()

    assert 2 == program("compare", "hill", flag)
    assert told in capsys.readouterr().err


def test_it_fits_a_terminal(hill: Hill, compare: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns, no line is longer, and the tables leave nothing out."""
    monkeypatch.setenv("COLUMNS", "80")
    hill.sweep("2026-11-20")
    hill.sweep("2026-11-21", "--repeats=2", gain=0.5)
    told = compare("--by=sweep")

    assert all(cell_len(line) <= 80 for line in told.splitlines())
    assert "left out to fit the width" not in told
