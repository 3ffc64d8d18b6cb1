"""Jobs for the contract of executors whose jobs have processes of their own.

They are importable by name, as an executor calls them in another process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from hparams_lab.executors.base import Tell
from hparams_lab.testing.executors import is_alive

SLEEP_SECS = 60.0  # longer than any test

# Ignores whatever asks it to end, in a session that its parent has left.
_DAEMON = (
    "import os, signal, sys, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_IGN)\n"
    "print(os.getpid(), flush=True)\n"
    f"time.sleep({SLEEP_SECS})"
)


def call(state: object, argument: tuple[Any, ...], tell: Tell) -> Any:
    """Call a function, which comes first in the argument, on the rest of it."""
    function, *arguments = argument
    return function(*arguments)


def send_signal_to_self(name: str) -> None:
    """Send this process a signal, then sleep for a minute."""
    os.kill(os.getpid(), signal.Signals[name])
    time.sleep(SLEEP_SECS)


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def start_child() -> int:
    """Return the id of a process that this one leaves running."""
    return subprocess.Popen(["sleep", str(SLEEP_SECS)]).pid


def start_daemon() -> int:
    """Return the id of a process that has left this one's group, session and children."""
    with subprocess.Popen([sys.executable, "-c", _DAEMON], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        return int(starter.stdout.readline())


def start_daemon_and_hang(file: Path) -> None:
    """Note the id of a daemon in a file, then sleep for a minute."""
    file.write_text(str(start_daemon()))
    time.sleep(SLEEP_SECS)


def hang_stopped(file: Path) -> None:
    """Note this process in a file, then stop it as Ctrl-Z would."""
    file.write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


def close_descriptors(highest: int) -> str:
    """Close all file descriptors up to one, as code that makes daemons does."""
    os.closerange(0, highest + 1)
    return "closed"


def exit_thread() -> str:
    """Raise SystemExit in a thread."""
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    return "went on"


def make_lock() -> Any:
    """Return what cannot be pickled."""
    return threading.Lock()


class Unreadable:
    """Can be pickled, but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def return_twice() -> int:
    """Return the id of this process, first in a child of it."""
    if (pid := os.fork()) > 0:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return os.getpid()
    return 0


def has_gone(file: Path) -> bool:
    """Return whether the process noted in a file is gone."""
    return not is_alive(int(file.read_text()))
