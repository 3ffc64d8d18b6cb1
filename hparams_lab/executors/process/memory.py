"""The memory of a process and of what it has started.

psutil is imported with the first look: only who sets a limit needs it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_PROC = Path("/proc")

# Only some kernels list a thread's children. Elsewhere psutil looks through all processes
# of the machine, which may be thousands.
_HAS_CHILDREN_FILES = (_PROC / f"self/task/{os.getpid()}/children").exists()


def find_tree(pid: int) -> list[psutil.Process]:
    """Return a process and its descendants, itself first, less those that have ended."""
    import psutil

    tree = []
    found = [pid]
    for each in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(each)
            tree.append(process)
            found += _list_children(process)
    return tree


def _list_children(process: psutil.Process) -> list[int]:
    if not _HAS_CHILDREN_FILES:
        return [child.pid for child in process.children()]
    children = []
    with contextlib.suppress(OSError):  # it ends meanwhile
        for thread in (_PROC / f"{process.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # as may a thread
                children += (thread / "children").read_text().split()
    return [int(child) for child in children]


def measure_memory(tree: Sequence[psutil.Process], enough_bytes: float) -> int:
    """Return the resident memory of a process and its descendants together, in bytes.

    Memory that the process shares with others than these counts in full, as in what `ps`
    says of it: else its share would depend on how many others there are. Memory that
    they share among themselves counts once, where the system tells: on Linux.

    Args:
        tree: the process first; may be empty.
        enough_bytes: up to here the figure may be too high, as what is shared is costly to
            look at and need not be.
    """
    resident = [_read_rss(process) for process in tree]
    if len(tree) < 2 or sum(resident) <= enough_bytes:
        return sum(resident)
    shares = [_read_pss(process, rss) for process, rss in zip(tree, resident, strict=True)]
    return max(resident[0], sum(shares))


def _read_rss(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended, or is another user's
        return 0


def _read_pss(process: psutil.Process, rss: int) -> int:
    """Return a process's proportional set: of a page that n processes share, the nth part."""
    try:
        lines = (_PROC / f"{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, is not ours to look at, or this is not Linux
        return rss
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), rss)


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, those excepted that have ended; another of the same id is not meant."""
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
