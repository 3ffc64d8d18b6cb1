"""What a job may take of time and of memory, and how one ends that takes more."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hparams_lab.executors.base import Finished, JobEnd
from hparams_lab.executors.process.child import SIGKILL

if TYPE_CHECKING:
    import psutil
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil


# How long a job may take to clean up that was stopped after its time limit.
GRACE_SECS = 5.0

# How often a job's memory is looked at, and what share of a processor that may take: what
# many processes share takes some milliseconds for each gigabyte of each.
_LOOK_SECS = 0.25
_MOST_SHARE = 0.05

_MB = 1 << 20

# A process that is stopped hears SIGTERM only once it goes on, which Windows has no word for.
_PLEASE = (signal.SIGTERM, *filter(None, [getattr(signal, "SIGCONT", None)]))


@dataclass(frozen=True)
class JobLimits:
    """What a job may take."""

    timeout_secs: float | None = None  # for how long it may run, in seconds; None: any time
    # resident memory of its process and what that has started, together, in units of 2**20
    # bytes; None: any
    memory_mb: float | None = None


@dataclass(frozen=True)
class Violation:
    """A limit that a job is beyond."""

    end: JobEnd  # of the job's end
    reason: str  # the same in words
    # what the job had started, which may have left its process group
    others: Sequence[psutil.Process] = ()


class LimitMonitor:
    """Sees to it that a job keeps its limits.

    A job that returns after all, before SIGKILL or within the grace of SIGTERM, has ended
    by itself: its result counts.

    Args:
        limits: of the job.
    """

    def __init__(self, limits: JobLimits) -> None:
        self._limits = limits
        self._pid = 0
        self._due = math.inf
        self._next_measure = math.inf
        self._breach: Violation | None = None

    def begin(self, pid: int) -> None:
        """Note that the job begins now, in this process."""
        now = time.monotonic()
        self._pid = pid
        if self._limits.timeout_secs is not None:
            self._due = now + self._limits.timeout_secs
        if self._limits.memory_mb is not None:
            self._next_measure = now + _LOOK_SECS

    @property
    def next_look(self) -> float:
        """When `look` has something to do, in monotonic seconds."""
        return min(self._due, self._next_measure)

    def check(self) -> Violation | None:
        """Return the limit that the job is beyond; call `enforce` with it."""
        now = time.monotonic()
        if self._due <= now:
            self._due = math.inf
            reason = f"was stopped after its time limit of {self._limits.timeout_secs:g} s"
            return Violation(JobEnd.TIMED_OUT, reason)
        if self._next_measure <= now:
            began = time.thread_time()  # not what a busy machine made it wait for
            violation = self._measure(self._limits.memory_mb or 0.0)
            cost_secs = time.thread_time() - began
            self._next_measure = time.monotonic() + max(_LOOK_SECS, cost_secs / _MOST_SHARE)
            return violation
        return None

    def _measure(self, limit_mb: float) -> Violation | None:
        tree = find_tree(self._pid)
        found_mb = measure_memory(tree, limit_mb * _MB) / _MB
        if found_mb <= limit_mb:
            return None
        # Rounded up, so that it is not said to have had what it may have.
        found = f"it had {math.ceil(found_mb)} MB"
        reason = f"was killed above its memory limit of {limit_mb:g} MB ({found})"
        return Violation(JobEnd.OUT_OF_MEMORY, reason, tree[1:])

    def signals(self, violation: Violation) -> Sequence[int]:
        """Return the signals that the job is to be sent, which has not ended so far."""
        is_first = self._breach is None
        self._breach = self._breach or violation
        if violation.end is JobEnd.TIMED_OUT:
            self._due = time.monotonic() + GRACE_SECS
            if is_first:
                return _PLEASE
        return (SIGKILL,)

    def attribute(self, finished: Finished) -> Finished:
        """Return the end of the job with the limit as its end, where that was the cause."""
        violation = self._breach
        if violation is None or not finished.reason:
            return finished
        if violation.end is JobEnd.OUT_OF_MEMORY and finished.end is not JobEnd.CRASHED:
            return finished  # SIGKILL lets nobody raise: it had done so before
        # Not before, as the job's own process could report their deaths as its reason.
        kill(violation.others)
        return replace(finished, reason=violation.reason, end=violation.end)


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
    they share among themselves counts once, where the system says so: on Linux.

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
