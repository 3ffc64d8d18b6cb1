"""What holds of mirrors whatever is written, removed, pushed and pulled."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.remote.mirror import Mirror
from hparams_lab.remote.store import Store
from tests.support.trees import SWEEP, read_tree, write

NAMES = ("notes", "toy/config", f"{SWEEP}/sweep.json", f"{SWEEP}/0000-01234567/r00/events")
TREES = st.dictionaries(st.sampled_from(NAMES), st.text("ab", max_size=3))
LAWFUL = settings(max_examples=25, deadline=None)

# An edit is a name and a new content, None to remove it; or a word.
EDITS = st.lists(
    st.one_of(
        st.sampled_from(["push", "pull"]),
        st.tuples(st.sampled_from(NAMES), st.none() | st.text("ab", max_size=3)),
    ),
    max_size=8,
)


def _make_mirrors(folder: str) -> tuple[Mirror, Mirror]:
    store = Store(f"memory://{uuid.uuid4().hex}/logs")
    return Mirror(store, Path(folder, "ours")), Mirror(store, Path(folder, "theirs"))


def _write_all(mirror: Mirror, tree: Iterable[tuple[str, str]]) -> None:
    for name, content in tree:
        write(mirror, name, content)


@LAWFUL
@given(tree=TREES)
def test_trees_are_equal_after_push_and_pull(tree: dict[str, str]) -> None:
    """What one machine pushes and another pulls is the same tree."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _make_mirrors(folder)
        _write_all(ours, tree.items())
        ours.push()
        theirs.pull()

        assert tree == read_tree(theirs.root)


@LAWFUL
@given(tree=TREES, unsent=TREES)
def test_a_second_pull_does_nothing(tree: dict[str, str], unsent: dict[str, str]) -> None:
    """Where nothing has happened since the last pull, another changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _make_mirrors(folder)
        _write_all(ours, tree.items())
        _write_all(theirs, unsent.items())
        ours.push()
        theirs.pull()
        before = read_tree(theirs.root)

        assert set() == theirs.pull().changed
        assert before == read_tree(theirs.root)


@LAWFUL
@given(tree=TREES, unsent=TREES)
def test_unsent_writes_survive_a_pull(tree: dict[str, str], unsent: dict[str, str]) -> None:
    """What was written and not sent is where it was, the beginning of it, or put aside."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _make_mirrors(folder)
        _write_all(ours, tree.items())
        _write_all(theirs, unsent.items())
        ours.push()
        aside = [path.read_text() for path in theirs.pull().set_aside]
        here = read_tree(theirs.root)

        assert all(
            here[name].startswith(content) or content in aside for name, content in unsent.items()
        )


@LAWFUL
@given(first=EDITS, second=EDITS)
def test_machines_agree_in_the_end(first: list[object], second: list[object]) -> None:
    """Whatever two machines do in between, both have the same tree once both have synced."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = _make_mirrors(folder)
        for mirror, edits in ((ours, first), (theirs, second), (ours, second), (theirs, first)):
            for edit in edits:
                _do(mirror, edit)
        for mirror in (ours, theirs, ours):
            mirror.pull()
            mirror.push()

        assert read_tree(ours.root) == read_tree(theirs.root)


def _do(mirror: Mirror, edit: object) -> None:
    mirror.watch_removals()
    match edit:
        case "push":
            mirror.push()
        case "pull":
            mirror.pull()
        case (str(name), str(content)):
            write(mirror, name, content)
        case (str(name), None):
            (mirror.root / name).unlink(missing_ok=True)
