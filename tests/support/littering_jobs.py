"""What the tests of executors have left behind in a process that another job gets after them."""

import ctypes
import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import Ask

_KEPT_TELLS: list[Ask] = []


def leave_place(ask: Ask, folder: Path) -> None:
    """Go to another directory and environment, and have new files be nobody's."""
    os.chdir(folder)
    os.umask(0o777)
    os.environ["LITTER"] = "left"
    del os.environ["PATH"]


def replace_stdout(ask: Ask) -> None:
    """Leave another object as stdout, and something unflushed in the one that was there."""
    sys.stdout.write("before ")
    sys.stdout = io.StringIO()


def print_in_c(ask: Ask, text: str) -> None:
    """Print as a C library does, which keeps it in a buffer of its own."""
    ctypes.CDLL(None).printf(text.encode())


def print_word(ask: Ask, word: str) -> None:
    print(word)  # noqa: T201 - as train functions do


def set_alarm(ask: Ask) -> None:
    """Have this process killed a moment later, and ignore SIGTERM from now on."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0.1)


def block_sigterm(ask: Ask) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def be_interrupted_by_sigterm(ask: Ask) -> int:
    """Return this process if it can be interrupted by SIGTERM."""

    def interrupt(number: int, frame: Any) -> None:
        raise InterruptedError

    signal.signal(signal.SIGTERM, interrupt)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except InterruptedError:
        return os.getpid()
    return 0


def describe_place(ask: Ask) -> tuple[int, str, dict[str, str], int]:
    """Return this process, its directory, its environment and its umask."""
    umask = os.umask(0)
    os.umask(umask)
    return os.getpid(), os.getcwd(), dict(os.environ), umask


def is_deaf_to_sigterm(ask: Ask) -> bool:
    """Return whether SIGTERM is ignored, after waiting for alarms."""
    threading.Event().wait(0.3)
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def keep_tell(ask: Ask) -> Any:
    """Ask, and keep the tell for another job."""
    _KEPT_TELLS.append(ask)
    return ask("own")


def tell_by_kept(ask: Ask) -> str:
    """Ask by what another job kept, and return what is said of it."""
    try:
        _KEPT_TELLS[0]("another's")
    except ExecutorError as error:
        return str(error)
    return "nothing"


def fork_and_return_twice(ask: Ask) -> int:
    """Return in this process and, first, in a child of it."""
    if (pid := os.fork()) > 0:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return os.getpid()
