"""What tests have done in other processes that takes memory, or looks at what it takes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from hparams_lab.executors.base import Ask
from hparams_lab.executors.process.limits import find_tree, measure_memory
from hparams_lab.testing.executors import wait_until
from tests.support.jobs import SLEEP_SECS, note_in

MB = 1 << 20
MOST_MB = 2000  # that a leak may come to where nobody ends it

LEAK = f"""
import time
kept = []
while len(kept) < {MOST_MB // 10}:
    kept.append(b"x" * (10 << 20))
    time.sleep(0.005)
time.sleep({SLEEP_SECS})
"""


def load_megabytes(count: int) -> np.ndarray:
    """Return data of so many megabytes, each page written."""
    return np.ones(count * MB, dtype=np.uint8)


def perform(state: Any, step: Any, ask: Ask) -> Any:
    """Do one of the things below, named by the argument."""
    name, *arguments = step
    return globals()[name](*arguments)


def call(function: Callable[[], Any]) -> Any:
    return function()


def get_pid() -> int:
    return os.getpid()


def leak(file: Path) -> None:
    """Note this process, then take more and more."""
    note_in(file, os.getpid())
    exec(LEAK, {})


def leak_elsewhere(file: Path, *, leaves_group: bool) -> None:
    """Start a process that takes more and more, and wait for its end."""
    child = subprocess.Popen([sys.executable, "-c", LEAK], start_new_session=leaves_group)
    note_in(file, child.pid)
    child.wait()


def take_and_return(count: int) -> str:
    """Return at once, having taken so many megabytes."""
    load_megabytes(count)
    return "returned"


def take_and_wait_for_end(count: int, file: Path) -> str:
    """Hold so many megabytes until another leak has come to its end."""
    kept = load_megabytes(count)
    wait_until(file.exists)
    wait_until(lambda: not find_tree(int(file.read_text())))
    return f"kept {len(kept)} bytes"


def measure_in_company(folder: Path, num_jobs: int) -> int:
    """Return what this process has in bytes once so many jobs run at a time."""
    (folder / f"{os.getpid()}.here").touch()
    wait_until(lambda: len(list(folder.glob("*.here"))) == num_jobs)
    found = measure_memory(find_tree(os.getpid()), 0.0)
    (folder / f"{os.getpid()}.done").touch()
    wait_until(lambda: len(list(folder.glob("*.done"))) == num_jobs)
    return found


def measure_family(count: int, num_children: int) -> tuple[int, int]:
    """Return the bytes of a family that shares so many megabytes, and the sum of its members'."""
    kept = load_megabytes(count)
    children = [_fork_sleeper() for _ in range(num_children)]
    tree = find_tree(os.getpid())
    together = measure_memory(tree, 0.0)
    apart = sum(measure_memory([process], 0.0) for process in tree)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert kept[0] == 1, "kept until here"
    return together, apart


def _fork_sleeper() -> int:
    if (pid := os.fork()) == 0:
        _sleep_and_exit()
    return pid


def _sleep_and_exit() -> NoReturn:
    time.sleep(SLEEP_SECS)
    os._exit(0)
