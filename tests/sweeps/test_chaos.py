"""Two hundred runs, most of which come to grief: the sweep is whole, and nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from hparams_lab.events import schema
from hparams_lab.events.read.reader import RunRecord, read_events
from hparams_lab.events.schema import Ending, Status
from hparams_lab.testing.executors import wait_until
from tests.support.kill_experiments.chaos import make_fates
from tests.support.oracle import Board, read_board
from tests.support.program import KILL_EXPERIMENTS, read_sweep, run_program, words_of

pytestmark = pytest.mark.soak

EXPERIMENT = KILL_EXPERIMENTS / "chaos.py"
NUM_EACH = 20
NUM_WORKERS = 2
TIMEOUT_SECS = 2.0
MEMORY_LIMIT_MB = 250
# How much longer than its healthy and timed-out runs need a sweep may take.
TOLERANCE = 1.25
# After which nothing of a sweep may be alive.
GONE_SECS = 5.0
MARK = "CHAOS_MARK"
IS_BESIDE_OTHERS = "PYTEST_XDIST_WORKER" in os.environ

ENDINGS = {
    "raises": Ending.FAILED,
    "exits": Ending.CRASHED,
    "segfaults": Ending.CRASHED,
    "hangs": Ending.TIMED_OUT,
    "leaks": Ending.OUT_OF_MEMORY,
    "forks": Ending.COMPLETE,
    "closes_stdout": Ending.COMPLETE,
    "goes_elsewhere": Ending.COMPLETE,
    "terminates_itself": Ending.CRASHED,
    "waits_to_be_killed": Ending.CRASHED,
}

# The order of the fates, and how many runs a process does.
CHAOSES = {"first": ("1", 1), "second": ("2", 1), "ten_a_process": ("3", 10)}


@dataclass(frozen=True)
class Chaos:
    """A sweep of two hundred runs that is over.

    Attributes:
        logdir: where it is logged.
        exit_code: of the program.
        errors: what that printed to stderr.
        wall_secs: how long it took.
        startup_secs: how long the program takes that does next to nothing.
        left: processes of the sweep that outlived it by `GONE_SECS`.
        litter: what it left in its directory for temporary files.
    """

    logdir: Path
    exit_code: int
    errors: str
    wall_secs: float
    startup_secs: float
    left: list[str]
    litter: list[str]

    @property
    def records(self) -> list[RunRecord]:
        """The runs, by trial."""
        return read_sweep(self.logdir)

    @property
    def board(self) -> Board:
        """What TensorBoard shows."""
        (home,) = self.logdir.iterdir()
        return read_board(home)


def fate_of(record: RunRecord) -> str:
    """Return what was to become of a run."""
    return str(record.assignment["fate"]).partition("-")[2]


@pytest.fixture(scope="module", params=[*CHAOSES])
def chaos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chaos:
    """Run the sweep, and kill from outside those runs that wait for it."""
    if request.param == "second" and IS_BESIDE_OTHERS:
        pytest.skip("fifty seconds, of what the first has shown")
    seed, runs_per_process = CHAOSES[request.param]
    folder = tmp_path_factory.mktemp("chaos")
    victims, logdir, temporary = (folder / name for name in ("victims", "logs", "tmp"))
    victims.mkdir()
    temporary.mkdir()
    mark = uuid.uuid4().hex
    environment = {
        **os.environ,
        **{"CHAOS_SEED": seed, "CHAOS_VICTIMS": str(victims), MARK: mark},
        "TMPDIR": str(temporary),
    }
    flags = [
        f"--runs_per_process={runs_per_process}",
        f"--run_timeout_secs={TIMEOUT_SECS}",
        f"--memory_limit_mb={MEMORY_LIMIT_MB}",
    ]
    startup_secs = time_startup([*words_of(EXPERIMENT, folder / "startup"), *flags], environment)
    words = [*words_of(EXPERIMENT, logdir), *flags]
    began = time.monotonic()
    with subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as program:
        while program.poll() is None:
            kill_victims(victims)
            time.sleep(0.02)
        wall_secs = time.monotonic() - began
        errors = program.stderr.read() if program.stderr else ""
    return Chaos(
        logdir=logdir,
        exit_code=program.returncode,
        errors=errors,
        wall_secs=wall_secs,
        startup_secs=startup_secs,
        left=find_left(mark),
        litter=[path.name for path in temporary.iterdir()],
    )


def time_startup(words: list[str], environment: dict[str, str]) -> float:
    """Return how long the program takes for one run that fails at once, in seconds."""
    fates = make_fates(environment["CHAOS_SEED"])
    point = next(fate for fate in fates if fate.endswith("-raises"))
    began = time.monotonic()
    run_program([*words, f"--set=fate={point}"], environment)
    return time.monotonic() - began


def kill_victims(folder: Path) -> None:
    """Kill the runs that have said that they wait for it."""
    for victim in folder.iterdir():
        victim.unlink()
        os.kill(int(victim.name), 9)


def find_left(mark: str) -> list[str]:
    """Return the command lines of processes with that mark that do not end in time."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not find_marked(mark), timeout_secs=GONE_SECS)
    return [f"{pid}: {name}" for pid, name in find_marked(mark).items()]


