"""The process that runs are forked from: it loads once, then forks a fresh child a job.

    executor ──stdin──▶ server ──fork──▶ child: work(state, argument)
        ▲                 │  ▲                     │
        └─────stdout──────┘  └────────pipe─────────┘

The server has TensorFlow, the experiment and its data in memory and never runs an
operation, so a child has them too (copy on write) for the price of a fork. It is the
parent of all children: it learns how each ends, and ends them all when the executor
is gone. It does not know what a job is.

Where a fork is impossible or not safe, it runs its one job itself, and ends.

From the executor come `Begin`, `Job`s, `Signal`s; to it go `Ready` or `SetupFailed`,
then `Began` and `Finished` for each job.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import pickle
import selectors
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from hparams_lab.chatter import quiet_stderr
from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors import channel
from hparams_lab.executors.base import Finished, Job
from hparams_lab.executors.fork_safety import find_fork_hazard


@dataclass(frozen=True)
class Begin:
    """The first message.

    Attributes:
        sys_path: the executor's, so that the same names are importable.
        functions: pickled pair of setup and work, unpickled only once the path is set.
    """

    sys_path: Sequence[str]
    functions: bytes


@dataclass(frozen=True)
class Ready:
    """Setup is done.

    Attributes:
        fork_hazard: why this process must not fork; empty if it may.
    """

    fork_hazard: str


@dataclass(frozen=True)
class SetupFailed:
    """Setup raised.

    Attributes:
        error: what is to be raised in the executor's process.
    """

    error: HParamsLabError


@dataclass(frozen=True)
class Began:
    """A job has a process.

    Attributes:
        job_id: of the job.
        pid: its process, leader of a process group of its own.
    """

    job_id: int
    pid: int


@dataclass(frozen=True)
class Signal:
    """Send a signal to every job's process group.

    Attributes:
        number: e.g. `signal.SIGINT`.
    """

    number: int


def main() -> None:
    """Serve the executor at the other end of stdin and stdout."""
    requests, replies = _claim_streams()
    begin = channel.read(os.fdopen(os.dup(requests), "rb", buffering=0))
    try:
        sys.path[:] = begin.sys_path
        with quiet_stderr():
            setup, work = pickle.loads(begin.functions)
            state = setup()
    except BaseException as error:
        if not isinstance(error, HParamsLabError):
            error = ExecutorError("".join(traceback.format_exception(error)).rstrip())
        channel.write(replies, SetupFailed(error))
        return
    hazard = find_fork_hazard() if hasattr(os, "fork") else "this system cannot fork"
    channel.write(replies, Ready(hazard))
    if hazard:
        _serve_one(requests, replies, work, state)
    else:
        _Server(requests, replies, work, state).serve()


def _claim_streams() -> tuple[int, int]:
    """Keep stdin and stdout for messages; whoever prints or reads gets others."""
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, replies


def _serve_one(requests: int, replies: int, work: Any, state: Any) -> None:
    job = channel.read(os.fdopen(requests, "rb", buffering=0))
    _redirect_output(job)
    channel.write(replies, Finished(job.id, *_call(work, state, job)))


class _Server:
    """Forks a child a job and reports how it ended.

    Args:
        requests: file descriptor that messages come from.
        replies: file descriptor that messages go to.
        work: called in each child.
        state: its first argument.
    """

    def __init__(self, requests: int, replies: int, work: Any, state: Any) -> None:
        self._inbox = channel.Inbox(requests)
        self._replies = replies
        self._work = work
        self._state = state
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._waker = os.pipe()

    def serve(self) -> None:
        """Serve until the executor closes its end or dies; no child outlives that."""
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the selector
        self._selector.register(self._inbox.fd, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        # Objects made so far are never collected in a child, which would copy their pages.
        gc.collect()
        gc.freeze()
        while not self._inbox.is_closed:
            for key, _ in self._selector.select():
                if key.fd == self._inbox.fd:
                    self._obey(self._inbox.receive())
                elif key.fd == self._wakeup:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wakeup, 4096)
                elif key.data in self._children:
                    self._listen(self._children[key.data])
            self._reap()
        self._signal_all(signal.SIGKILL)

    def _obey(self, messages: list[Any]) -> None:
        for message in messages:
            if isinstance(message, Job):
                self._fork(message)
            else:
                self._signal_all(message.number)

    def _fork(self, job: Job) -> None:
        reading, writing = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(reading)
            os.close(writing)
            channel.write(self._replies, Finished(job.id, death=f"got no process: {error}"))
            return
        if pid == 0:
            self._become_child(job, writing)
        os.close(writing)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does so too; whoever comes first
        self._children[pid] = _Child(job.id, pid, channel.Inbox(reading))
        self._selector.register(reading, selectors.EVENT_READ, data=pid)
        channel.write(self._replies, Began(job.id, pid))

    def _become_child(self, job: Job, writing: int) -> NoReturn:
        """Run the job and exit at once: the server's own cleaning up is not the child's."""
        exit_code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            for fd in (self._inbox.fd, self._replies, self._wakeup, self._waker):
                os.close(fd)
            for child in self._children.values():
                os.close(child.inbox.fd)
            _redirect_output(job)
            channel.write(writing, _call(self._work, self._state, job))
            exit_code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(exit_code)

    def _listen(self, child: _Child) -> None:
        child.messages += child.inbox.receive()
        if child.inbox.is_closed:
            self._selector.unregister(child.inbox.fd)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, wait_status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._finish(child, os.waitstatus_to_exitcode(wait_status))

    def _finish(self, child: _Child, exit_code: int) -> None:
        del self._children[child.pid]
        _kill_group(child.pid, signal.SIGKILL)  # what the job left behind
        while not child.inbox.is_closed and _is_readable(child.inbox.fd):
            child.messages += child.inbox.receive()
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.inbox.fd)
        os.close(child.inbox.fd)
        result, death = child.messages[0] if child.messages else (None, describe_exit(exit_code))
        channel.write(self._replies, Finished(child.job_id, result, death))

    def _signal_all(self, number: int) -> None:
        for pid in self._children:
            _kill_group(pid, number)


class _Child:
    """A job's process, as the server knows it."""

    def __init__(self, job_id: int, pid: int, inbox: channel.Inbox) -> None:
        self.job_id = job_id
        self.pid = pid
        self.inbox = inbox
        self.messages: list[tuple[Any, str]] = []


def _redirect_output(job: Job) -> None:
    job.output_file.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(job.output_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    faulthandler.enable(2)  # a segfault leaves its Python traceback in the output


def _call(work: Any, state: Any, job: Job) -> tuple[Any, str]:
    """Return the result, and the death if there is none."""
    try:
        return work(state, job.argument), ""
    except KeyboardInterrupt:
        return None, "was interrupted"
    except BaseException as error:
        traceback.print_exc()
        return None, f"failed outside train: {type(error).__name__}: {error}"


def describe_exit(exit_code: int) -> str:
    """Return in words how a process ended that said nothing before.

    Args:
        exit_code: negative for a signal, as in `subprocess`.

    Example:
        >>> describe_exit(-9), describe_exit(3)
        ('was killed by SIGKILL', 'exited with code 3 before train returned')
    """
    if exit_code >= 0:
        return f"exited with code {exit_code} before train returned"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _is_readable(fd: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))
