"""The directory that TensorBoard is pointed at: links to runs, and one run of columns.

    0, 1, ...                            links to the experiments' directories
    runs/                                what TensorBoard sees
      <name> -> ../../0/<sweep>/<trial>/<run>
      _columns-0001/events...

TensorBoard keeps the first metadata of a run's tag for ever, but forgets a run that has no
event file when it looks. So columns that change come as another run at the very moment at
which the former one goes: by one rename, so that no look finds two of them, or none.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto import summary_pb2

from hparams_lab.events.read.start import Start
from hparams_lab.events.write.writer import open_writer

# Sort before every event file of a run, so that TensorBoard reads them first.
_COLUMNS_FILE = "events.out.tfevents.0000000000.hparams_config"
_START_FILE = "events.out.tfevents.0000000000.start"

# TensorBoard takes no notice of this name.
_ASIDE = ".columns"


@dataclass(frozen=True)
class Leaf:
    """A run of the tree."""

    base: Path  # the experiment's directory
    inside: str  # the run's directory below it
    # session start that is to stand for the run's own; None if that is right
    start: Start | None = None
    # of the run's event files; they are of no account where its start is right
    file_names: tuple[str, ...] = ()


class Tree:
    """A directory of links, which is made what it is to be, and touches nothing else.

    Args:
        root: an empty directory.

    Attributes:
        path: what TensorBoard is to be pointed at.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / "runs"
        self.path.mkdir()
        self._root = root
        self._aliases: dict[Path, str] = {}
        self._leaves: dict[str, Leaf] = {}
        self._columns: summary_pb2.Summary | None = None
        self._num_columns = 0

    @property
    def columns_name(self) -> str:
        """Name of the run that holds the columns; empty while there is none."""
        return "" if self._columns is None else _name_columns(self._num_columns)

    def show(self, leaves: Mapping[str, Leaf]) -> None:
        """Make these the runs, by name.

        Raises:
            OSError: if a link cannot be made.
        """
        for name in [name for name in self._leaves if name not in leaves]:
            self._remove(name)
        for name, leaf in leaves.items():
            if self._leaves.get(name) != leaf:
                self._place(name, leaf)

    def show_columns(self, columns: summary_pb2.Summary | None) -> None:
        """Make this the one `hparams_config`; None for none.

        Raises:
            OSError: if it cannot be written.
        """
        if columns == self._columns:
            return
        folder = self.path / (self.columns_name or _ASIDE)
        if columns is None:
            shutil.rmtree(folder)
        else:
            folder.mkdir(exist_ok=True)
            aside = folder / _ASIDE
            with open_writer(aside) as writer:
                writer.write_summary(columns)
            # Who starts between these two steps reads the new ones, all others at the second.
            aside.replace(folder / _COLUMNS_FILE)
            folder.rename(self.path / _name_columns(self._num_columns + 1))
            self._num_columns += 1
        self._columns = columns

    def _place(self, name: str, leaf: Leaf) -> None:
        path = self.path / name
        # A link is never written through: behind it are the user's files.
        if name in self._leaves and (leaf.start is None or path.is_symlink()):
            self._remove(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if leaf.start is None:
            path.symlink_to(self._target_of(leaf, path), target_is_directory=True)
        else:
            self._place_amended(path, leaf, leaf.start)
        self._leaves[name] = leaf

    def _target_of(self, leaf: Leaf, path: Path) -> str:
        """Return what a link at a path says to lead to a run's directory.

        Filesystems keep a text of fewer than 60 bytes in the link itself: where a longer one
        takes a block, links are removed a hundred times as slowly. So it is not absolute.
        """
        alias = self._aliases.get(leaf.base)
        if alias is None:
            alias = self._aliases[leaf.base] = str(len(self._aliases))
            (self._root / alias).symlink_to(leaf.base, target_is_directory=True)
        up = "../" * (len(path.parts) - len(self._root.parts) - 1)
        return f"{up}{alias}/{leaf.inside}"

    def _place_amended(self, path: Path, leaf: Leaf, start: Start) -> None:
        path.mkdir(exist_ok=True)
        if not (path / _START_FILE).exists():
            with open_writer(path / _START_FILE, clock=lambda: start.time_secs) as writer:
                writer.write_summary(start.encode())
        wanted = {entry.name for entry in os.scandir(leaf.base / leaf.inside) if entry.is_dir()}
        wanted.update(leaf.file_names)
        there = {entry.name for entry in os.scandir(path)} - {_START_FILE}
        for name in there - wanted:
            (path / name).unlink()
        for name in wanted - there:
            (path / name).symlink_to(f"{self._target_of(leaf, path / name)}/{name}")

    def _remove(self, name: str) -> None:
        del self._leaves[name]
        path = self.path / name
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)  # it follows no link
        for parent in path.parents:
            if parent == self.path or any(parent.iterdir()):
                return
            parent.rmdir()


def _name_columns(number: int) -> str:
    return f"_columns-{number:04d}"


# What changes twice within a tick of its filesystem's clock keeps the time of the first
# change. The coarsest tick is FAT's.
_TICK_NS = 2_000_000_000

# A filesystem of another machine may have another clock.
_MAX_AGE_NS = 60_000_000_000


class Snapshot:
    """What the filesystem says of some paths, whether there is something or not.

    Args:
        paths: files and directories.
        read_at_ns: when one began to read them, in nanoseconds since the epoch.
    """

    def __init__(self, paths: Iterable[str], *, read_at_ns: int) -> None:
        self._stamps = {path: _stamp(path) for path in paths}
        self._read_at_ns = read_at_ns
        newest_ns = max((stamp[0] for stamp in self._stamps.values() if stamp), default=0)
        self._is_proof = newest_ns < read_at_ns - _TICK_NS

    def is_current(self) -> bool:
        """Return whether nothing has changed since the paths were read, as far as one can say.

        Where one cannot, because the last change was only just then or long ago, it is False.
        """
        is_recent = 0 <= time.time_ns() - self._read_at_ns < _MAX_AGE_NS
        return (
            self._is_proof
            and is_recent
            and all(_stamp(path) == stamp for path, stamp in self._stamps.items())
        )


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each would cost more than this
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
