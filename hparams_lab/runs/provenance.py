"""Where results come from: command, code, versions and machine, recorded as a sweep starts."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import platform
import socket
import subprocess
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hparams_lab.logdir.atomic import write_whole
from hparams_lab.logdir.layout import SweepDir

_GIT_TIMEOUT_SECS = 30


@dataclass(frozen=True)
class GitState:
    """The state of a git checkout."""

    root: str  # top folder of the checkout
    commit: str  # full hash of HEAD
    branch: str  # name, or `HEAD` where none is checked out
    dirty: bool  # whether tracked files, or a source file git does not track, differ from it

    @property
    def label(self) -> str:
        """The short commit, `+` behind it if dirty: what the dashboard shows."""
        return self.commit[:8] + ("+" if self.dirty else "")


@dataclass(frozen=True)
class Provenance:
    """How a sweep came about."""

    command: Sequence[str]  # the words of the command line
    working_dir: str  # where it was typed
    git: GitState | None  # the checkout the experiment lies in, None outside git or without a file
    python: str  # version
    versions: Mapping[str, str]  # installed package to version
    host: str  # the machine's name
    platform: str  # operating system and processor
    num_cpus: int  # processors of the machine, not of the process
    code_digest: str = ""  # of the sources' names and bytes; empty where it was not recorded

    @property
    def commit_label(self) -> str:
        """`GitState.label`, or `none` outside git."""
        return self.git.label if self.git else "none"

    def encode_json(self) -> dict[str, Any]:
        """Return the provenance as JSON data, the inverse of `decode_json`."""
        return asdict(self)

    @staticmethod
    def decode_json(data: Mapping[str, Any]) -> Provenance:
        """Return the provenance that `encode_json` wrote."""
        git = GitState(**data["git"]) if data["git"] else None
        return Provenance(**{**data, "git": git, "command": tuple(data["command"])})


def collect_provenance(command: Sequence[str], sources: Sequence[Path]) -> Provenance:
    """Return the provenance of a sweep that starts now.

    Args:
        command: the words of the command line.
        sources: the experiment's file first, then what it imports; empty if it is in no
            file.
    """
    return Provenance(
        command=tuple(command),
        working_dir=os.getcwd(),
        git=_read_git(sources) if sources else None,
        python=platform.python_version(),
        versions=_list_versions(),
        host=socket.gethostname(),
        platform=platform.platform(),
        num_cpus=os.cpu_count() or 1,
        code_digest=_digest(sources) if sources else "",
    )


def find_root(experiment_file: Path) -> Path:
    """Return the top folder of the checkout a file lies in, or outside git its own folder."""
    folder = experiment_file.resolve().parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top.strip()) if top else folder


def save_sources(
    sweep_dir: SweepDir, sources: Sequence[Path], git: GitState | None, *, stage: int = 0
) -> None:
    """Write the code as it runs into the sweep's directory.

    Args:
        sweep_dir: of the sweep that starts.
        sources: files to keep; paths in the archive are relative to their common folder.
        git: of the checkout; where it is dirty, its difference from the commit is kept.
        stage: 0 as the sweep begins, n as it is resumed for the nth time.

    Raises:
        StorageError: if they cannot be written; none of them is there in part.
    """
    root = Path(git.root) if git else Path(os.path.commonpath([path.parent for path in sources]))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sources:
            name = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
            # Not the file's own time: archives cannot hold times before 1980.
            archive.writestr(zipfile.ZipInfo(name.as_posix()), path.read_bytes())
    write_whole(sweep_dir.source_file(stage), content.getvalue())
    if git and git.dirty:
        # A patch holds the files' own bytes, whatever their encoding, and nobody's colours.
        flags = ("--binary", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/")
        diff = _git(Path(git.root), "diff", "HEAD", *flags) or ""
        write_whole(sweep_dir.diff_file(stage), diff.encode(errors="surrogateescape"))


def _digest(sources: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in sources:
        name = os.path.relpath(path, sources[0].parent)
        digest.update(name.encode(errors="surrogateescape") + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read_git(sources: Sequence[Path]) -> GitState | None:
    folder = sources[0].resolve().parent
    root = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "rev-parse", "HEAD")
    if not root or not commit:
        return None
    top = Path(root.strip())
    inside = [str(path) for path in _resolve(sources) if path.is_relative_to(top)]
    tracked = (_git(top, "ls-files", "-z", "--", *inside) or "").split("\0")
    changed = _git(top, "status", "--porcelain", "--untracked-files=no")
    return GitState(
        root=str(top),
        commit=commit.strip(),
        branch=(_git(folder, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        dirty=bool(changed) or len([name for name in tracked if name]) < len(inside),
    )


def _resolve(paths: Iterable[Path]) -> list[Path]:
    return [path.resolve() for path in paths]


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it fails, as outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            timeout=_GIT_TIMEOUT_SECS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="surrogateescape")


def _list_versions() -> dict[str, str]:
    found = {
        distribution.metadata["Name"]: distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return dict(sorted((name, version) for name, version in found.items() if name))
