"""What a mirror and its URL had in common when they were last the same, file by file."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hparams_lab.logdir.atomic import replacing

_FORMAT = 1


class Stamp(NamedTuple):
    """What changes when a file does."""

    size: int
    modified_ns: int
    inode: int


UNKNOWN = Stamp(-1, 0, 0)
"""Is no file's."""


class Agreed(NamedTuple):
    """A file that was the same here and there."""

    token: str  # of the object
    stamp: Stamp  # of the file


@dataclass
class SyncState:
    """What is known of a mirror."""

    # that were the same here and there, by name
    files: dict[str, Agreed] = field(default_factory=dict)
    # names of those that are gone here, and are to go there
    removed: set[str] = field(default_factory=set)

    @staticmethod
    def load(path: Path) -> SyncState:
        """Return what is kept in a file; nothing if it is missing or damaged.

        Nothing known means that files are compared by their contents once more.
        """
        try:
            data = json.loads(path.read_bytes())
            if data["format"] != _FORMAT:
                return SyncState()
            files = {
                name: Agreed(token, Stamp(*stamp))
                for name, (token, *stamp) in data["files"].items()
            }
            return SyncState(files, set(data["removed"]))
        except (OSError, ValueError, KeyError, TypeError):
            return SyncState()

    def list_changed(self, here: Mapping[str, Stamp]) -> list[str]:
        """Return the names of the files that are not as was agreed on."""
        unknown = Agreed("", UNKNOWN)
        return [
            name for name, stamp in here.items() if self.files.get(name, unknown).stamp != stamp
        ]

    def save(self, path: Path) -> None:
        """Keep it, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        files = {name: (each.token, *each.stamp) for name, each in self.files.items()}
        data = {"format": _FORMAT, "files": files, "removed": sorted(self.removed)}
        with replacing(path) as aside:
            aside.write_text(json.dumps(data), encoding="utf-8")


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file as it is now.

    Raises:
        OSError: if there is none.
    """
    return _stamp_of(path.stat())


def _stamp_of(state: os.stat_result) -> Stamp:
    return Stamp(state.st_size, state.st_mtime_ns, state.st_ino)


def list_files(root: Path, below: str = "") -> dict[str, Stamp]:
    """Return the stamps of the files in a folder and all its folders, by name below `root`."""
    found: dict[str, Stamp] = {}
    pending = [below]
    while pending:
        folder = pending.pop()
        for entry in _list_entries(f"{root}/{folder}"):
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(name)
            elif entry.is_file():
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    found[name] = _stamp_of(entry.stat())
    return found


def _list_entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [*entries]
    except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
        return []
