"""Whatever a job does and whoever is killed, no process is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from hparams_lab.executors.base import Job, JobEnd
from hparams_lab.executors.process import supervisor as keeper
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.executors.process.link import end_marked, find_marked, make_mark
from hparams_lab.testing import processes
from hparams_lab.testing.executors import answer_none, is_alive, run_jobs, wait_until
from tests.support import jobs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps orphans")

SETUPS = {
    "fork": int,
    "spawn": pytest.param(partial(jobs.leave_thread, int), marks=pytest.mark.slow),
}
either_way = pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)


@pytest.fixture
def hung(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ProcessExecutor, Path]]:
    """An executor with a job that hangs beside a daemon, and the file that names the daemon."""
    file = tmp_path / "daemon.pid"
    executor = ProcessExecutor(request.param, processes.call, num_workers=1)
    with executor:
        executor.start()
        executor.ready()
        executor.submit(Job(0, (processes.start_daemon_and_hang, file), tmp_path / "0.log"))
        wait_until(lambda: file.exists() and bool(file.read_text()))
        yield executor, file


def keeper_of(file: Path) -> int:
    """Return the keeper that a process noted in a file comes of: the last but this one."""
    parents = psutil.Process(int(file.read_text())).parents()
    return parents[[each.pid for each in parents].index(os.getpid()) - 1].pid


def server_of(file: Path) -> int:
    """Return the server that a process noted in a file comes of."""
    return psutil.Process(keeper_of(file)).children()[0].pid


both_hung = pytest.mark.parametrize("hung", SETUPS.values(), ids=SETUPS, indirect=True)


@both_hung
@pytest.mark.parametrize("find", [keeper_of, server_of])
def test_what_comes_of_a_killed_process_is_gone(
    hung: tuple[ProcessExecutor, Path], find: Callable[[Path], int]
) -> None:
    """When keeper or server is killed, the job's end is told, and none of them is left."""
    executor, file = hung
    tree = [each.pid for each in psutil.Process(keeper_of(file)).children(recursive=True)]
    os.kill(find(file), signal.SIGKILL)
    end = executor.wait(answer_none)

    assert end is not None
    assert end.end in (JobEnd.LOST, JobEnd.CRASHED)
    wait_until(lambda: not any(map(is_alive, [*tree, int(file.read_text())])))


@both_hung
def test_close_ends_daemons(hung: tuple[ProcessExecutor, Path]) -> None:
    """A daemon of a job that runs is gone when close returns."""
    executor, file = hung
    executor.close()

    assert not is_alive(int(file.read_text()))


def test_server_has_no_child_left(tmp_path: Path) -> None:
    """Jobs that leave children and daemons leave the server neither them nor zombies."""
    with ProcessExecutor(int, processes.call, num_workers=2) as executor:
        executor.start()
        executor.ready()
        steps = [(processes.start_child,), (processes.start_daemon,), (os.getppid,)] * 2
        ends = run_jobs(executor, steps, tmp_path)

        assert [] == psutil.Process(ends[5].result).children()


def test_what_setup_starts_lives_as_long_as_the_server(tmp_path: Path) -> None:
    """A process that setup has started outlives jobs, and not the executor."""
    with ProcessExecutor(processes.start_daemon, jobs.perform, num_workers=1) as executor:
        executor.start()
        executor.ready()
        ends = run_jobs(executor, [("get_parent_pid",)] * 2, tmp_path)
        daemons = psutil.Process(ends[1].result).children()

        assert [True] == [is_alive(daemon.pid) for daemon in daemons]
    assert not is_alive(daemons[0].pid)


def test_children_are_known_to_any_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel lists no children of a thread they are found nevertheless."""
    (tmp_path / "1").mkdir()
    with subprocess.Popen(["sleep", "60"]) as child:
        listed = keeper.list_children()
        monkeypatch.setattr(keeper, "_THREADS", tmp_path)

        assert child.pid in listed
        assert keeper.list_children() == listed
        child.kill()


def test_marked_processes_are_ended() -> None:
    """Who has a mark in its environment is killed, and who has another is not."""
    mark, other = make_mark(), make_mark()
    with (
        subprocess.Popen(["sleep", "60"], env=os.environ | mark) as marked,
        subprocess.Popen(["sleep", "60"], env=os.environ | other) as spared,
    ):
        wait_until(lambda: {marked.pid} == find_marked(mark))
        end_marked(mark)

        assert -signal.SIGKILL == marked.wait()
        assert is_alive(spared.pid)
        spared.kill()
