"""Scans of a sweep's runs, over a cache that only saves time.

What is known of a directory or file holds as long as the filesystem has the times and the
size that it had. The cache lies with the user's other caches, as reading changes nothing
in a log directory; whoever deletes it loses nothing.

The others are processes of their own that get over pipes what to read: nothing is
forked, so it is safe in a program with threads, and the caller's module is not imported
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import marshal
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google_crc32c import value as crc32c

from hparams_lab.events.read.scan import Scan, extend_scan, scan_files
from hparams_lab.logdir.atomic import replacing
from hparams_lab.logdir.layout import (
    RunDir,
    SweepDir,
    is_event_file,
    is_run_name,
    is_trial_id,
    parse_run_name,
)
from hparams_lab.logdir.unreadable import warn_unreadable

DIR_VARIABLE = "HPARAMS_LAB_CACHE_DIR"
"""Names another directory for the cache; empty for none."""

# Raised when what is kept changes its meaning. How it is kept is Python's own way, as in
# its caches of bytecode, and changes with that: it is read five times as fast as JSON.
_FORMAT = b"hparams_lab 4"
_PYTHON = f"{sys.implementation.cache_tag} {marshal.version}".encode()

# A directory that changes twice within a tick of its filesystem's clock keeps the time of the
# first change, so a time as young as that proves nothing. The coarsest tick is FAT's.
_TICK_NS = 2_000_000_000
_UNPROVEN = ""

_MAX_AGE_SECS = 90 * 86_400
_OUR_NAME = re.compile(r"[0-9a-f]{32}(\.[0-9a-f]{32}\.tmp|\.scans)")


@dataclass
class _Known:
    """What is known of a sweep's directory. Keys are paths below it; its own is empty."""

    # stamp of the last change, and the names of what was wanted of the things in it
    folders: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    scans: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # encoded, by run


def scan_sweep(sweep_dir: SweepDir) -> list[tuple[RunDir, Scan]]:
    """Return the runs of a sweep with what their event files come to, by trial and run name."""
    file = _find_file(sweep_dir)
    walk = _Walk(sweep_dir.path, _load(file))
    found = walk.scan()
    if walk.is_news and file is not None:
        _save(file, walk.seen)
    return [(_run_dir(sweep_dir, run), scan) for run, scan in found.items()]


@dataclass(frozen=True)
class Recalled:
    """A sweep's runs as far as they are known without reading them."""

    # by trial and run name: the run, its event files, and what these come to; None where that
    # is not known, or not any more
    runs: list[tuple[RunDir, list[str], Scan | None]]
    folders: list[str]  # the directories that were looked into


def recall_sweep(sweep_dir: SweepDir) -> Recalled:
    """Return the runs of a sweep, and what the cache has of them; nothing is kept."""
    walk = _Walk(sweep_dir.path, _load(_find_file(sweep_dir)))
    runs = [
        (_run_dir(sweep_dir, run), files, walk.recall(run, files))
        for run, files in walk.list_runs()
    ]
    return Recalled(runs, [f"{sweep_dir.path}/{folder}" for folder in walk.seen.folders])


def _run_dir(sweep_dir: SweepDir, run: str) -> RunDir:
    return RunDir(Path(f"{sweep_dir.path}/{run}"), *parse_run_name(run.rpartition("/")[2]))


