"""How the saved sources of one sweep differ from those of another, file by file."""

from __future__ import annotations

import difflib
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from hparams_lab.errors import LogdirError
from hparams_lab.text import escape_control

MAX_SHOWN_LINES = 10
"""Of so many changed lines, in all files together, the lines themselves are listed."""

_NUM_CONTEXT_LINES = 1
_NUM_HEADER_LINES = 2  # of a unified diff: the names of the files


@dataclass(frozen=True)
class FileChange:
    """How a file of the user's differs."""

    path: str  # in the archive; of the later one if it is in both
    kind: str  # `changed`, `new`, `gone`, or `moved` where nothing but its place differs
    num_added: int = 0  # lines that the later one has and the earlier has not
    num_removed: int = 0  # lines that the earlier one has and the later has not
    moved_from: str = ""  # its path in the earlier archive, if that was another; else empty
    # the changed lines as a unified diff without the files' names; empty where there are too
    # many to be listed
    diff: Sequence[str] = ()

    def __str__(self) -> str:
        """Return it in words: `digits.py: 1 line added, 1 removed`."""
        place = f", was {self.moved_from}" if self.moved_from else ""
        if self.kind == "moved":
            return f"{self.path}: moved{place}"
        if self.kind != "changed":
            return f"{self.path}: {self.kind}, {_count_lines(self.num_added or self.num_removed)}"
        return f"{self.path}{place}: {self._count()}"

    def _count(self) -> str:
        if self.num_added and self.num_removed:
            return f"{_count_lines(self.num_added)} added, {self.num_removed} removed"
        if self.num_added or self.num_removed:
            number, verb = max((self.num_added, "added"), (self.num_removed, "removed"))
            return f"{_count_lines(number)} {verb}"
        return "the same lines with other ends"


@dataclass(frozen=True)
class CodeChanges:
    """How the sources differ."""

    # those that differ, the experiment's own first; empty if none does
    files: Sequence[FileChange] = ()
    problem: str = ""  # why they cannot be compared; empty if they can


def compare_sources(before: Path, after: Path) -> CodeChanges:
    """Return how the files of two source archives differ.

    A file that lies in another folder, as when a checkout was made of one, is known by
    its name.

    Args:
        before: the earlier `source.zip`, which may be missing or damaged.
        after: the later one, likewise.
    """
    try:
        earlier, later = _read(before), _read(after)
    except LogdirError as error:
        return CodeChanges(problem=str(error))
    changes = [*_compare(earlier, later)]
    if sum(change.num_added + change.num_removed for change in changes) > MAX_SHOWN_LINES:
        changes = [replace(change, diff=()) for change in changes]
    return CodeChanges(changes)


def _read(path: Path) -> dict[str, bytes]:
    """Return the files of an archive by their paths."""
    if not path.exists():
        raise LogdirError(f"there are no saved sources in {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    # What a damaged archive may raise, besides its own error.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise LogdirError(f"the saved sources in {path} cannot be read: {error}") from error


def _compare(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[FileChange]:
    old_paths = _match(before, after)
    for path, content in after.items():
        old_path = old_paths.get(path)
        if old_path is None:
            yield _describe(FileChange(path, "new"), b"", content)
        elif before[old_path] != content:
            moved_from = old_path if old_path != path else ""
            change = FileChange(path, "changed", moved_from=moved_from)
            yield _describe(change, before[old_path], content)
        elif old_path != path:
            yield FileChange(path, "moved", moved_from=old_path)
    for path in [path for path in before if path not in old_paths.values()]:
        yield _describe(FileChange(path, "gone"), before[path], b"")


def _match(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    """Return the earlier path of each later one that has one."""
    same = {path: path for path in after if path in before}
    old = _index_by_name(path for path in before if path not in same)
    new = _index_by_name(path for path in after if path not in same)
    moved = {
        paths[0]: old[name][0]
        for name, paths in new.items()
        if len(paths) == len(old.get(name, ())) == 1
    }
    return same | moved


def _index_by_name(paths: Iterator[str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for path in paths:
        index.setdefault(PurePosixPath(path).name, []).append(path)
    return index


def _describe(change: FileChange, before: bytes, after: bytes) -> FileChange:
    lines = difflib.unified_diff(_split(before), _split(after), n=_NUM_CONTEXT_LINES, lineterm="")
    diff = [*lines][_NUM_HEADER_LINES:]
    return replace(
        change,
        num_added=sum(line.startswith("+") for line in diff),
        num_removed=sum(line.startswith("-") for line in diff),
        diff=[escape_control(line) for line in diff],
    )


def _split(content: bytes) -> list[str]:
    """Return the lines of a source, whatever ends them."""
    # Bytes that are no text stay apart from each other.
    lines = content.decode(errors="backslashreplace").replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def _count_lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
