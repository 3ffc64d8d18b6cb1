"""What becomes of jobs that take more memory than they may."""

import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from hparams_lab.executors.base import Finished, Job, JobEnd
from hparams_lab.executors.process import limits
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.executors.process.limits import JobLimits, LimitMonitor, Violation
from hparams_lab.testing.executors import is_alive, run_jobs, wait_for, wait_until
from tests.support import jobs
from tests.support import memory_jobs as hogging

LIMIT_MB = 300  # three times what an interpreter with our modules has

SETUPS = {"fork": int, "spawn": partial(jobs.leave_thread, int)}
either_way = pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)

BREACH = Violation(JobEnd.OUT_OF_MEMORY, "was killed above its memory limit")


@contextmanager
def ready_executor(setup: Callable[[], Any] = int, **options: Any) -> Iterator[ProcessExecutor]:
    """Yield an executor of `hogging.perform` that is ready, and close it."""
    options = {"num_workers": 2, "memory_limit_mb": LIMIT_MB} | options
    with ProcessExecutor(setup, hogging.perform, **options) as executor:
        executor.start()
        executor.ready()
        yield executor


def assert_out_of_memory(end: Finished, limit_mb: float = LIMIT_MB) -> None:
    """Check that a job's end is told as the limit's, with a figure above that."""
    pattern = rf"was killed above its memory limit of {limit_mb} MB \(it had (\d+) MB\)"
    found = re.fullmatch(pattern, end.reason)

    assert JobEnd.OUT_OF_MEMORY == end.end
    assert found, end.reason
    assert int(found[1]) > limit_mb


@pytest.mark.slow
@either_way
def test_leaking_job_is_killed(setup: Callable[[], Any], tmp_path: Path) -> None:
    """A job that takes more and more is told killed for that, with figures, and is gone."""
    file = tmp_path / "job.pid"
    with ready_executor(setup) as executor:
        ends = run_jobs(executor, [("leak", file)], tmp_path)

    assert_out_of_memory(ends[0])
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.slow
@either_way
@pytest.mark.parametrize("leaves_group", [False, True], ids=["in the group", "in a session"])
def test_what_a_job_started_counts(
    setup: Callable[[], Any], leaves_group: bool, tmp_path: Path
) -> None:
    """A job is killed for the memory of a process that it started, and this with it."""
    file = tmp_path / "grandchild.pid"
    leak = partial(hogging.leak_elsewhere, file, leaves_group=leaves_group)
    with ready_executor(setup) as executor:
        ends = run_jobs(executor, [("call", leak)], tmp_path)

    assert_out_of_memory(ends[0])
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.slow
def test_other_jobs_go_on(tmp_path: Path) -> None:
    """A job within the limit goes on when another is killed."""
    file = tmp_path / "leak.pid"
    with ready_executor() as executor:
        steps = [("leak", file), ("take_and_wait_for_end", 50, file)]
        ends = run_jobs(executor, steps, tmp_path)

    assert_out_of_memory(ends[0])
    assert Finished(1, f"kept {50 * hogging.MB} bytes") == ends[1]


@pytest.mark.slow
def test_limit_below_what_a_job_begins_with(tmp_path: Path) -> None:
    """What was loaded before a job began counts: it is killed, and told what it had."""
    with ready_executor(partial(hogging.load_megabytes, 200), memory_limit_mb=200) as executor:
        steps = [("take_and_wait_for_end", 1, tmp_path / "none")]
        ends = run_jobs(executor, steps, tmp_path)

    assert_out_of_memory(ends[0], 200)


def test_job_that_ends_by_itself_has_its_result(tmp_path: Path) -> None:
    """A job that took too much and returned before anyone looked has returned."""
    with ready_executor(memory_limit_mb=1) as executor:
        ends = run_jobs(executor, [("take_and_return", 5)], tmp_path)

    assert Finished(0, "returned") == ends[0]


