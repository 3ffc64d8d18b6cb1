"""What is removed here and what of that is removed in the store."""

from __future__ import annotations

import shutil

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.remote.store import Store
from tests.remote.conftest import MakeMirror
from tests.support.trees import RUN_FILE, SWEEP, read_tree, write


def test_what_a_writer_removes_is_removed_there(make_mirror: MakeMirror, store: Store) -> None:
    """A file that goes while its writer watches goes there, too."""
    mirror = make_mirror("ours")
    path = write(mirror, "a", "")
    mirror.push()
    mirror.watch_removals()
    path.unlink()
    mirror.push()

    assert {} == store.list()


def test_what_is_missing_is_no_removal(make_mirror: MakeMirror, store: Store) -> None:
    """A file that a sweeper of caches took is not removed there, and comes again."""
    mirror = make_mirror("ours")
    write(mirror, "a", "content").unlink()
    write(mirror, "b", "content")
    mirror.push()
    (mirror.root / "b").unlink()
    make_mirror("ours").push()
    make_mirror("ours").pull()

    assert {"b"} == {*store.list()}
    assert {"b": "content"} == read_tree(mirror.root)


def test_only_what_is_watched_is_removed_there(make_mirror: MakeMirror, store: Store) -> None:
    """Whoever watches one sweep takes nothing else for removed, whatever sweeps the cache."""
    mirror = make_mirror("ours")
    paths = [write(mirror, name, "") for name in (RUN_FILE, "toy/config", f"{SWEEP}1/sweep.json")]
    mirror.push()
    mirror.watch_removals(SWEEP)
    for path in paths:
        path.unlink()
    mirror.push()

    assert {"toy/config", f"{SWEEP}1/sweep.json"} == {*store.list()}


def test_a_mirror_that_is_gone_is_no_removal(make_mirror: MakeMirror, store: Store) -> None:
    """Whoever deletes the mirror of a running sweep deletes nothing in the store."""
    mirror = make_mirror("ours")
    write(mirror, RUN_FILE, "content")
    mirror.push()
    mirror.watch_removals()
    shutil.rmtree(mirror.root)
    mirror.push()

    assert {RUN_FILE} == {*store.list()}


def test_a_removal_that_was_not_sent_is_not_forgotten(
    make_mirror: MakeMirror, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed while the store could not be reached is removed by the next process."""
    mirror = make_mirror("ours")
    path = write(mirror, "a", "")
    mirror.push()
    mirror.watch_removals()
    path.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(store._files, "rm_file", _raise)
        with pytest.raises(LogdirError, match="unplugged"):
            mirror.push()
    later = make_mirror("ours")
    later.pull()
    later.push()

    assert {} == store.list()
    assert {} == read_tree(later.root)


def _raise(*arguments: object) -> None:
    raise ConnectionError("unplugged")


def test_what_is_written_again_is_no_removal(make_mirror: MakeMirror, store: Store) -> None:
    """A file that went, and came again before that was sent, is there."""
    mirror = make_mirror("ours")
    write(mirror, "a", "first")
    mirror.push()
    mirror.watch_removals()
    (mirror.root / "a").unlink()
    mirror.pull()
    write(mirror, "a", "again")
    mirror.push()

    assert b"again" == store.read("a")
