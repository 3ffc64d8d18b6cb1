"""Finding what is left of a server when everyone who would have ended it is dead.

That is its keeper, killed from outside. A process cannot change what its parent gave it
as an environment, so a mark there is known again in whatever came of the server. It
takes a look at every process of this user: for the end of a server, not of each job.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path

_VARIABLE = "HPARAMS_LAB_SERVER"

# Each time some may be forked while the others are found and killed.
_MAX_LOOKS = 100


def make_mark() -> dict[str, str]:
    """Return a variable for an environment that no other process has."""
    return {_VARIABLE: secrets.token_hex(16)}


def find_marked(mark: dict[str, str]) -> set[int]:
    """Return the processes that live in an environment with this mark; on Linux alone."""
    ((name, value),) = mark.items()
    variable = f"{name}={value}".encode()
    return {
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if variable in _read_environment(folder)
    }


def end_marked(mark: dict[str, str]) -> None:
    """Kill the processes that live in an environment with this mark."""
    for _ in range(_MAX_LOOKS):
        left = find_marked(mark)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _read_environment(folder: Path) -> list[bytes]:
    """Return the variables that a process had from its parent; none of a dead one."""
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or gone
        return []
