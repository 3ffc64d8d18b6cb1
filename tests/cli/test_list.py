"""`list`: the experiments here, and what of them is logged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.logdir.layout import experiment_dir
from tests.cli.conftest import Program


def test_list_reads_without_importing(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` shows name, sweeps and question, also of a module that cannot be imported."""
    module = '"""Does it matter?"""\nimport no_such_module\nEXPERIMENT = no_such_module.x\n'
    Path("experiments/broken.py").write_text(module)
    Path("experiments/shared.py").write_text("SHARED = 1\n")

    assert 0 == program("list")
    lines = capsys.readouterr().out.splitlines()
    assert [
        "broken  0 sweeps  Does it matter?",
        "hill    0 sweeps  How high is the hill?",
    ] == lines


def test_list_counts_sweeps(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` counts what is logged, also for experiments whose module is gone."""
    swept("list")
    assert "1 sweep   How high" in capsys.readouterr().out.replace("1 sweep ", "1 sweep  ")
    shutil.rmtree("experiments")
    swept("list")

    assert "hill  1 sweep  (logged; no module" in capsys.readouterr().out


def test_list_spaces_imports(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list --spaces` adds each axis and the size of the grid."""
    program("list", "--spaces")

    printed = capsys.readouterr().out
    assert "x: a number in [0.0, 4.0]; grid 0.0, 2.0, 4.0" in printed
    assert "grid of 6 points" in printed


def list_json(program: Program, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Return the experiments of the document that `list` prints."""
    capsys.readouterr()
    assert 0 == program("list", "--format=json", *words)
    return json.loads(capsys.readouterr().out)["experiments"]


def test_document_has_modules_and_sweeps(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON names the module, its question, the log directory and every sweep."""
    (entry,) = list_json(swept, capsys)
    home = experiment_dir("logs", "hill")

    assert ("hill", "How high is the hill?") == (entry["experiment"], entry["question"])
    assert str(Path("experiments/hill.py").absolute()) == entry["source"]
    assert str(home.path) == entry["path"]
    assert [sweep.id for sweep in home.find_sweeps()] == entry["sweeps"]


def test_document_has_what_is_only_logged(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """An experiment without a module is there, and a module without an experiment says why."""
    Path("experiments/hill.py").write_text("EXPERIMENT = (\n")
    broken, logged = list_json(swept, capsys)

    assert "experiments/hill.py" in broken["problem"]
    assert (None, 1) == (logged["source"], len(logged["sweeps"]))


def test_document_has_spaces(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--spaces` adds axes and size, and of a module that cannot be imported the reason."""
    module = '"""Why?"""\nimport no_such_module\nEXPERIMENT = no_such_module.x\n'
    Path("experiments/broken.py").write_text(module)
    broken, hill = list_json(program, capsys, "--spaces")

    assert "no_such_module" in broken["problem"]
    assert 6 == hill["space"]["size"]
    assert ["x", "kind"] == [axis["name"] for axis in hill["space"]["axes"]]
