"""Sweeps at the same time share nothing that they could break."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.logdir.lock import is_held
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.options import LaunchOptions
from hparams_lab.testing.executors import wait_until
from tests.support.concurrent_sweeps import (
    NUM_RUNS,
    PARTS,
    assert_whole,
    finish,
    gate_of,
    home_of,
    list_endings,
    start,
    write_experiment,
)
from tests.support.oracle import read_board
from tests.support.program import run_program
from tests.support.resumption import words_for
from tests.support.servers import TensorBoardServer, read_url, running

pytestmark = pytest.mark.slow

NUM_STARTS = 10
NUM_SWEEPS = 4
# Sweeps of one second wait for each other; here a second lasts this long.
SECOND_SECS = 0.02


@pytest.mark.parametrize("count", [2, 4])
def test_started_together_each_is_whole(count: int, tmp_path: Path) -> None:
    """Sweeps that start at once have ids of their own, complete, and widen the one config."""
    path, logdir = write_experiment(tmp_path), tmp_path / "logs"
    ended = finish([start(path, logdir, *flags) for flags in PARTS[:count]])
    home = home_of(logdir)

    assert [(0, "")] * count == ended
    assert count == len(home.find_sweeps())
    assert_whole(home, sum(NUM_RUNS[:count]))
    expected = ["units"] if count == 2 else ["kind", "units"]
    labels = {"day", "sweep", "commit"}
    assert expected == sorted({*read_board(home.path).differing} - labels)


def launch_again_and_again(
    path: Path, logdir: Path, settings: list[str], wait: Callable[[], object], began: float
) -> None:
    """Launch a sweep whenever the others do, too, by a clock that runs fast."""

    def now() -> datetime:
        return datetime(2026, 11, 21) + timedelta(seconds=(time.time() - began) / SECOND_SECS)

    for _ in range(NUM_STARTS):
        wait()
        launch(
            ExperimentSource(path),
            LaunchOptions(logdir=logdir, executor="inline", settings=settings),
            now=now,
        )


def test_many_starts_at_once(tmp_path: Path) -> None:
    """Four processes that begin a sweep at one moment, ten times over, lose none of them."""
    path, logdir = write_experiment(tmp_path), tmp_path / "logs"
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(NUM_SWEEPS, timeout=60)
    began = time.time()
    processes = []
    for flags in PARTS:
        settings = [flag.removeprefix("--set=") for flag in flags]
        arguments = (path, logdir, settings, barrier.wait, began)
        processes.append(context.Process(target=launch_again_and_again, args=arguments))
        processes[-1].start()
    for process in processes:
        process.join()

    assert [0] * NUM_SWEEPS == [process.exitcode for process in processes]
    assert NUM_STARTS * NUM_SWEEPS == len(home_of(logdir).find_sweeps())
    assert_whole(home_of(logdir), NUM_STARTS * sum(NUM_RUNS))


def test_experiments_keep_apart(tmp_path: Path) -> None:
    """Sweeps of two experiments in one log directory at once are each whole."""
    logdir = tmp_path / "logs"
    paths = [write_experiment(tmp_path, name) for name in ("left", "right")]
    ended = finish([start(path, logdir) for path in paths])

    assert [(0, "")] * 2 == ended
    for path in paths:
        assert_whole(home_of(logdir, path.stem), 8)


Running = list[subprocess.Popen[str]]


def begun(sweep_dir: SweepDir) -> bool:
    """Return whether a run of a sweep has begun."""
    return any(run.event_files for run in sweep_dir.find_run_dirs())


def let_go(path: Path, programs: Running) -> None:
    """Let the runs of sweeps go on, and see that they succeed."""
    gate_of(path).unlink()
    assert [(0, "")] * len(programs) == finish(programs)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the module of an experiment."""
    return write_experiment(tmp_path)