class _Walk:
    """One walk through a sweep's directory, led by what is known of it.

    Args:
        root: of the sweep.
        known: from an earlier walk.

    Attributes:
        seen: what is known afterwards.
        is_news: whether that is anything new.
    """

    def __init__(self, root: Path, known: _Known) -> None:
        self._root = str(root)
        self._known = known
        self._proof_ns = time.time_ns() - _TICK_NS
        self.seen = _Known()
        self.is_news = False

    def scan(self) -> dict[str, Scan]:
        """Return the scans by run, sorted."""
        scans: dict[str, Scan | None] = {}
        unread: dict[str, list[str]] = {}
        for run, files in self.list_runs():
            scans[run] = self.recall(run, files)
            if scans[run] is None:
                unread[run] = files
        for run, scan in zip(unread, scan_all([*unread.values()]), strict=True):
            scans[run] = self._remember(run, scan)
        self.is_news = self.is_news or len(self.seen.folders) < len(self._known.folders)
        return {run: scan for run, scan in scans.items() if scan is not None}

    def list_runs(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the runs that exist and their event files, sorted."""
        for trial in self._list("", is_trial_id):
            for name in self._list(trial, is_run_name):
                run = f"{trial}/{name}"
                yield run, [f"{self._root}/{run}/{file}" for file in self._list(run, is_event_file)]

    def _list(self, folder: str, is_wanted: Callable[[str], bool]) -> list[str]:
        """Return the wanted names in a folder, sorted; none if it is gone or is no folder."""
        path = f"{self._root}/{folder}"
        known = self._known.folders.get(folder)
        try:
            state = os.stat(path)
            # Whoever copies times, as rsync does, sets that of the change back, but not the other.
            stamp = f"{state.st_mtime_ns} {state.st_ctime_ns}"
            if known is not None and known[0] == stamp:
                self.seen.folders[folder] = known
                return known[1]
            names = sorted(name for name in os.listdir(path) if is_wanted(name))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            warn_unreadable({Path(path): f"cannot be read: {error.strerror}."})
            return []
        latest_ns = max(state.st_mtime_ns, state.st_ctime_ns)
        proof = stamp if latest_ns < self._proof_ns else _UNPROVEN
        self.seen.folders[folder] = (proof, names)
        self.is_news = self.is_news or proof != _UNPROVEN
        return names

    def recall(self, run: str, paths: list[str]) -> Scan | None:
        """Return the scan of a run as far as it is known, None if it must be read anew."""
        known = self._known.scans.get(run)
        if known is None or len(known[0]) != len(paths):
            return None
        scan = Scan.decode_json(known)
        if scan.damage:  # it may have been mended, in place and with its old times
            return None
        for path, state in zip(paths, scan.files, strict=True):
            if not path.endswith(f"/{state.name}"):
                return None
            try:
                now = os.stat(path)
            except OSError:
                return None
            if (now.st_ino, now.st_size, now.st_mtime_ns) != state[1:4]:
                grown = extend_scan(scan, path) if len(paths) == 1 else None
                return None if grown is None else self._remember(run, grown)
        self.seen.scans[run] = known
        return scan

    def _remember(self, run: str, scan: Scan) -> Scan:
        self.seen.scans[run] = scan.encode_json()
        self.is_news = True
        return scan


def _find_file(sweep_dir: SweepDir) -> Path | None:
    """Return where the cache of a sweep lies; None if there is to be none."""
    named = os.environ.get(DIR_VARIABLE)
    if named == "":
        return None
    if named is None:
        from platformdirs import user_cache_dir

        named = user_cache_dir("hparams_lab")
    name = hashlib.sha256(os.fsencode(sweep_dir.path)).hexdigest()[:32]
    return Path(named) / f"{name}.scans"


def _load(file: Path | None) -> _Known:
    """Return what is kept in a file; nothing if that is missing, damaged or of another version."""
    if file is None:
        return _Known()
    try:
        head, _, body = file.read_bytes().partition(b"\n")
        if head != _head_of(body):
            return _Known()
        return _Known(*marshal.loads(body))
    except (OSError, ValueError, TypeError, EOFError):
        return _Known()


def _save(file: Path, known: _Known) -> None:
    """Keep what is known, whole or not at all; where it cannot be kept, do without."""
    body = marshal.dumps((known.folders, known.scans))
    aside = file.with_suffix(f".{uuid.uuid4().hex}.tmp")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file, aside=aside):
            aside.write_bytes(b"\n".join((_head_of(body), body)))
        _drop_old(file.parent)


def _head_of(body: bytes) -> bytes:
    return b"%s %s %08x" % (_FORMAT, _PYTHON, crc32c(body))


def _drop_old(folder: Path) -> None:
    """Remove what nobody has written for a long time: its sweeps are gone, or at rest."""
    oldest = time.time() - _MAX_AGE_SECS
    for entry in os.scandir(folder):
        # The user may have named a directory that holds other things.
        if _OUR_NAME.fullmatch(entry.name) and entry.stat().st_mtime < oldest:
            os.unlink(entry)


# A process takes a quarter of a second to begin with, in which one reads 1,500 runs.
_RUNS_PER_PROCESS = 3_000


def scan_all(runs: Sequence[Sequence[str]]) -> list[Scan]:
    """Return the scan of each run.

    Args:
        runs: paths of the event files of each, in order.
    """
    num_processes = _choose(len(runs))
    if num_processes == 1:
        return [scan_files(paths) for paths in runs]
    own, *others = (runs[start::num_processes] for start in range(num_processes))
    processes = [_start(share) for share in others]
    shares = [[scan_files(paths) for paths in own]]
    shares += [_collect(process, share) for process, share in zip(processes, others, strict=True)]
    scans: list[Scan | None] = [None] * len(runs)
    for start, share in enumerate(shares):
        scans[start::num_processes] = share
    return [scan for scan in scans if scan is not None]


def _choose(num_runs: int) -> int:
    """Return how many processes pay."""
    if num_runs < 2 * _RUNS_PER_PROCESS:
        return 1
    from joblib import cpu_count

    num_cpus: int = cpu_count()
    return max(1, min(num_cpus, num_runs // _RUNS_PER_PROCESS))


def _start(runs: Sequence[Sequence[str]]) -> subprocess.Popen[bytes]:
    # Not -m, which would run a second copy of this module and say so.
    # Nor with a path of its own: -c looks in the working directory, where any json.py may lie.
    start = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
    words = [sys.executable, "-c", start]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    # It reads all before it writes any. If it dies over it, `_collect` sees that.
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(json.dumps(runs).encode())
    return process


def _collect(process: subprocess.Popen[bytes], runs: Sequence[Sequence[str]]) -> list[Scan]:
    """Return what a process has read; what it did not come to is read here."""
    assert process.stdout is not None
    with process:
        content = process.stdout.read()
    if process.returncode == 0:
        return [Scan.decode_json(data) for data in json.loads(content)]
    return [scan_files(paths) for paths in runs]


def serve() -> None:
    """Read what standard input names and write what it comes to: the other side of `scan_all`."""
    runs = json.load(sys.stdin)
    json.dump([scan_files(paths).encode_json() for paths in runs], sys.stdout)
