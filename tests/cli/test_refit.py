from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.logdir.layout import SweepDir, experiment_dir
from hparams_lab.runs.sweep import Sweep
from tests.cli.conftest import Program

HILL = Path("experiments/hill.py")


def find_sweep() -> SweepDir:
    """Return the one sweep of the experiment."""
    (sweep_dir,) = experiment_dir("logs", "hill").find_sweeps()
    return sweep_dir


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["hill"], "train of experiment 'hill' must train a Keras model"),
        (["hill", "0007"], "experiment 'hill' has no trial '0007'. It has 0000-"),
        (["hill", "2020-01-01/0000"], "has no sweep '2020-01-01'"),
        (["hill", "--seed=-3"], "--seed must lie in [0, 2**31); got -3"),
        (["hill", "--output=experiments"], "the output must be a folder for the model alone"),
        (["hil"], "Did you mean 'hill'?"),
        (["hill", "0000", "extra"], "refit takes NAME [TRIAL]; got hill 0000 extra"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_refitted_is_one_line(
    swept: Program, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    """A refit that cannot be gets one line on stderr and exit code 2, and leaves nothing."""
    before = sorted(Path().rglob("*"))
    assert 2 == swept("refit", *words)

    printed = capsys.readouterr()
    assert sentence in printed.err
    assert ("", 1) == (printed.out, printed.err.count("\n"))
    assert before == [path for path in sorted(Path().rglob("*")) if path.name != "__pycache__"]


def test_a_refit_that_fails_has_exit_code_1(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """What train raises is printed with the file of its traceback, after that the code changed."""
    HILL.write_text(HILL.read_text().replace('== "bad"', '== "good"'))
    assert 1 == swept("refit", "hill", "0000")

    note, failed, place = capsys.readouterr().out.splitlines()
    assert "note: the code has changed since the sweep: the model is of the new" == note
    assert failed.startswith("the refit failed: ValueError: no such hill (hill.py:")
    assert "ValueError: no such hill" in Path(place.strip()).read_text()


def test_an_imported_sweep_is_refused(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep that another tool has run is refused, also if a file has its name."""
    sweep = Sweep.read(find_sweep())
    sweep = replace(sweep, source="")
    sweep.write(find_sweep())

    assert 2 == swept("refit", "hill")
    assert "was not run from an experiment's file" in capsys.readouterr().err


def test_the_sweep_knows_its_module(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """A module that is no longer among the experiments is found where it was, or named."""
    moved = HILL.rename("hill.py")
    assert 2 == swept("refit", "hill")
    assert "the sweep's experiment is not where it was" in capsys.readouterr().err

    sweep = Sweep.read(find_sweep())
    sweep = replace(sweep, source=str(ExperimentSource(moved.absolute())))
    sweep.write(find_sweep())
    assert 2 == swept("refit", "hill")
    assert "must train a Keras model" in capsys.readouterr().err