@pytest.fixture
def both(path: Path, tmp_path: Path) -> Iterator[Running]:
    """Yield two sweeps of it that wait in their first runs, beside one that is over."""
    logdir, home = tmp_path / "logs", home_of(tmp_path / "logs")
    assert [(0, "")] == finish([start(path, logdir, *PARTS[0])])
    gate_of(path).touch()
    programs = [start(path, logdir, f"--set=kind={kind}") for kind in "ab"]
    try:
        wait_until(lambda: [True] * 2 == [begun(sweep) for sweep in home.find_sweeps()][1:])
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_locks_hold(path: Path, both: Running, tmp_path: Path) -> None:
    """Neither of two running sweeps can be resumed; both are free once they have ended."""
    home = home_of(tmp_path / "logs")
    sweep_dirs = home.find_sweeps()
    refused = [
        run_program([*words_for("resume", path, tmp_path / "logs"), sweep_dir.id])
        for sweep_dir in sweep_dirs[1:]
    ]

    assert [2, 2] == [done.returncode for done in refused]
    assert all("another is running" in done.stderr for done in refused)
    assert [False, True, True] == [is_held(sweep_dir) for sweep_dir in sweep_dirs]
    let_go(path, both)
    assert [False] * 3 == [is_held(sweep_dir) for sweep_dir in sweep_dirs]
    assert_whole(home, 9)


def test_readers_beside_them(path: Path, both: Running, tmp_path: Path) -> None:
    """Commands that read while sweeps run, or fill the cache, say nothing but the truth."""
    program = [sys.executable, "-m", "hparams_lab"]
    logdir = f"--logdir={tmp_path / 'logs'}"
    for is_over in (False, True):
        if is_over:
            let_go(path, both)
        shown = run_program([*program, "export", "pair", logdir, "--format=json"])
        assert (9 if is_over else 1) == shown.stdout.count('"complete"')
        for command in (["show", "pair", "all"], ["compare", "pair", "--by=sweep"]):
            done = run_program([*program, *command, logdir])
            assert (0, "") == (done.returncode, done.stderr)


def test_dashboard_follows_both(path: Path, both: Running, tmp_path: Path) -> None:
    """A dashboard that was opened while two sweeps run comes to show all their runs."""
    words = [sys.executable, "-m", "hparams_lab", "dashboard", "pair", "--port=0"]
    with running([*words, f"--logdir={tmp_path / 'logs'}"]) as process:
        server = TensorBoardServer(read_url(process))
        server.wait_for(lambda shown: len(shown.statuses) == 3)
        let_go(path, both)
        board = server.wait_for(lambda shown: shown.has_ended(9))

    assert ["STATUS_SUCCESS"] * 9 == board.statuses


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_another_goes_meanwhile(verb: str, path: Path, both: Running, tmp_path: Path) -> None:
    """A sweep that is put away while others run takes nothing of theirs, nor its columns."""
    home = home_of(tmp_path / "logs")
    old = home.find_sweeps()[0]
    words = [sys.executable, "-m", "hparams_lab", verb, "pair", old.id]
    more = ["--yes"] if verb == "delete" else []
    done = run_program([*words, f"--logdir={tmp_path / 'logs'}", *more])

    assert (0, "") == (done.returncode, done.stderr)
    let_go(path, both)
    assert_whole(home, 8)


def test_one_is_killed(path: Path, both: Running, tmp_path: Path) -> None:
    """A sweep that is killed takes nothing of the other's, and is resumed beside nobody."""
    home = home_of(tmp_path / "logs")
    both[0].kill()
    finish(both[:1])
    let_go(path, both[1:])
    kinds = {Sweep.read(sweep).settings: sweep for sweep in home.find_sweeps()}
    killed = kinds[("kind=a",)]
    assert [None] == list_endings(killed)

    done = run_program([*words_for("resume", path, tmp_path / "logs"), killed.id])
    assert (0, "") == (done.returncode, done.stderr)
    assert_whole(home, 9)
