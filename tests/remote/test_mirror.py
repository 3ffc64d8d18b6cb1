"""A mirror and its store: what comes, what goes, and what is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.remote.mirror import Mirror
from hparams_lab.remote.store import Store
from tests.remote.conftest import MakeMirror
from tests.support.trees import RUN_FILE, SWEEP, read_tree, write


def test_what_one_pushes_another_pulls(make_mirror: MakeMirror) -> None:
    """What was written on one machine is read on another."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    write(ours, "a/b", "content")
    ours.push()
    pulled = theirs.pull()

    assert {"a/b"} == pulled.changed
    assert {"a/b": "content"} == read_tree(theirs.root)


def test_what_was_sent_is_not_sent_again(make_mirror: MakeMirror, store: Store) -> None:
    """A push sends what has changed since the last one alone."""
    mirror = make_mirror("ours")
    write(mirror, "same", "content")
    write(mirror, "grows", "begun")
    mirror.push()
    before = store.list()
    write(mirror, "grows", "begun, ended")
    mirror.push()

    assert before["same"] == store.list()["same"]
    assert b"begun, ended" == store.read("grows")


def test_a_file_that_is_open_grows(make_mirror: MakeMirror) -> None:
    """Who shows an event file while it is written reads on in it."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    write(ours, RUN_FILE, "begun")
    ours.push()
    theirs.pull()
    with (theirs.root / RUN_FILE).open() as reader:
        reader.read()
        write(ours, RUN_FILE, "begun, ended")
        ours.push()
        theirs.pull()

        assert ", ended" == reader.read()


def test_folders_go_with_their_last_file(make_mirror: MakeMirror) -> None:
    """Of a sweep that was removed there, nothing is left here, its lock neither."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    write(ours, RUN_FILE, "")
    ours.push()
    theirs.pull()
    write(theirs, f"{SWEEP}/sweep.lock", "")
    ours.watch_removals()
    (ours.root / RUN_FILE).unlink()
    ours.push()
    theirs.pull()

    assert [] == [*theirs.root.iterdir()]


def test_two_that_change_a_file_lose_nothing(make_mirror: MakeMirror) -> None:
    """Where both sides have changed a file, what is there stands, and ours is put aside."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    write(ours, "a", "mine")
    write(theirs, "a", "yours")
    theirs.push()
    pulled = ours.pull()

    assert "yours" == (ours.root / "a").read_text()
    assert ["mine"] == [path.read_text() for path in pulled.set_aside]


def test_a_pull_that_was_killed_is_done_again(make_mirror: MakeMirror) -> None:
    """What had come whole or in part, but was not noted, is in nobody's way."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    rest = theirs.folder / "parts" / "rest"
    rest.parent.mkdir()
    rest.touch()
    for name in ("whole", "part"):
        write(ours, name, "content")
        write(theirs, name, "content" if name == "whole" else "cont")
    ours.push()
    pulled = theirs.pull()

    assert [] == pulled.set_aside
    assert read_tree(ours.root) == read_tree(theirs.root)
    assert not rest.exists()


def test_a_push_that_was_killed_is_done_again(make_mirror: MakeMirror, store: Store) -> None:
    """What had been sent, but was not noted, is no other machine's: what it has become is sent."""
    mirror = make_mirror("ours")
    names = (f"{SWEEP}/sweep.json", RUN_FILE)
    for name in names:
        write(mirror, name, "begun")
    mirror.push()
    for name in names:
        store.upload(write(mirror, name, "begun, resumed"), name)  # and is killed
    write(mirror, RUN_FILE, "begun, resumed, ended")
    later = make_mirror("ours")
    pulled = later.pull()
    later.push()

    assert [] == pulled.set_aside
    assert b"begun, resumed, ended" == store.read(RUN_FILE)


def test_a_run_that_is_fetched_alone_is_its_sweeps(make_mirror: MakeMirror) -> None:
    """Where only a run's folder is pulled, what was written there stays."""
    mirror = make_mirror("ours")
    for name in (f"{SWEEP}/sweep.json", RUN_FILE):
        write(mirror, name, "begun")
    mirror.push()
    write(mirror, RUN_FILE, "begun, ended")
    pulled = mirror.pull(RUN_FILE.rpartition("/")[0])

    assert [] == pulled.set_aside
    assert "begun, ended" == (mirror.root / RUN_FILE).read_text()


def test_what_another_machine_took_over_is_not_sent(make_mirror: MakeMirror, store: Store) -> None:
    """Leftovers of a sweep that was resumed elsewhere are put aside, and not mixed into it."""
    ours, theirs = make_mirror("ours"), make_mirror("theirs")
    write(ours, f"{SWEEP}/sweep.json", "begun")
    ours.push()
    theirs.pull()
    write(ours, RUN_FILE, "half")
    write(theirs, f"{SWEEP}/sweep.json", "resumed")
    theirs.push()
    pulled = ours.pull()
    ours.push()

    assert ["half"] == [path.read_text() for path in pulled.set_aside]
    assert {f"{SWEEP}/sweep.json"} == {*store.list()}


def test_what_is_disowned_is_left_alone(make_mirror: MakeMirror, store: Store) -> None:
    """Of a sweep that another machine has now, nothing is sent, and nothing removed."""
    mirror = make_mirror("ours")
    gone = write(mirror, f"{SWEEP}/gone", "")
    mirror.push()
    mirror.watch_removals()
    mirror.disown(SWEEP)
    gone.unlink()
    write(mirror, f"{SWEEP}/new", "")
    write(mirror, "toy/else", "")
    mirror.push()

    assert {f"{SWEEP}/gone", "toy/else"} == {*store.list()}


def test_a_mirror_needs_a_folder(store: Store, tmp_path: Path) -> None:
    """Where there can be no mirror, that is said."""
    (tmp_path / "file").touch()
    with pytest.raises(LogdirError, match="HPARAMS_LAB_CACHE_DIR"):
        Mirror(store, tmp_path / "file" / "mirror")
