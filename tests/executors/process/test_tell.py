"""What jobs in processes of their own ask, and what becomes of those who are not answered."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import AssignmentError
from hparams_lab.executors.base import Finished, Job, JobEnd
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import is_alive, refuse, run_jobs, wait_until
from tests.support import jobs
from tests.support.process_jobs import ready_executor

SETUPS = {
    "fork": int,
    "spawn": pytest.param(partial(jobs.leave_thread, int), marks=pytest.mark.slow),
}

# Holds a job that tells, unanswered or answered again and again, and one that sleeps.
HOLD_A_TELLING_JOB = """
import sys, time
from functools import partial
from pathlib import Path
from hparams_lab.executors.base import Job
from hparams_lab.executors.process.executor import ProcessExecutor
from tests.support import jobs

folder, kind, secs = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
setup = partial(jobs.leave_thread, int) if kind == "spawn" else int

def answer(job_id, pids):
    jobs.note_in(folder / "telling.pid", pids[0])
    jobs.note_in(folder / "parent.pid", pids[1])
    time.sleep(secs)

executor = ProcessExecutor(setup, jobs.perform, num_workers=2)
executor.start()
executor.ready()
executor.submit(Job(0, ("sleep_noted", folder / "sleeping.pid"), folder / "output.log"))
executor.submit(Job(1, ("tell_on_and_on",), folder / "output.log"))
executor.wait(answer)
"""


def hold_telling_job(
    folder: Path, kind: str, secs: float
) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Return a process that holds jobs; the ids of theirs: asking, its parent, sleeping."""
    command = [sys.executable, "-c", HOLD_A_TELLING_JOB, str(folder), kind, str(secs)]
    owner = subprocess.Popen(command)
    files = [folder / f"{name}.pid" for name in ("telling", "parent", "sleeping")]
    wait_until(lambda: all(file.exists() for file in files))
    return owner, [int(file.read_text()) for file in files]


@pytest.fixture(params=SETUPS.values(), ids=SETUPS)
def executor(request: pytest.FixtureRequest) -> Iterator[ProcessExecutor]:
    """An executor that forks, and one that must not."""
    setup: Callable[[], Any] = request.param
    with ready_executor(setup) as ready:
        yield ready


def test_stop_interrupts_who_waits_for_an_answer(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A job that nobody answers is interrupted by stop as any other."""
    executor.submit(Job(0, ("tell_pid",), tmp_path / "0.log"))
    with pytest.raises(AssignmentError, match="cannot answer"):
        executor.wait(refuse)

    assert [Finished(0, reason="was interrupted", end=JobEnd.INTERRUPTED)] == executor.stop(30.0)


def test_threads_may_tell(executor: ProcessExecutor, tmp_path: Path) -> None:
    """Each thread of a job is answered what it told."""
    ends = run_jobs(
        executor, [("tell_in_threads", 8)], tmp_path, answer=lambda _, number: number + 100
    )

    assert [100 + number for number in range(8)] == ends[0].result


def test_children_of_a_job_may_not_tell(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A forked child of a job that tells is told that it may not."""
    ends = run_jobs(executor, [("tell_in_child",)], tmp_path, answer=refuse)

    assert "only the process that train was called in may report" in ends[0].result


def test_no_telling_after_an_interrupted_one(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A job whose own alarm interrupts a telling cannot take its late answer for another's."""
    ends = run_jobs(
        executor,
        [("tell_again_after_alarm",)],
        tmp_path,
        answer=lambda _, pid: os.kill(pid, signal.SIGALRM),
    )

    assert "train may not report once a report of it was interrupted" in ends[0].result


def test_who_dies_unanswered_is_told_dead(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A job killed before its answer comes ends, though a child of it has its socket."""
    pids = []

    def kill_first(job_id: int, told: tuple[int, int]) -> None:
        os.kill(told[0], signal.SIGKILL)
        wait_until(lambda: not is_alive(told[0]))
        pids.extend(told)

    ends = run_jobs(executor, [("tell_beside_grandchild",)], tmp_path, answer=kill_first)

    assert Finished(0, reason="was killed by SIGKILL", end=JobEnd.CRASHED) == ends[0]
    wait_until(lambda: not any(map(is_alive, pids)))


def test_answer_that_is_not_read_harms_nobody(executor: ProcessExecutor, tmp_path: Path) -> None:
    """A job that is killed with its answer unread leaves the others answered."""
    stopped: list[int] = []

    def answer(job_id: int, pid: int) -> bool:
        if job_id == 0:
            os.kill(pid, signal.SIGSTOP)
            stopped.append(pid)
        elif stopped:  # its answer has been sent, before this one
            os.kill(stopped[0], signal.SIGKILL)
        return bool(stopped)

    ends = run_jobs(executor, [("tell_until_true",)] * 2, tmp_path, answer=answer)

    assert {
        0: Finished(0, reason="was killed by SIGKILL", end=JobEnd.CRASHED),
        1: Finished(1, "answered"),
    } == ends


def test_answers_may_meet_death_halfway(tmp_path: Path) -> None:
    """However a job's death and its answer cross, its death is told and the next job begins."""
    with ready_executor() as forking:
        ends = run_jobs(
            forking,
            [("tell_pid",)] * 50,
            tmp_path,
            answer=lambda _, pid: os.kill(pid, signal.SIGKILL),
        )

    assert {"was killed by SIGKILL"} == {end.reason for end in ends.values()}


@pytest.mark.slow
@pytest.mark.parametrize("secs", [60.0, 0.0], ids=["unanswered", "answered"])
@pytest.mark.parametrize("kind", SETUPS)
def test_nothing_outlives_a_killed_executor(kind: str, secs: float, tmp_path: Path) -> None:
    """Jobs end when the executor's process is killed, whoever of them tells or waits then."""
    owner, pids = hold_telling_job(tmp_path, kind, secs)
    owner.kill()
    owner.wait()

    wait_until(lambda: not any(map(is_alive, pids)), timeout_secs=10)


@pytest.mark.slow
def test_telling_job_ends_when_its_server_is_gone(tmp_path: Path) -> None:
    """A job that nobody can answer any more ends by itself, though it ignores errors."""
    owner, (asking, server, sleeping) = hold_telling_job(tmp_path, "fork", 60.0)
    os.kill(server, signal.SIGKILL)

    wait_until(lambda: not is_alive(asking), timeout_secs=10)
    owner.kill()
    owner.wait()
    with contextlib.suppress(ProcessLookupError):  # the owner may have found it
        os.kill(sleeping, signal.SIGKILL)
