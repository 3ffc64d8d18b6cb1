"""A temporary directory that goes with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hparams_lab.dashboard.view.view import scratch_dir

HOLD = """
import os, signal
from hparams_lab.dashboard.view.view import scratch_dir
with scratch_dir() as folder:
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def _own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the temporary directories here, in this process and in those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def kill_one(*, age_secs: float) -> Path:
    """Return the directory that a killed process has left some time ago."""
    done = subprocess.run([sys.executable, "-c", HOLD], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    folder = Path(done.stdout.strip())
    then = time.time() - age_secs
    os.utime(folder / "lock", (then, then))
    return folder


def test_it_goes_at_the_end(tmp_path: Path) -> None:
    """The directory is there inside, and gone afterwards, whatever was put into it."""
    with scratch_dir() as folder:
        (folder / "inside").mkdir()
        assert folder.parent == tmp_path

    assert [] == [*tmp_path.iterdir()]


def test_that_of_a_killed_process_goes_with_the_next() -> None:
    """What a killed process has left is removed when another one begins."""
    orphan = kill_one(age_secs=3600)
    with scratch_dir() as folder:
        assert folder != orphan
        assert not orphan.exists()


def test_young_one_is_left_alone() -> None:
    """A directory that was made just now may be about to be used."""
    orphan = kill_one(age_secs=0)
    with scratch_dir():
        assert orphan.exists()


def test_one_in_use_is_left_alone() -> None:
    """As long as its process lives, nobody removes a directory, however old it is."""
    with scratch_dir() as first:
        os.utime(first / "lock", (0, 0))
        with scratch_dir():
            assert first.is_dir()


def test_foreign_directory_is_left_alone(tmp_path: Path) -> None:
    """A directory without our lock is somebody else's."""
    (tmp_path / "hparams_lab-mine").mkdir()
    with scratch_dir():
        assert (tmp_path / "hparams_lab-mine").is_dir()
