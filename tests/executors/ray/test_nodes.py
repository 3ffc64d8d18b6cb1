"""Tests of the Ray executor on clusters whose nodes differ, come and go."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.executors.base import Job, JobEnd, conclude_interrupted
from hparams_lab.executors.ray.executor import RayExecutor
from hparams_lab.sweeps.placement import SharedLogdir
from hparams_lab.testing.executors import answer_none, is_alive, run_jobs, wait_for, wait_until
from hparams_lab.testing.processes import SLEEP_SECS, call, start_daemon_and_hang
from tests.support import jobs
from tests.support.ray_clusters import NODE_VARIABLE, add_node, run_cluster

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

TELL_NODE = (os.getenv, NODE_VARIABLE)
TELL_GPUS = (os.getenv, "CUDA_VISIBLE_DEVICES")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a cluster whose only node with room has two processors and two GPUs, and join it."""
    import ray

    with run_cluster() as running:
        add_node(running, "first", num_cpus=2, num_gpus=2)
        ray.init(address=running.address, log_to_driver=False)
        yield running


@pytest.fixture
def second(cluster: Cluster) -> Iterator[Any]:
    """Another node of two processors, for one test."""
    node = add_node(cluster, "second", num_cpus=2)
    yield node
    if node in cluster.worker_nodes:
        cluster.remove_node(node)


@contextmanager
def ready_executor(setup: Any = int, **options: Any) -> Iterator[RayExecutor]:
    """Yield an executor of `call` that is ready, and close it."""
    with RayExecutor(setup, call, **options) as executor:
        executor.start()
        executor.ready()
        yield executor


def results(executor: RayExecutor, folder: Path, *steps: tuple[Any, ...]) -> list[Any]:
    """Return what functions return that jobs call, in order."""
    ends = run_jobs(executor, steps, folder)
    return [ends[job_id].result for job_id in sorted(ends)]


def submit_each(executor: RayExecutor, folder: Path, *steps: tuple[Any, ...]) -> None:
    """Begin a job for each step; their ids count from 0."""
    for job_id, step in enumerate(steps):
        executor.submit(Job(job_id, step, folder / f"{job_id}.log"))


def test_each_run_has_its_gpu(cluster: Cluster, tmp_path: Path) -> None:
    """Two jobs that need a GPU each have one each."""
    with ready_executor(gpus_per_run=1) as executor:
        submit_each(executor, tmp_path, *[(hold, tmp_path, 2, TELL_GPUS)] * 2)
        ends = [wait_for(executor).result for _ in range(2)]

    assert ["0", "1"] == sorted(ends)


def hold(folder: Path, count: int, step: tuple[Any, ...]) -> Any:
    """Call a function once so many jobs are here at the same time."""
    (folder / f"{os.getpid()}.here").touch()
    wait_until(lambda: len(list(folder.glob("*.here"))) >= count)
    function, *arguments = step
    return function(*arguments)


def test_runs_share_gpus(cluster: Cluster, tmp_path: Path) -> None:
    """Four jobs that need half a GPU each have two of them to a GPU."""
    with ready_executor(cpus_per_run=0.5, gpus_per_run=0.5) as executor:
        submit_each(executor, tmp_path, *[(hold, tmp_path, 4, TELL_GPUS)] * 4)
        ends = [wait_for(executor).result for _ in range(4)]

    assert ["0", "0", "1", "1"] == sorted(ends)


def test_runs_without_gpus_see_none(cluster: Cluster, tmp_path: Path) -> None:
    """A job that needs no GPU sees none, though its node has two."""
    with ready_executor() as executor:
        assert [""] == results(executor, tmp_path, TELL_GPUS)


def test_threads_are_those_of_a_run(cluster: Cluster, tmp_path: Path) -> None:
    """A job is told as many threads as it has processors."""
    with ready_executor(cpus_per_run=2) as executor:
        assert 1 == executor.num_workers
        assert ["2"] == results(executor, tmp_path, (os.getenv, "OMP_NUM_THREADS"))


TOO_MUCH = {
    "cpus": ({"cpus_per_run": 3}, "has room for a run of 3 CPUs; the largest have 2 CPUs and 2"),
    "gpus": ({"gpus_per_run": 3}, "has room for a run of 1 CPU and 3 GPUs"),
}


