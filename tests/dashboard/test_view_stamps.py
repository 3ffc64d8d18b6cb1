"""Telling cheaply that nothing has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.dashboard.view.tree import Snapshot

LONG_AGO_SECS = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with a file, neither of which has changed for long."""
    (tmp_path / "file").write_text("old")
    for path in (tmp_path / "file", tmp_path):
        os.utime(path, (LONG_AGO_SECS, LONG_AGO_SECS))
    return tmp_path


def stamp(folder: Path, *, read_at_ns: int | None = None) -> Snapshot:
    """Return the stamps of the directory, of its file, and of one that is not there."""
    paths = [str(folder), str(folder / "file"), str(folder / "missing" / "file")]
    return Snapshot(paths, read_at_ns=read_at_ns or time.time_ns())


def test_what_rests_holds(folder: Path) -> None:
    """As long as nothing changes, the stamps hold."""
    stamps = stamp(folder)

    assert stamps.is_current()
    assert stamps.is_current()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "file").write_text("longer"),
        lambda folder: (folder / "other").touch(),
        lambda folder: (folder / "file").unlink(),
        lambda folder: (folder / "missing").mkdir() or (folder / "missing" / "file").touch(),
    ],
    ids=["file grows", "file comes", "file goes", "missing file comes"],
)
def test_change_is_seen(change: Callable[[Path], object], folder: Path) -> None:
    """Whatever changes, the stamps hold no more."""
    stamps = stamp(folder)
    change(folder)

    assert not stamps.is_current()


def test_young_change_is_no_proof(folder: Path) -> None:
    """What changed as it was read may change again without another time, so it does not hold."""
    (folder / "file").write_text("new")

    assert not stamp(folder).is_current()


@pytest.mark.parametrize("minutes", [2, -2], ids=["long ago", "in the future"])
def test_old_stamps_do_not_hold(minutes: int, folder: Path) -> None:
    """After a minute, or when the clock was set back, one reads anew."""
    read_at_ns = time.time_ns() - minutes * 60 * 10**9

    assert not stamp(folder, read_at_ns=read_at_ns).is_current()