def find_marked(mark: str) -> dict[int, str]:
    """Return the processes that were started with that mark in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # gone, or another user's
            continue
    return found


def test_program_is_calm(chaos: Chaos) -> None:
    """The sweep exits with 1, as runs failed, and prints no error of its own."""
    assert (1, "") == (chaos.exit_code, chaos.errors)


def test_each_has_its_true_ending(chaos: Chaos) -> None:
    """Every run ended for just the reason that it had."""
    expected = dict.fromkeys(ENDINGS.items(), NUM_EACH)

    assert expected == dict(Counter((fate_of(run), run.ending) for run in chaos.records))


def test_each_has_one_ending(chaos: Chaos) -> None:
    """Every run's files are whole and have one end."""
    ends = {
        run.dir.path: sum(
            value.tag == schema.END_TAG
            for file in run.dir.event_files
            for event in read_events(file)
            for value in event.summary.value
        )
        for run in chaos.records
    }

    assert {1} == {*ends.values()}


def test_tensorboard_shows_the_same(chaos: Chaos) -> None:
    """TensorBoard's backend has one status for each run, and it is ours."""
    statuses = [f"STATUS_{run.status.value}" for run in chaos.records]

    assert statuses == chaos.board.statuses


def test_healthy_runs_have_metrics(chaos: Chaos) -> None:
    """A run that returned has what it returned, and its place says that it is its own."""
    healthy = [run for run in chaos.records if run.status is Status.SUCCESS]
    expected = [float(str(run.assignment["fate"]).partition("-")[0]) for run in healthy]

    assert 3 * NUM_EACH == len(healthy)
    assert expected == [run.last_values["loss"] for run in healthy]


def test_unhealthy_runs_say_why(chaos: Chaos) -> None:
    """A run that failed has said so in a file, and kept what it had logged."""
    failed = [run for run in chaos.records if run.status is Status.FAILURE]

    assert all(run.dir.failure_file.read_text() for run in failed)
    assert {0.5} == {run.last_values["progress"] for run in failed}


def test_nothing_is_left(chaos: Chaos) -> None:
    """Five seconds after the sweep none of its processes is alive, nor has it left a file."""
    assert [] == chaos.left
    assert [] == chaos.litter


@pytest.mark.skipif(IS_BESIDE_OTHERS, reason="a time, with others beside it")
def test_no_time_is_lost(chaos: Chaos) -> None:
    """The sweep takes little longer than two workers need for what is healthy or timed out."""
    counted = (Ending.COMPLETE, Ending.TIMED_OUT)
    needed_secs = sum(run.wall_secs or 0.0 for run in chaos.records if run.ending in counted)
    least_secs = needed_secs / NUM_WORKERS + chaos.startup_secs
    figures = f"{chaos.wall_secs:.1f} s, of which {least_secs:.1f} s are needed"
    print(f"{figures}, {chaos.startup_secs:.1f} s of them to start")  # noqa: T201 - pytest -s

    assert chaos.wall_secs <= TOLERANCE * least_secs, figures
