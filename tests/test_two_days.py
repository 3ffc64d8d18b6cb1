"""The story of docs/days.md: a net is changed overnight, and one asks whether it got better."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.options import LaunchOptions, make_options

pytestmark = pytest.mark.slow

DIGITS = Path(__file__).parent.parent / "experiments" / "digits.py"

HIDDEN = '            keras.layers.Dense(num_units, activation="relu"),\n'
DROPOUT = "            keras.layers.Dropout(0.5),\n"

Compare = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where digits was swept on three days.

    On the second with a line more and an axis widened; on the third as on the first, with
    other seeds.
    """
    folder = tmp_path_factory.mktemp("story")
    module = DIGITS.read_text()
    changed = module.replace(HIDDEN, HIDDEN + DROPOUT).replace("[16, 32]", "[16, 32, 64]")
    for day, text, seed in ((19, module, 0), (20, changed, 0), (21, module, 1)):
        (folder / "digits.py").write_text(text)
        launch(
            ExperimentSource(folder / "digits.py"),
            make_options(
                LaunchOptions, logdir=folder / "logs", seed=seed, repeats=2, runs_per_process=6
            ),
            now=lambda day=day: datetime(2026, 11, day, 18),  # type: ignore[misc]
        )
    return folder


@pytest.fixture(scope="module")
def compare(folder: Path) -> Compare:
    """Return a function that runs `hparams_lab compare digits` and returns what it says."""

    def run(*flags: str) -> dict[str, Any]:
        words = [sys.executable, "-m", "hparams_lab", "compare", "digits", "--format=json", *flags]
        return dict(json.loads(subprocess.check_output(words, cwd=folder, text=True)))

    return run


def test_a_change_that_harms_is_worse(compare: Compare) -> None:
    """The day whose net forgets half of its units is worse than the day before."""
    pair = compare()["pairs"][0]

    assert ("2026-11-19", "2026-11-20") == (pair["before"], pair["after"])
    assert "worse" == pair["finding"]["verdict"]
    assert pair["finding"]["evidence"]["high"] < 0


def test_only_common_points_are_compared(compare: Compare) -> None:
    """Of the wider axis the points that both days have are matched, the others are reported."""
    pair = compare()["pairs"][0]

    assert (6, 3, 0) == (pair["num_matched"], pair["num_only_after"], pair["num_only_before"])


def test_other_seeds_are_no_evidence(compare: Compare) -> None:
    """The same code with other seeds, and so another hold-out, is neither better nor worse."""
    finding = compare("--baseline=2026-11-19", "--since=2026-11-19")["pairs"][1]["finding"]

    assert "no evidence" == finding["verdict"]
    assert "--seed=0" in finding["problem"]


def test_what_changed_is_reported(compare: Compare) -> None:
    """The widened axis and the changed lines are named, the data is said to be the same."""
    changes = compare()["pairs"][0]["changes"]

    (code,) = changes["code"]["files"]
    assert ["16, 32 -> 16, 32, 64"] == [
        f"{fact['before']} -> {fact['after']}" for fact in changes["facts"]
    ]
    assert f"+{DROPOUT}".rstrip() in code["diff"]
    assert ("same", "same") == (changes["data"], changes["hold_out"])


def test_the_same_is_said_in_words(folder: Path) -> None:
    """The terminal begins with a line a comparison, the verdict in it."""
    words = [sys.executable, "-m", "hparams_lab", "compare", "digits"]
    _, first, *_ = subprocess.check_output(words, cwd=folder, text=True).splitlines()

    assert first.startswith("2026-11-20 against 2026-11-19: worse by 0.")