@pytest.mark.parametrize(("needs", "message"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_no_node_has_is_refused(
    cluster: Cluster, needs: dict[str, float], message: str
) -> None:
    """A run that needs more than any node has is refused at the start."""
    with RayExecutor(int, call, **needs) as executor, pytest.raises(UsageError, match=message):
        executor.start()


def test_room_that_another_has_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    """An executor that finds no room is ready once another has given it back."""
    with ready_executor() as other, RayExecutor(int, call) as executor:
        executor.start()
        other.close()
        executor.ready()

        assert [4] == results(executor, tmp_path, (int, "4"))


def test_node_that_comes_is_used(cluster: Cluster, tmp_path: Path) -> None:
    """Jobs for which there is no room yet begin on a node that comes later."""
    with ready_executor(num_workers=4) as executor:
        told = executor.notice
        submit_each(executor, tmp_path, *[(hold, tmp_path, 4, TELL_NODE)] * 4)
        node = add_node(cluster, "late", num_cpus=2)
        ends = [wait_for(executor).result for _ in range(4)]
    cluster.remove_node(node)

    assert "has room for 2 of 4 runs at a time" in told
    assert ["first", "first", "late", "late"] == sorted(ends)


def test_jobs_of_a_lost_node_are_lost(cluster: Cluster, second: Any, tmp_path: Path) -> None:
    """A node that dies takes its own jobs alone, and others run where there is room."""
    with ready_executor(num_workers=4) as executor:
        submit_each(executor, tmp_path, *[(wait_on_second, tmp_path)] * 4)
        wait_until(lambda: len(list(tmp_path.glob("*.waits"))) == 2)
        ends = [wait_for(executor) for _ in range(2)]
        cluster.remove_node(second, allow_graceful=False)
        lost = [wait_for(executor) for _ in range(2)]
        after = results(executor, tmp_path, *[TELL_NODE] * 3)

    assert ["first"] * 2 == [end.result for end in ends]
    assert [JobEnd.LOST] * 2 == [end.end for end in lost]
    assert "was lost with its node" in lost[0].reason
    assert ["first"] * 3 == after


def test_nothing_is_left_of_a_lost_node(cluster: Cluster, second: Any, tmp_path: Path) -> None:
    """What a job has started ends with its node, also where it had left everything behind."""
    files = [tmp_path / "0.pid", tmp_path / "1.pid"]
    with ready_executor(num_workers=2, cpus_per_run=2) as executor:
        submit_each(executor, tmp_path, *[(start_daemon_and_hang, file) for file in files])
        wait_until(lambda: all(file.exists() and file.read_text() for file in files))
        cluster.remove_node(second, allow_graceful=False)
        lost = wait_for(executor)
        wait_until(lambda: not is_alive(int(files[lost.job_id].read_text())))

    assert JobEnd.LOST is lost.end


def wait_on_second(folder: Path) -> str | None:
    """Wait for a minute on the node `second`; return where else this is."""
    if (node := os.getenv(NODE_VARIABLE)) == "second":
        (folder / f"{os.getpid()}.waits").touch()
        time.sleep(SLEEP_SECS)
    return node


def set_up_on(name: str, error: Exception) -> None:
    """Fail on any node but one.

    Raises:
        Exception: the error.
    """
    if os.getenv(NODE_VARIABLE) != name:
        raise error


def test_late_node_that_fails_is_left_alone(
    cluster: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where setup fails on a node that comes later, jobs go on where they can."""
    setup = partial(set_up_on, "first", LogdirError("the disk must be mounted."))
    with ready_executor(setup, num_workers=4) as executor:
        node = add_node(cluster, "late", num_cpus=2)
        wait_until(lambda: executor.wait(answer_none, 0.1) is None and "disk" in caplog.text)
        ends = results(executor, tmp_path, *[TELL_NODE] * 5)
    cluster.remove_node(node)

    assert ["first"] * 5 == ends
    assert "the disk must be mounted." in caplog.text


def test_log_directory_of_another_disk_is_refused(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a path is another directory on a node, the start fails and says so."""
    monkeypatch.chdir(tmp_path)
    # What this names is each process's own affair: as with another disk on each machine.
    shared = SharedLogdir(Path("/proc/self/cwd/logs-of-this-test"))
    setup = partial(shared.set_up, int)
    with RayExecutor(setup, call, num_workers=1, setting_up=shared.marked) as executor:
        executor.start()
        with pytest.raises(LogdirError, match=r"on node .*must be the same .* does not exist"):
            executor.ready()

    assert [] == list(tmp_path.iterdir())


def test_second_interrupt_ends_the_grace(cluster: Cluster, tmp_path: Path) -> None:
    """Ctrl-C while jobs are given time to clean up ends them at once."""
    file = tmp_path / "pid"
    with ready_executor(num_workers=1) as executor:
        submit_each(executor, tmp_path, (jobs.sleep_deaf, file))
        wait_until(file.exists)
        threading.Thread(target=interrupt_once, args=(file.with_suffix(".deaf").exists,)).start()
        stopped = executor.stop(SLEEP_SECS)
        after = results(executor, tmp_path, (int, "4"))

    assert [conclude_interrupted(0)] == stopped
    assert [4] == after
    wait_until(lambda: not is_alive(int(file.read_text())))


def interrupt_once(condition: Callable[[], bool]) -> None:
    """Press Ctrl-C once the condition holds."""
    wait_until(condition)
    os.kill(os.getpid(), signal.SIGINT)
