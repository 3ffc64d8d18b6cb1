"""What holds for every experiment of this repository, whatever it asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource
from tests.experiments.conftest import EXPERIMENTS

ROOT = EXPERIMENTS.parent
PATHS = sorted(EXPERIMENTS.glob("*.py"))
MAX_LINES = {"mnist": 115}

PRINT_DECLARATIONS = """
import sys
from pathlib import Path
from hparams_lab.declare.source import ExperimentSource
for path in sys.argv[1:]:
    experiment = ExperimentSource(Path(path)).load()
    print(experiment.name, experiment.space.encode_json(), experiment.metric_keys)
"""


def name_of(path: Path) -> str:
    """Return the experiment's name."""
    return path.stem


@pytest.mark.slow
def test_experiments_are_equal_in_any_process() -> None:
    """Processes with other hash seeds read equal declarations from every experiment."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PRINT_DECLARATIONS, *map(str, PATHS)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert outputs[0] == outputs[1]
    assert [name_of(path) for path in PATHS] == [
        line.split()[0] for line in outputs[0].splitlines()
    ]


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_experiments_ask_one_question(path: Path) -> None:
    """An experiment goes by its file's name, and its docstring begins with its question."""
    outline = ExperimentSource(path).read_outline()

    assert path.stem == outline.name
    assert "?" in outline.question


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_experiments_are_short(path: Path) -> None:
    """An experiment can be read at once: 100 lines, the tutorial's grid a few more."""
    assert len(path.read_text().splitlines()) <= MAX_LINES.get(path.stem, 100)


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_experiments_are_documented(path: Path) -> None:
    """Every experiment has its section among the documents."""
    text = (ROOT / "docs" / "experiments.md").read_text()

    assert f"\n## {path.stem}\n" in text
    assert f"](../experiments/{path.name})" in text
