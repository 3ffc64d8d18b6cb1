import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hparams_lab.executors.base import Executor, Finished, Job, JobEnd
from hparams_lab.executors.process import channel
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.executors.process.messages import Begin
from hparams_lab.testing.executors import answer_none, is_alive, run_jobs, wait_until
from tests.executors.conftest import HANG_SECS
from tests.support import jobs
from tests.support.process_jobs import ready_executor

pytestmark = pytest.mark.slow

# Holds two jobs until it is killed; the pids of jobs and their parents are in the folder.
HOLD_TWO_JOBS = """
import sys, time
from functools import partial
from pathlib import Path
from hparams_lab.executors.base import Job
from hparams_lab.executors.process.executor import ProcessExecutor
from tests.support import jobs

folder, setup = Path(sys.argv[1]), sys.argv[2]
setup = partial(jobs.leave_thread, int) if setup == "spawn" else int
executor = ProcessExecutor(setup, jobs.perform, num_workers=2)
executor.start()
executor.ready()
for job_id in range(2):
    executor.submit(Job(job_id, ("sleep_noted", folder / f"{job_id}.pid"), folder / "output.log"))
time.sleep(60)
"""

SETUPS = {"fork": int, "spawn": partial(jobs.leave_thread, int)}

SERVE = "from hparams_lab.executors.process.server import run_server; run_server()"


def submit_sleepers(executor: Executor, folder: Path, name: str = "sleep_noted") -> list[int]:
    """Begin as many sleeping jobs as may be, wait until they sleep and return their pids."""
    files = [folder / f"{job_id}.pid" for job_id in range(executor.num_workers)]
    for job_id, file in enumerate(files):
        executor.submit(Job(job_id, (name, file), folder / f"{job_id}.log"))
    wait_until(lambda: all(file.exists() for file in files))
    return [int(file.read_text()) for file in files]


def server_of(executor: ProcessExecutor) -> int:
    """Return the process that jobs are forked from: their parent."""
    executor.submit(Job(99, ("get_parent_pid",), Path(os.devnull)))
    result = executor.wait(answer_none).result
    assert isinstance(result, int)
    return result


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_stop_kills_what_does_not_listen(setup: Callable[[], int], tmp_path: Path) -> None:
    """A job deaf to Ctrl-C is killed after the grace, and its end says so."""
    with ready_executor(setup) as executor:
        pids = submit_sleepers(executor, tmp_path, "sleep_deaf")
        deaths = {finished.reason for finished in executor.stop(0.1)}

        assert {"was killed by SIGKILL"} == deaths
        wait_until(lambda: not any(map(is_alive, pids)))


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_stop_interrupts_first(setup: Callable[[], int], tmp_path: Path) -> None:
    """A job is interrupted as by Ctrl-C, and is dead or done when stop returns."""
    with ready_executor(setup) as executor:
        pids = submit_sleepers(executor, tmp_path)
        deaths = {finished.reason for finished in executor.stop(30.0)}

        assert {"was interrupted"} == deaths
        wait_until(lambda: not any(map(is_alive, pids)))


