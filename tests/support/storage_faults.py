"""Storage that fails for real: full and read-only disks, limits, a user without rights."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.program import run_program

# Mounts, runs the words, and copies what is there then: the mount goes with its namespace.
_ON_A_SMALL_DISK = """
mount -t tmpfs -o size={kilobytes}k small {disk} || exit 99
{command}
code=$?
cp -a {disk}/. {kept}
exit $code
"""
_READ_ONLY = """
mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} || exit 99
{command}
"""


@contextlib.contextmanager
def limited_files(num_bytes: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as `ulimit -f` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def on_small_disk(
    words: Sequence[str], disk: Path, kept: Path, *, kilobytes: int
) -> subprocess.CompletedProcess[str]:
    """Run a program that sees a small disk of its own, and keep what is on it in the end.

    Args:
        words: the command line.
        disk: where the disk is mounted, for this program alone.
        kept: what is on it is copied there.
        kilobytes: size of the disk.
    """
    _require_namespaces()
    disk.mkdir()
    kept.mkdir()
    return _run_script(
        _ON_A_SMALL_DISK,
        kilobytes=str(kilobytes),
        disk=shlex.quote(str(disk)),
        kept=shlex.quote(str(kept)),
        command=shlex.join(words),
    )


def on_read_only(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that sees a directory as part of a read-only disk."""
    _require_namespaces()
    return _run_script(_READ_ONLY, folder=shlex.quote(str(folder)), command=shlex.join(words))


def without_rights(words: Sequence[str]) -> list[str]:
    """Return the command line of a program that permissions bind, also where we are root."""
    if os.geteuid() != 0:
        return [*words]
    if shutil.which("setpriv") is None:
        pytest.skip("permissions do not bind root, and there is no setpriv to give them up")
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *words]


@functools.cache
def _has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def _require_namespaces() -> None:
    if not _has_namespaces():
        pytest.skip("this system lets nobody mount a disk of his own")


def _run_script(script: str, **parts: str) -> subprocess.CompletedProcess[str]:
    done = run_program(["unshare", "-Urm", "sh", "-c", script.format(**parts)])
    if done.returncode == 99:
        pytest.skip(f"this system refuses the mount: {done.stderr}")
    return done
