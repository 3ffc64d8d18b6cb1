"""The parent of a server: it ends the server and all that comes of it, whatever happens.

    executor ──control──▶ keeper ──fork──▶ server ──fork──▶ jobs ──▶ what these start
        ▲                                    │
        └───────────── stdin, stdout ────────┘

The server may be busy loading for minutes, stuck in C code, stopped or killed; the
keeper does nothing but wait, so it can always act. When the executor is gone or closes
its end, when it says so, or when the server ends, every process that has come of the
server is killed, and the keeper ends as the server did. Linux gives it those whose own
parents are dead; only there is a server kept.

It runs before the package is imported and imports nothing of it: so it is small, and
forks while there is no other thread. The server and its jobs, which have orphans of
their own to end, import it from here.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import math
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

# linux/prctl.h; looked up here, once for all children.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None

_THREADS = Path("/proc/self/task")

# How long a server may take to end by itself once the executor has closed its end.
_GRACE_SECS = 1.0

# Killed processes are gone in milliseconds, save those that wait for a broken disk.
_REAP_SECS = 3.0

# A child that the executor forked may hold its end open when the executor is dead.
_LOOK_SECS = 1.0


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent dies, where it can: on Linux.

    Args:
        parent: its process, which may be dead by now.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of whatever comes of this process and loses its own: on Linux."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def list_children() -> set[int]:
    """Return the children of this process, dead ones too until they are waited for.

    It is empty where nobody adopts orphans: elsewhere than on Linux.
    """
    if _PRCTL is None:
        return set()
    children: set[int] = set()
    try:
        for thread in _THREADS.iterdir():
            children.update(map(int, (thread / "children").read_text().split()))
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN, or a thread has ended
        import psutil

        return {child.pid for child in psutil.Process().children()}
    return children


def end_children(spared: Collection[int] = ()) -> set[int]:
    """Kill the children of this process, and what these leave to it, until none is left.

    Args:
        spared: those that may live.

    Returns:
        Those that could not be ended, usually none.
    """
    deadline = time.monotonic() + _REAP_SECS
    while (left := list_children().difference(spared)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.0005)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    return left


def keep_child(control: int, owner: int) -> None:
    """Return in a new process, and stay behind to end all that comes of it.

    Args:
        control: file descriptor that brings numbers of signals for the new process and
            its group, one byte each, until there is no more use of it.
        owner: the parent of this process, without which it is of no use either.
    """
    keeper = os.getpid()
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback, should it be interrupted
    child = os.fork()
    if child == 0:
        os.close(control)
        os.setpgid(0, 0)
        die_with_parent(keeper)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return
    _keep(child, control, owner)


def _keep(child: int, control: int, owner: int) -> NoReturn:
    try:
        os.close(0)  # who writes to a dead server is to notice
        with contextlib.suppress(OSError):
            os.setpgid(child, child)  # the child does so too; whoever comes first
        exit_code = _wait(child, control, owner)
        end_children()
        _end_by(exit_code)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _wait(child: int, control: int, owner: int) -> int:
    """Return how the child ended, as in `subprocess`; as killed where it has to be."""
    wakeup, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the select below
    listening, due = [control, wakeup], math.inf
    while time.monotonic() < due:
        pid, wait_status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(wait_status)
        is_gone = os.getppid() != owner
        rest = due - time.monotonic()
        ready = select.select(listening, [], [], max(0.0, min(_LOOK_SECS, rest)))[0]
        if wakeup in ready:
            os.read(wakeup, 4096)
        if control in ready:
            for number in (numbers := os.read(control, 4096)):
                _signal_group(child, number)
            is_gone |= not numbers
        if is_gone and due == math.inf:
            listening, due = [wakeup], time.monotonic() + _GRACE_SECS
    return -signal.SIGKILL


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
        os.killpg(leader, signal.SIGCONT)  # a stopped process takes no other signal


def _end_by(exit_code: int) -> NoReturn:
    """End as another process did, whose exit code is negative for a signal."""
    if exit_code < 0:
        import resource  # unknown to Windows, where this module is imported too

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.disable()
        with contextlib.suppress(OSError):  # of SIGKILL and SIGSTOP
            signal.signal(-exit_code, signal.SIG_DFL)
        os.kill(os.getpid(), -exit_code)
    os._exit(exit_code)