@pytest.mark.slow
def test_process_is_not_kept(tmp_path: Path) -> None:
    """The job after one that was killed has another process, where processes are kept."""
    file = tmp_path / "job.pid"
    with ready_executor(num_workers=1, jobs_per_process=100) as executor:
        ends = run_jobs(executor, [("get_pid",), ("leak", file), ("get_pid",)], tmp_path)

    assert ends[0].result == int(file.read_text())
    assert_out_of_memory(ends[1])
    assert ends[0].result != ends[2].result
    assert "" == ends[2].reason


@pytest.mark.slow
def test_time_limit_holds_beside_it(tmp_path: Path) -> None:
    """A job within its memory limit is stopped when its time is over."""
    with ready_executor(timeout_secs=0.7) as executor:
        executor.submit(Job(0, ("take_and_wait_for_end", 5, tmp_path / "none"), tmp_path / "0.log"))

        assert JobEnd.TIMED_OUT == wait_for(executor).end


ENDS = {
    "returned": (Finished(0, 1.0), None),
    "raised": (Finished(0, reason="raised", end=JobEnd.ERROR), JobEnd.ERROR),
    "killed": (Finished(0, reason="was killed", end=JobEnd.CRASHED), JobEnd.OUT_OF_MEMORY),
}


@pytest.mark.parametrize(("finished", "cause"), ENDS.values(), ids=ENDS)
def test_only_a_killed_job_is_out_of_memory(finished: Finished, cause: JobEnd | None) -> None:
    """A job found above its limit that returned or raised before SIGKILL has done that."""
    watch = LimitMonitor(JobLimits(memory_mb=1.0))
    watch.signals(BREACH)

    assert cause == watch.attribute(finished).end


def test_no_limit_is_no_work() -> None:
    """A job without limits is never looked at."""
    watch = LimitMonitor(JobLimits())
    watch.begin(1)

    assert math.inf == watch.next_look


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is shared")
def test_shared_memory_counts_once(tmp_path: Path) -> None:
    """What a job shares with processes that it forked counts once, not for each of them."""
    with ready_executor(memory_limit_mb=None) as executor:
        ends = run_jobs(executor, [("measure_family", 100, 4)], tmp_path)
    together, apart = ends[0].result

    assert 100 * hogging.MB < together < apart - 4 * 90 * hogging.MB


@pytest.mark.slow
def test_company_changes_nothing(tmp_path: Path) -> None:
    """A job counts the same alone and beside others that share what was loaded."""
    setup = partial(hogging.load_megabytes, 100)
    found = []
    with ready_executor(setup, num_workers=4, memory_limit_mb=None) as executor:
        for num_jobs in (1, 4):
            folder = tmp_path / str(num_jobs)
            folder.mkdir()
            ends = run_jobs(executor, [("measure_in_company", folder, num_jobs)] * num_jobs, folder)
            found.append(ends[0].result)

    assert found[0] > 100 * hogging.MB
    assert found[0] == pytest.approx(found[1], abs=5 * hogging.MB)


def test_ended_process_is_no_error() -> None:
    """A process that ends while it is looked at has no memory and cannot be killed."""
    with subprocess.Popen(["sleep", "60"]) as child:
        tree = limits.find_tree(child.pid)
        child.kill()
    limits.kill(tree)

    assert 0 == limits.measure_memory(tree, 0.0)
    assert [] == limits.find_tree(child.pid)


@pytest.mark.parametrize("has_children_files", [True, False], ids=["proc", "psutil"])
def test_tree_has_grandchildren(has_children_files: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree is a process, its children and theirs, however the system tells them."""
    monkeypatch.setattr(limits, "_HAS_CHILDREN_FILES", has_children_files)
    with subprocess.Popen(["sh", "-c", "sh -c 'sleep 60; :' ; :"]) as child:
        wait_until(lambda: len(limits.find_tree(child.pid)) == 3)
        tree = limits.find_tree(child.pid)
        limits.kill(tree)

    assert child.pid == tree[0].pid
    assert all(isinstance(process, psutil.Process) for process in tree)
