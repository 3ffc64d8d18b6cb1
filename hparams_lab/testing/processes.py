"""The contract of executors whose jobs have processes of their own, as tests to inherit."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.executors.base import Ask, Executor, Finished, Job, JobEnd, Setup, Work
from hparams_lab.testing.executors import ExecutorContract, is_alive, run_jobs, wait_until

SLEEP_SECS = 60.0  # longer than any test

# Ignores whatever asks it to end, in a session that its parent has left.
_DAEMON = (
    "import os, signal, sys, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid()\n"
    "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
    "    signal.signal(number, signal.SIG_IGN)\n"
    "print(os.getpid(), flush=True)\n"
    f"time.sleep({SLEEP_SECS})"
)


def call(state: object, argument: tuple[Any, ...], ask: Ask) -> Any:
    """Call a function, which comes first in the argument, on the rest of it."""
    function, *arguments = argument
    return function(*arguments)


def send_signal_to_self(name: str) -> None:
    """Send this process a signal, then sleep for a minute."""
    os.kill(os.getpid(), signal.Signals[name])
    time.sleep(SLEEP_SECS)


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def start_child() -> int:
    """Return the id of a process that this one leaves running."""
    return subprocess.Popen(["sleep", str(SLEEP_SECS)]).pid


def start_daemon() -> int:
    """Return the id of a process that has left this one's group, session and children."""
    with subprocess.Popen([sys.executable, "-c", _DAEMON], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        return int(starter.stdout.readline())


def start_daemon_and_hang(file: Path) -> None:
    """Note the id of a daemon in a file, then sleep for a minute."""
    file.write_text(str(start_daemon()))
    time.sleep(SLEEP_SECS)


def hang_stopped(file: Path) -> None:
    """Note this process in a file, then stop it as Ctrl-Z would."""
    file.write_text(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


def close_descriptors(highest: int) -> str:
    """Close all file descriptors up to one, as code that makes daemons does."""
    os.closerange(0, highest + 1)
    return "closed"


def exit_thread() -> str:
    """Raise SystemExit in a thread."""
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
    return "went on"


def make_lock() -> Any:
    """Return what cannot be pickled."""
    return threading.Lock()


class Unreadable:
    """Can be pickled, but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def return_twice() -> int:
    """Return the id of this process, first in a child of it."""
    if (pid := os.fork()) > 0:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return os.getpid()
    return 0


def has_gone(file: Path) -> bool:
    """Return whether the process noted in a file is gone."""
    return not is_alive(int(file.read_text()))


TIMEOUT_SECS = 2.0

_UNTIMED = pytest.StashKey[Executor]()
_TIMED = pytest.StashKey[Executor]()


class ProcessExecutorContract(ExecutorContract):
    """For executors whose jobs have processes of their own, on the machine of the test.

    Inherit it in place of `ExecutorContract`, and let `make_executor` take a time limit.
    Most tests share one executor of the class, so a death harms no later job either; jobs
    have a new process each, or one that knows nothing of the job before.

    Example:
        class TestMyExecutor(ProcessExecutorContract):
            def make_executor(self, setup, work, num_workers, *, timeout_secs=None):
                return MyExecutor(setup, work, num_workers, timeout_secs)
    """

    @abstractmethod
    def make_executor(
        self, setup: Setup, work: Work, num_workers: int, *, timeout_secs: float | None = None
    ) -> Executor:
        """Return an executor that has not begun.

        Args:
            setup: called once.
            work: called for each job.
            num_workers: jobs at a time.
            timeout_secs: after which a job is ended, in seconds; None for never.
        """

    @pytest.fixture
    def executor(self, request: pytest.FixtureRequest) -> Executor:
        """The class's executor of `call`."""
        return self._share(request, _UNTIMED, None)

    @pytest.fixture
    def timed_executor(self, request: pytest.FixtureRequest) -> Executor:
        """Another, which ends jobs that take longer than two seconds."""
        return self._share(request, _TIMED, TIMEOUT_SECS)

    def _share(
        self,
        request: pytest.FixtureRequest,
        key: pytest.StashKey[Executor],
        timeout_secs: float | None,
    ) -> Executor:
        """Return an executor that the tests of the class share, made by the first of them."""
        test_class = request.node.getparent(pytest.Class)
        if key not in test_class.stash:
            executor = self.make_executor(int, call, 2, timeout_secs=timeout_secs)
            test_class.stash[key] = executor
            test_class.addfinalizer(executor.close)
            executor.start()
            executor.ready()
        shared: Executor = test_class.stash[key]
        return shared

    def finish(self, executor: Executor, folder: Path, *steps: tuple[Any, ...]) -> list[Finished]:
        """Return the ends of jobs that call a function each, in order."""
        ends = run_jobs(executor, steps, folder)
        return [ends[job_id] for job_id in sorted(ends)]

    def test_jobs_run_elsewhere(self, executor: Executor, tmp_path: Path) -> None:
        """No job runs in the process that waits for it."""
        (end,) = self.finish(executor, tmp_path, (os.getpid,))

        assert os.getpid() != end.result

    @pytest.mark.parametrize("code", [0, 3])
    def test_exit_is_a_crash(self, executor: Executor, code: int, tmp_path: Path) -> None:
        """A job whose process exits, with whatever code, has crashed."""
        (end,) = self.finish(executor, tmp_path, (os._exit, code))

        assert (
            Finished(0, None, f"exited with code {code} before train returned", JobEnd.CRASHED)
            == end
        )

    @pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGABRT"])
    def test_signal_is_a_crash(self, executor: Executor, name: str, tmp_path: Path) -> None:
        """A job that is killed by a signal, and not by its executor, has crashed."""
        (end,) = self.finish(executor, tmp_path, (send_signal_to_self, name))

        assert Finished(0, None, f"was killed by {name}", JobEnd.CRASHED) == end

    def test_segfault_is_a_crash(self, executor: Executor, tmp_path: Path) -> None:
        """A segmentation fault takes its own job alone."""
        crashed, after = self.finish(executor, tmp_path, (segfault,), (os.getpid,))

        assert Finished(0, None, "was killed by SIGSEGV", JobEnd.CRASHED) == crashed
        assert "" == after.reason

    @pytest.mark.parametrize("make", [make_lock, Unreadable])
    def test_result_that_cannot_travel_is_an_error(
        self, executor: Executor, make: Any, tmp_path: Path
    ) -> None:
        """A result that cannot be pickled, or not unpickled, is reported as its job's error."""
        failed, after = self.finish(executor, tmp_path, (make,), (os.getpid,))

        assert (None, JobEnd.ERROR, "") == (failed.result, failed.end, after.reason)
        assert "returned what cannot be sent" in failed.reason

    def test_large_result_comes_back(self, executor: Executor, tmp_path: Path) -> None:
        """A result may be larger than any pipe."""
        (end,) = self.finish(executor, tmp_path, (bytes, 5_000_000))

        assert 5_000_000 == len(end.result)

    def test_exit_of_a_thread_is_its_own(self, executor: Executor, tmp_path: Path) -> None:
        """SystemExit in a thread ends neither job nor process."""
        assert [Finished(0, "went on")] == self.finish(executor, tmp_path, (exit_thread,))

    def test_job_that_hangs_is_ended(self, timed_executor: Executor, tmp_path: Path) -> None:
        """A job that takes longer than its time limit has timed out; others have not."""
        hung, well = self.finish(timed_executor, tmp_path, (time.sleep, SLEEP_SECS), (int, "7"))

        assert (None, JobEnd.TIMED_OUT) == (hung.result, hung.end)
        assert Finished(1, 7) == well

    def test_job_that_is_stopped_is_ended(self, timed_executor: Executor, tmp_path: Path) -> None:
        """A job that has stopped itself times out, and is gone."""
        (end,) = self.finish(timed_executor, tmp_path, (hang_stopped, tmp_path / "pid"))

        assert JobEnd.TIMED_OUT is end.end
        wait_until(lambda: has_gone(tmp_path / "pid"))

    def test_stop_is_an_interruption(self, executor: Executor, tmp_path: Path) -> None:
        """A job that stop has sent Ctrl-C was interrupted."""
        file = tmp_path / "pid"
        executor.submit(Job(0, (start_daemon_and_hang, file), tmp_path / "0.log"))
        wait_until(lambda: file.exists() and bool(file.read_text()))

        assert [JobEnd.INTERRUPTED] == [finished.end for finished in executor.stop(30.0)]
        wait_until(lambda: has_gone(file))

    def test_children_end_with_their_job(self, executor: Executor, tmp_path: Path) -> None:
        """A process that a job has left running is gone."""
        (end,) = self.finish(executor, tmp_path, (start_child,))

        wait_until(lambda: not is_alive(end.result))

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows where orphans belong")
    def test_daemons_end_with_their_job(self, executor: Executor, tmp_path: Path) -> None:
        """A process that has left its job's session is gone nevertheless."""
        (end,) = self.finish(executor, tmp_path, (start_daemon,))

        wait_until(lambda: not is_alive(end.result))

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows where orphans belong")
    def test_daemons_end_with_their_time(self, timed_executor: Executor, tmp_path: Path) -> None:
        """A daemon of a job that is ended after its time limit is gone."""
        file = tmp_path / "pid"
        (end,) = self.finish(timed_executor, tmp_path, (start_daemon_and_hang, file))

        assert JobEnd.TIMED_OUT is end.end
        wait_until(lambda: has_gone(file))

    def test_directory_is_a_job_s_own(self, executor: Executor, tmp_path: Path) -> None:
        """The job after one that changes directory is where that one had begun."""
        before, _, after = self.finish(
            executor, tmp_path, (os.getcwd,), (os.chdir, tmp_path), (os.getcwd,)
        )

        assert before.result == after.result

    def test_environment_is_a_job_s_own(self, executor: Executor, tmp_path: Path) -> None:
        """A job finds the variables that it is to have, and the next one does not."""
        ends = []
        for job_id, environment in enumerate([{"COLOUR": "blue"}, {"COLOUR": "red"}, {}]):
            executor.submit(
                Job(job_id, (os.getenv, "COLOUR"), tmp_path / f"{job_id}.log", environment)
            )
            ends.append(executor.wait(lambda job_id, message: None))

        assert [Finished(0, "blue"), Finished(1, "red"), Finished(2, None)] == ends

    @pytest.mark.parametrize("highest", [2, 255])
    def test_streams_may_be_closed(self, executor: Executor, highest: int, tmp_path: Path) -> None:
        """A job that closes all file descriptors up to 2, or 255, returns its result."""
        closed, after = self.finish(executor, tmp_path, (close_descriptors, highest), (int, "7"))

        assert [Finished(0, "closed"), Finished(1, 7)] == [closed, after]

    def test_child_that_returns_is_not_the_job(self, executor: Executor, tmp_path: Path) -> None:
        """A child that returns from work before its job does is not heard."""
        (end,) = self.finish(executor, tmp_path, (return_twice,))

        assert end.result
