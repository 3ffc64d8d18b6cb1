"""`doctor`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hparams_lab.logdir.layout import ExperimentDir
from tests.cli.conftest import Program
from tests.support.sick_logdir import make_healthy, sweep_of, write_session


@pytest.fixture
def home(workplace: Path) -> ExperimentDir:
    """Two sweeps in ./logs that nothing is wrong with."""
    return make_healthy(workplace / "logs")


@pytest.mark.parametrize("words", [[], ["toy"]], ids=["all", "one"])
def test_a_healthy_log_directory_is_reported(
    words: list[str], home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing is wrong the exit code is 0, and the installation is described."""
    assert 0 == program("doctor", *words)
    lines = capsys.readouterr().out.splitlines()
    assert "nothing is wrong" == lines[-1]
    assert lines[0].startswith("Python 3.")


def test_nothing_logged_is_no_problem(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a log directory the installation alone is examined."""
    assert 0 == program("doctor")
    assert "no experiment" in capsys.readouterr().out


def test_problems_are_told_then_mended(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1 as long as something is wrong, and 0 once --fix has mended all."""
    home.config_file.unlink()
    codes = [program("doctor"), program("doctor", "--fix"), program("doctor")]

    printed = capsys.readouterr().out
    assert [1, 0, 0] == codes
    assert "1 problem, 1 of which --fix mends" in printed
    assert "mended: wrote the hparams_config of toy anew" in printed


def test_what_fix_leaves_is_reported(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """What --fix cannot mend is still a problem afterwards, with the command to type."""
    home.config_file.unlink()
    write_session(home.path / "other", {"units": 8, "rate": 0.1}, has_config=True)

    assert 1 == program("doctor", "toy", "--fix")
    printed = capsys.readouterr().out
    assert "mended: wrote" in printed
    assert "hparams_lab archive toy other" in printed


def test_the_advised_command_can_be_typed(home: ExperimentDir, program: Program) -> None:
    """What the doctor tells to type makes the problem go away."""
    write_session(home.path / "from torch" / "1", {"units": 8, "rate": 0.1}, has_config=True)

    assert 1 == program("doctor")
    assert 0 == program("archive", "toy", "from torch/1")
    assert 0 == program("doctor")


def test_json_has_every_path(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--format=json` is one document with the installation, findings and what was mended."""
    home.config_file.unlink()
    program("doctor", "--format=json")
    found = json.loads(capsys.readouterr().out)
    program("doctor", "--fix", "--format=json")
    mended = json.loads(capsys.readouterr().out)

    assert [str(home.config_file)] == found["findings"][0]["paths"]
    assert ["toy"] == found["experiments"]
    assert ([], ["stale config"]) == (mended["findings"], [m["kind"] for m in mended["mended"]])


def test_an_experiment_without_a_whole_sweep_is_examined(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left of an experiment can be examined though no command can read it."""
    for sweep_dir in home.sweep_dirs:
        sweep_of(home, sweep_dir.id).sweep_file.write_text("?")

    assert 1 == program("doctor", "toy")
    assert "2 problems" in capsys.readouterr().out


def test_lines_fit_the_terminal(
    home: ExperimentDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sentences are broken between words; only a path or a command to copy may be longer."""
    monkeypatch.setenv("COLUMNS", "60")
    write_session(home.path / "other", {"units": "many", "rate": 0.1}, has_config=True)
    program("doctor")

    lines = capsys.readouterr().out.splitlines()
    long = [line for line in lines if len(line) > 60 and "hparams_lab " not in line]
    assert all(len(line.split()) == 1 for line in long)
    assert len(lines) > 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["doctor", "tay"], "Did you mean 'toy'"),
        (["doctor", ".."], "no experiment begins with a dot"),
        (["doctor", "--format=xml"], "--format must name a format"),
    ],
    ids=" ".join,
)
def test_mistakes_are_reported(
    words: list[str],
    message: str,
    home: ExperimentDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be obeyed is one sentence."""
    assert 2 == program(*words)
    assert message in capsys.readouterr().err
