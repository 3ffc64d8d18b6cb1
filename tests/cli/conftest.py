"""A working directory with one experiment in it, and the program, called in process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.cli.main import main

MODULE = '''"""How high is the hill?"""
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval
import hparams_lab as lab

def train(run):
    if run.hparams["kind"] == "bad":
        raise ValueError("no such hill")
    return {"height": run.hparams["x"] * 2, "cost": 1.0}

EXPERIMENT = lab.Experiment(
    name="hill",
    hparams=[lab.Axis(HParam("x", RealInterval(0.0, 4.0)), grid_points=3),
             HParam("kind", Discrete(["bad", "good"]))],
    metrics=[Metric("height"), Metric("cost")],
    objective=lab.maximize("height"),
    train=train,
)
'''

Program = Callable[..., int]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the experiment `hill`; half of its grid fails."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "hill.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def program(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Calls the program with words and returns its exit code."""

    def call(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(argv=list(words))
        return int(ended.value.code or 0)

    return call


@pytest.fixture
def swept(program: Program, capsys: pytest.CaptureFixture[str]) -> Program:
    """The program, after a sweep of the good half of the grid; its output is discarded."""
    program("run", "hill", "--executor=inline", "--set=kind=good")
    capsys.readouterr()
    return program
