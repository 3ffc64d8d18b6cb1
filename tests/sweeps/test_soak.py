"""A thousand tiny runs leave nothing in the processes that last; benchmarks/soak.py does more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.soak

MAX_GROWTH_MB = 20.0

# Runs a process, and after how many runs to look; fresh processes take longer.
SOAKS = {"fifty_a_process": (50, 500, 1000), "fresh": (1, 200, 500)}

# In a process of its own: that of the tests has grown, and has children, by other tests.
_SCRIPT = """
import dataclasses, json, pathlib, sys
from tests.support.soak import soak

folder, (each, *looks_at) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
looks = soak(folder, looks_at[-1], looks_at, workers=2, runs_per_process=each)
print(json.dumps([dataclasses.asdict(look) for look in looks]))
"""


@pytest.fixture(scope="module", params=[*SOAKS])
def looks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Return what a sweep's lasting processes had early on, and in the end."""
    numbers = map(str, SOAKS[request.param])
    words = [sys.executable, "-c", _SCRIPT, str(tmp_path_factory.mktemp("soak")), *numbers]
    root = Path(__file__).parents[2]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=600)
    assert (0, "") == (done.returncode, done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_memory_does_not_grow(looks: list[dict[str, Any]]) -> None:
    """The resident memory of the runner, and of what runs are forked from, is what it was."""
    early, late = ([each["rss_mb"] for each in look["usages"]] for look in looks)

    assert len(early) > 1
    assert all(b - a < MAX_GROWTH_MB for a, b in zip(early, late, strict=True)), (early, late)


@pytest.mark.parametrize("kind", ["num_fds", "num_threads"])
def test_nothing_stays_open(kind: str, looks: list[dict[str, Any]]) -> None:
    """Neither open files nor threads of the lasting processes become more."""
    early, late = ([each[kind] for each in look["usages"]] for look in looks)

    assert all(b <= a for a, b in zip(early, late, strict=True)), (early, late)


def test_no_process_is_left(looks: list[dict[str, Any]]) -> None:
    """There are no more processes below the runner in the end than there were."""
    early, late = looks

    assert late["num_processes"] <= early["num_processes"]
