"""The directory of links: that it becomes what it is to be, and what a look at it finds."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tensorboard.compat.proto import summary_pb2

from hparams_lab.dashboard.view.tree import Leaf, Tree
from hparams_lab.events import schema
from hparams_lab.events.read.start import Start, read_start

RUN = "2026-11-21_07-34-05/0007-3f2a9c1b/r00"
NAME = "2026-11-21_07-34-05/0007-3f2a9c1b,r00"
START = Start({"units": 8.0, "experiment": "toy"}, "0007-3f2a9c1b@toy", 1.0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an experiment's directory, far down, with one run."""
    home = tmp_path / ("far" * 30) / "toy"
    (home / RUN).mkdir(parents=True)
    (home / RUN / "events.out.tfevents.1.host").write_text("1")
    return home


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return an empty tree."""
    (tmp_path / "view").mkdir()
    return Tree(tmp_path / "view")


def columns(number: int) -> summary_pb2.Summary:
    """Return one of many different columns."""
    return schema.encode_scalar(f"columns {number}", 0.0)


def files_of(tree: Tree) -> set[str]:
    """Return the event files that TensorBoard finds."""
    return {
        str(Path(folder, name).relative_to(tree.path))
        for folder, _, names in os.walk(tree.path, followlinks=True)
        for name in names
    }


def test_link_leads_to_the_run(tree: Tree, home: Path) -> None:
    """A run's files are found under the run's name."""
    tree.show({NAME: Leaf(home, RUN)})

    assert {f"{NAME}/events.out.tfevents.1.host"} == files_of(tree)


def test_link_is_short(tree: Tree, home: Path) -> None:
    """However far away the run lies, the link to it has fewer than 60 bytes."""
    tree.show({f"toy/{NAME}": Leaf(home, RUN)})

    assert len(bytes((tree.path / "toy" / NAME).readlink())) < 60
    assert len(files_of(tree)) == 1


def test_nothing_is_left_of_what_goes(tree: Tree, home: Path) -> None:
    """With the last run of a sweep, its directory goes, and the run itself stays."""
    tree.show({NAME: Leaf(home, RUN), f"b/{NAME}": Leaf(home, RUN, START)})
    tree.show({})

    assert [] == [*tree.path.iterdir()]
    assert (home / RUN / "events.out.tfevents.1.host").read_text() == "1"


def test_amended_start_is_read_first(tree: Tree, home: Path) -> None:
    """The start that is to stand for a run's own lies in a file before the run's."""
    tree.show({NAME: Leaf(home, RUN, START, ("events.out.tfevents.1.host",))})
    first, second = sorted((tree.path / NAME).iterdir())

    assert read_start(first) == START
    assert second.read_text() == "1"


def test_later_event_file_joins_an_amended_run(tree: Tree, home: Path) -> None:
    """A second file of a run, as of one that was killed, is linked, and the first stays."""
    names = ("events.out.tfevents.1.host", "events.out.tfevents.1.host.end")
    tree.show({NAME: Leaf(home, RUN, START, names[:1])})
    before = files_of(tree)
    (home / RUN / names[1]).touch()
    tree.show({NAME: Leaf(home, RUN, START, names)})

    assert before | {f"{NAME}/{names[1]}"} == files_of(tree)


def test_equal_columns_stay(tree: Tree) -> None:
    """Columns that do not change are not written again."""
    tree.show_columns(columns(1))
    name = tree.columns_name
    tree.show_columns(columns(1))

    assert name == tree.columns_name
    assert {f"{name}/events.out.tfevents.0000000000.hparams_config"} == files_of(tree)


def test_new_columns_are_another_run(tree: Tree) -> None:
    """Columns that change have another name, as TensorBoard keeps what it read of the old one."""
    tree.show_columns(columns(1))
    former = tree.columns_name
    tree.show_columns(columns(2))

    assert former != tree.columns_name
    assert [tree.columns_name] == [path.name for path in tree.path.iterdir()]


def test_columns_can_go_and_come(tree: Tree) -> None:
    """Where there is nothing to show there are no columns, and later there are some again."""
    tree.show_columns(columns(1))
    tree.show_columns(None)
    without = files_of(tree)
    tree.show_columns(columns(1))

    assert without == set()
    assert len(files_of(tree)) == 1


def test_every_look_finds_one_set_of_columns(tree: Tree) -> None:
    """Whoever looks while columns change finds one run of them: never two, never none."""
    tree.show_columns(columns(0))
    done = threading.Event()
    found: set[int] = set()

    def look() -> None:
        while not done.is_set():
            found.add(len([*tree.path.iterdir()]))

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(1, 100):
        tree.show_columns(columns(number))
    done.set()
    looking.join()

    assert found == {1}
