from __future__ import annotations

import json
from pathlib import Path

import pytest

from hparams_lab.events.write.config import read_config
from hparams_lab.logdir.layout import experiment_dir
from hparams_lab.runs.sweep import Sweep
from tests.cli.conftest import Program


def test_a_sweep_without_failures_exits_with_0(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """A good sweep prints a line a run, the best first in the table, and what to type next."""
    assert 0 == program("run", "hill", "--executor=inline", "--set=kind=good")

    lines = capsys.readouterr().out.splitlines()
    assert [line[:5] for line in lines[1:4]] == ["[1/3]", "[2/3]", "[3/3]"]
    assert ["trial", "height", "x", "cost", "secs"] == lines[5].split()
    assert "8" == lines[6].split()[1]
    assert lines[-1].startswith("  hparams_lab dashboard hill")


def test_a_sweep_with_failures_exits_with_1(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Failed runs are counted, told with their reason and file, and exit code 1 says so."""
    assert 1 == program("run", "hill", "--executor=inline")

    printed = capsys.readouterr().out
    assert "3 of 6 runs failed:" in printed
    assert "ValueError: no such hill (hill.py:7)" in printed
    assert "failure.txt" in printed


def test_a_dry_run_writes_nothing(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dry_run` prints axes, number of trials and the first of them, and writes nothing."""
    assert 0 == program("run", "hill", "--dry_run", "--set=x=0,4")

    printed = capsys.readouterr().out
    assert "x: a number in [0.0, 4.0]; grid 0.0, 4.0" in printed
    assert "4 trials, the first of them:\n  x=0.0 kind=bad" in printed
    assert not Path("logs").exists()


def test_trials_limits_the_sweep(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--trials=2` runs the first two points of the grid."""
    program("run", "hill", "--executor=inline", "--trials=2")

    assert "2 trials, grid" in capsys.readouterr().out
    sweep_dir = experiment_dir("logs", "hill").find_sweeps()[0]
    assert 2 == len(list(sweep_dir.find_run_dirs()))


def test_the_sweep_file_tells_how_it_was_launched(program: Program) -> None:
    """sweep.json has the narrowed space, the seed and the executor."""
    program("run", "hill", "--executor=inline", "--set=kind=good", "--seed=7", "--set=x=1,3")

    sweep = Sweep.read(experiment_dir("logs", "hill").find_sweeps()[0])

    assert [(1.0, 3.0), ("good",)] == [tuple(axis.levels) for axis in sweep.space]
    assert (sweep.seed, sweep.executor, sweep.workers, sweep.max_trials) == (7, "inline", 1, 2)


def test_a_name_may_be_a_path_or_a_module(program: Program) -> None:
    """NAME is an experiment of ./experiments, a path to a .py file, or a dotted module."""
    for name in ("hill", "experiments/hill.py", "experiments.hill"):
        assert 0 == program("run", name, "--dry_run")


def test_the_log_directory_can_be_elsewhere(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--logdir` moves the log directory, and the commands to type next name it."""
    elsewhere = tmp_path / "other place"
    program("run", "hill", "--executor=inline", "--trials=2", f"--logdir={elsewhere}")

    assert experiment_dir(elsewhere, "hill").find_sweeps()
    assert f"hparams_lab dashboard hill '--logdir={elsewhere}'" in capsys.readouterr().out


def test_an_unwritable_log_directory_is_one_line(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log directory that cannot be made is told in one line, exit code 2."""
    (tmp_path / "file").write_text("not a folder")

    assert 2 == program("run", "hill", "--executor=inline", "--logdir=file")
    assert 1 == capsys.readouterr().err.count("\n")


def test_a_new_experiment_runs_as_it_is(program: Program, workplace: Path) -> None:
    """What `new` writes is an experiment whose whole grid succeeds."""
    assert 0 == program("new", "mine")
    assert 0 == program("run", "mine", "--executor=inline")


def test_a_damaged_config_is_written_anew(program: Program) -> None:
    """The config is rebuilt from the sweeps, so damage to it stops nobody."""
    program("run", "hill", "--executor=inline", "--set=kind=good")
    config = experiment_dir("logs", "hill").config_file
    whole = config.read_bytes()
    config.write_bytes(whole[:-20] + b"x" + whole[-19:])

    assert 0 == program("run", "hill", "--executor=inline", "--set=kind=good")
    assert read_config(experiment_dir("logs", "hill")) is not None


def test_a_sweep_can_be_one_document(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--format=json` standard output has the trials as JSON and nothing else."""
    program("run", "hill", "--executor=inline", "--set=kind=good", "--format=json")

    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert [8.0, 4.0, 0.0] == [trial["objective"] for trial in document["trials"]]
    assert "3 trials, grid" in printed.err


def test_a_dry_run_can_be_one_document(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--format=json` what would be run is JSON, too."""
    program("run", "hill", "--dry_run", "--set=x=0,4", "--format=json")

    document = json.loads(capsys.readouterr().out)
    assert (4, {"x": 0.0, "kind": "bad"}) == (document["max_trials"], document["first"][0])


def test_an_unknown_format_is_refused_before_anything_runs(program: Program) -> None:
    """A misspelt format costs no sweep."""
    assert 2 == program("run", "hill", "--executor=inline", "--format=jsn")
    assert not Path("logs").exists()