def test_second_ctrl_c_ends_the_grace(tmp_path: Path) -> None:
    """Ctrl-C while stop waits for deaf jobs has them killed at once."""

    def interrupt_again() -> None:
        wait_until(lambda: len(list(tmp_path.glob("*.deaf"))) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    with ready_executor() as executor:
        submit_sleepers(executor, tmp_path, "sleep_deaf")
        thread = threading.Thread(target=interrupt_again)
        thread.start()
        deaths = [finished.reason for finished in executor.stop(HANG_SECS * 2)]
        thread.join()

    assert ["was killed by SIGKILL"] * 2 == deaths


def test_result_in_the_grace_counts(tmp_path: Path) -> None:
    """A job that returns when interrupted has its result returned by stop."""
    with ready_executor() as executor:
        submit_sleepers(executor, tmp_path, "sleep_until_interrupted")
        results = [finished.result for finished in executor.stop(30.0)]

    assert ["cleaned up"] * 2 == results


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
def test_close_leaves_no_process(setup: Callable[[], int], tmp_path: Path) -> None:
    """Close ends jobs that run, and the processes they come from."""
    with ready_executor(setup) as executor:
        pids = submit_sleepers(executor, tmp_path)
        parents = {os.getpgid(pid) for pid in pids}

    wait_until(lambda: not any(map(is_alive, {*pids, *parents})))


def test_lost_server_loses_its_jobs(tmp_path: Path) -> None:
    """When the server is killed, each of its jobs is reported lost and none runs on."""
    with ready_executor() as executor:
        server = server_of(executor)
        pids = submit_sleepers(executor, tmp_path)
        os.kill(server, signal.SIGKILL)
        death = "was lost, as its parent process was killed by SIGKILL"

        assert [
            Finished(0, None, death, JobEnd.LOST),
            Finished(1, None, death, JobEnd.LOST),
        ] == sorted(
            (executor.wait(answer_none) for _ in pids), key=lambda finished: finished.job_id
        )
        wait_until(lambda: not any(map(is_alive, pids)))


def test_next_job_has_a_new_server(tmp_path: Path) -> None:
    """A job begun after the server was killed returns its result."""
    with ready_executor() as executor:
        server = server_of(executor)
        submit_sleepers(executor, tmp_path)
        os.kill(server, signal.SIGKILL)
        lost = [executor.wait(answer_none).job_id for _ in range(2)]
        ends = run_jobs(executor, [("get_pid",)], tmp_path)

    assert [0, 1] == sorted(lost)
    assert ends[0].reason == ""


def test_next_job_may_begin_before_all_losses_are_reported(tmp_path: Path) -> None:
    """Two lost jobs, one told: the next can be begun, and the other loss is told still."""
    with ready_executor() as executor:
        server = server_of(executor)
        submit_sleepers(executor, tmp_path)
        os.kill(server, signal.SIGKILL)
        told = [executor.wait(answer_none).job_id]
        executor.submit(Job(2, ("get_pid",), tmp_path / "2.log"))
        told += [executor.wait(answer_none).job_id for _ in range(2)]

    assert [0, 1, 2] == sorted(told)


def test_stop_returns_what_the_server_lost(tmp_path: Path) -> None:
    """Stop returns both jobs of a server that was killed just before."""
    with ready_executor() as executor:
        server = server_of(executor)
        submit_sleepers(executor, tmp_path)
        os.kill(server, signal.SIGKILL)

        assert [0, 1] == sorted(finished.job_id for finished in executor.stop(30.0))


@pytest.mark.parametrize("kind", SETUPS)
def test_nothing_outlives_a_killed_executor(kind: str, tmp_path: Path) -> None:
    """When the executor's own process is killed, its jobs and servers end by themselves."""
    owner = subprocess.Popen([sys.executable, "-c", HOLD_TWO_JOBS, str(tmp_path), kind])
    files = [tmp_path / "0.pid", tmp_path / "1.pid"]
    wait_until(lambda: all(file.exists() for file in files))
    pids = {int(file.read_text()) for file in files}
    owner.kill()
    owner.wait()

    wait_until(lambda: not any(map(is_alive, pids)), timeout_secs=10)


def test_nothing_outlives_a_server_that_is_not_heard(tmp_path: Path) -> None:
    """A server that finds nobody at the other end of its stdout ends its jobs, and itself."""
    command = [
        sys.executable,
        "-c",
        "from hparams_lab.executors.process.server import run_server; run_server()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        requests, file = server.stdin.fileno(), tmp_path / "job.pid"
        channel.write(requests, Begin(sys.path, pickle.dumps((int, jobs.perform))))
        channel.write(requests, Job(0, ("sleep_noted", file), tmp_path / "0.log"))
        wait_until(file.exists)
        server.stdout.close()
        channel.write(requests, Job(1, ("get_pid",), tmp_path / "1.log"))

        wait_until(lambda: not is_alive(int(file.read_text())))
        assert 0 == server.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of the dead")
def test_nothing_outlives_executor_and_server_killed_at_once(tmp_path: Path) -> None:
    """When the server is killed before it can kill its jobs, they end nevertheless."""
    command = [
        sys.executable,
        "-c",
        "from hparams_lab.executors.process.server import run_server; run_server()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        requests, file = server.stdin.fileno(), tmp_path / "job.pid"
        channel.write(requests, Begin(sys.path, pickle.dumps((int, jobs.perform))))
        channel.write(requests, Job(0, ("sleep_noted", file), tmp_path / "0.log"))
        wait_until(lambda: file.exists() and bool(file.read_text()))
        server.kill()

        wait_until(lambda: not is_alive(int(file.read_text())), timeout_secs=10)


def test_too_many_open_files_fail_the_job_alone(tmp_path: Path) -> None:
    """A job for which no pipe can be had ends by itself; the process of all jobs lives on."""
    with ready_executor(jobs.take_files, num_workers=1) as executor:
        ends = run_jobs(executor, [("get_pid",)] * 2, tmp_path)

    death = "got no process: [Errno 24] Too many open files"
    assert [(death, JobEnd.CRASHED)] * 2 == [(end.reason, end.end) for end in ends.values()]
