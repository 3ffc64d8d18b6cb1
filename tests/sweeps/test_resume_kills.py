"""Sweeps that are killed again and again, and resumed, come to what one in peace comes to."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.testing.executors import is_alive, wait_until
from tests.support.program import KILL_EXPERIMENTS, find_processes, find_sweep, run_program
from tests.support.resumption import (
    InlineSweeps,
    assert_all_succeeded,
    outcomes,
    spreads,
    words_for,
)

pytestmark = pytest.mark.soak

SHORT = KILL_EXPERIMENTS / "short.py"
# Twenty were survived when this was built.
NUM_KILLS = int(os.environ.get("NUM_KILLS", "6"))
NUM_RUNS = 60
RUN_SECS = 0.05
# How long a program may go on that is killed as it starts, and one that is killed as it runs.
START_SECS = 1.0
BUSY_SECS = 0.25

Kill = Callable[[subprocess.Popen[bytes]], None]


def kill_runner(process: subprocess.Popen[bytes]) -> None:
    """Kill the program alone, as when it takes too much memory."""
    process.kill()


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and all that it started, as when the machine goes down."""
    stopped: set[int] = set()
    while found := find_tree(process.pid) - stopped:
        for pid in found:
            send(pid, signal.SIGSTOP)  # none begins another meanwhile
        stopped |= found
    for pid in stopped:
        send(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def find_tree(pid: int) -> set[int]:
    """Return a process and its descendants."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    tree = {pid}
    while found := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= found
    return tree


@dataclass(frozen=True)
class Kind:
    """A sweep of `NUM_RUNS` runs, and how it is killed.

    Attributes:
        flags: of `run`.
        options: the same, for a launch in this process.
        num_workers: runs at a time.
        kill: ends the program.
    """

    flags: tuple[str, ...]
    options: dict[str, object]
    num_workers: int
    kill: Kill


RANDOM_FLAGS = ("--search=random", "--trials=30", "--repeats=2")
RANDOM_OPTIONS = {"search": "random", "trials": 30, "repeats": 2}

KINDS = {
    "grid_1_worker_tree": Kind((), {}, 1, kill_tree),
    "grid_2_workers_runner": Kind((), {}, 2, kill_runner),
    "random_1_worker_runner": Kind(RANDOM_FLAGS, RANDOM_OPTIONS, 1, kill_runner),
    "random_2_workers_tree": Kind(RANDOM_FLAGS, RANDOM_OPTIONS, 2, kill_tree),
}


@contextlib.contextmanager
def started(words: list[str], session: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program, most runs of which wait to be killed; it is dead afterwards."""
    session.mkdir()
    environment = {"SHORT_SESSION": str(session), "SHORT_RUN_SECS": str(RUN_SECS)}
    with subprocess.Popen(
        words,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def begin_and_kill(kind: Kind, folder: Path, number: int, rng: random.Random) -> None:
    """Launch or resume the sweep, and kill that at a moment of its start or of its runs."""
    logdir = folder / "logs"
    command = ["resume"] if find_sweep(logdir) else ["run", *kind.flags]
    workers = f"--workers={kind.num_workers}"
    words = words_for(command[0], SHORT, logdir, *command[1:], workers)
    session = folder / f"session-{number}"
    with started(words, session) as process:
        if number % 4 == 3:
            time.sleep(rng.uniform(0.0, START_SECS))
        else:
            wait_until(lambda: any(session.iterdir()))
            time.sleep(rng.uniform(0.0, BUSY_SECS))
        assert process.poll() is None, "the sweep was over before it was killed"
        kind.kill(process)


@pytest.mark.parametrize("name", KINDS)
def test_killed_sweep_comes_to_the_same(name: str, tmp_path: Path) -> None:
    """After so many kills each point has one SUCCESS run, and trial ids, seeds, values of peace."""
    kind = KINDS[name]
    rng = random.Random(name)
    for number in range(NUM_KILLS):
        begin_and_kill(kind, tmp_path, number, rng)
    done = run_program(words_for("resume", SHORT, tmp_path / "logs"))
    sweep_dir = find_sweep(tmp_path / "logs")
    assert sweep_dir is not None
    undisturbed = InlineSweeps(ExperimentSource(SHORT), tmp_path / "peace").launch(**kind.options)

    assert (0, "") == (done.returncode, done.stderr)
    assert_all_succeeded(sweep_dir, NUM_RUNS)
    assert outcomes(undisturbed) == outcomes(sweep_dir)
    assert spreads(undisturbed) == spreads(sweep_dir)
    wait_until(lambda: not any(map(is_alive, find_processes(tmp_path / "logs"))))
