"""The process that runs are forked from: it loads once, then forks a fresh child a job.

    executor ──stdin──▶ server ──fork──▶ child: work(state, argument)
        ▲                 │  ▲                     │
        └─────stdout──────┘  └────────pipe─────────┘

The server has TensorFlow, the experiment and its data in memory and never runs an
operation, so a child has them too (copy on write) for the price of a fork. It is the
parent of all children: it learns how each ends, and ends them all when the executor
is gone. It does not know what a job is.

Where a fork is impossible or not safe, it runs its one job itself, and ends.

From the executor come `Begin`, `Job`s and `Signal`s; to it go `Ready` or `SetupFailed`,
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
import threading
import traceback
from typing import Any, NoReturn

from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors import channel
from hparams_lab.executors.base import Finished, Job, describe_error
from hparams_lab.executors.fork_safety import find_fork_hazard
from hparams_lab.executors.messages import Began, Ready, SetupFailed


def main() -> None:
    """Serve the executor at the other end of stdin and stdout, until it closes its end."""
    requests, replies = _claim_streams()
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(requests, replies)


def _serve(requests: int, replies: int) -> None:
    begin = channel.read(os.fdopen(os.dup(requests), "rb", buffering=0))
    try:
        sys.path[:] = begin.sys_path
        setup, work = pickle.loads(begin.functions)
        state = setup()
    except BaseException as error:
        channel.write(replies, SetupFailed(_as_message(error)))
        return
    hazard = find_fork_hazard() if hasattr(os, "fork") else "this system cannot fork"
    channel.write(replies, Ready(hazard))
    if hazard:
        _serve_one(requests, replies, work, state)
    else:
        _Server(requests, replies, work, state).serve()


def _as_message(error: BaseException) -> HParamsLabError:
    """Return an error of ours, which can be unpickled anywhere."""
    if type(error).__module__ == HParamsLabError.__module__ and isinstance(error, HParamsLabError):
        return error
    if isinstance(error, HParamsLabError):
        return ExecutorError(str(error))
    return ExecutorError("".join(traceback.format_exception(error)).rstrip())


def _claim_streams() -> tuple[int, int]:
    """Keep stdin and stdout for messages; whoever prints or reads gets others."""
    requests, replies = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, replies


def _serve_one(requests: int, replies: int, work: Any, state: Any) -> None:
    stream = os.fdopen(requests, "rb", buffering=0)
    job = channel.read(stream)
    # Nothing more comes but the end of the stream, when the executor is gone.
    threading.Thread(target=lambda: stream.read() or os._exit(1), daemon=True).start()
    _redirect_output(job)
    _finish_with(replies, work, state, job)


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

    def _obey(self, packed: list[bytes]) -> None:
        for message in map(pickle.loads, packed):
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
        except KeyboardInterrupt:
            channel.write(writing, Finished(job.id, death="was interrupted"))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        _finish_with(writing, self._work, self._state, job)

    def _listen(self, child: _Child) -> None:
        child.replies += child.inbox.receive()
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
            child.replies += child.inbox.receive()
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.inbox.fd)
        os.close(child.inbox.fd)
        if child.replies:
            channel.write_pickled(self._replies, child.replies[0])
        else:
            death = describe_exit(exit_code)
            channel.write(self._replies, Finished(child.job_id, death=death))

    def _signal_all(self, number: int) -> None:
        for pid in self._children:
            _kill_group(pid, number)


class _Child:
    """A job's process, as the server knows it."""

    def __init__(self, job_id: int, pid: int, inbox: channel.Inbox) -> None:
        self.job_id = job_id
        self.pid = pid
        self.inbox = inbox
        self.replies: list[bytes] = []  # passed on as they are


def _redirect_output(job: Job) -> None:
    job.output_file.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(job.output_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    faulthandler.enable(2)  # a segfault leaves its Python traceback in the output


def _finish_with(replies: int, work: Any, state: Any, job: Job) -> NoReturn:
    """Do the job, reply, and exit at once: neither threads nor cleaning up hold it."""
    exit_code = 1
    try:
        channel.write(replies, _call(work, state, job))
        exit_code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(exit_code)


def _call(work: Any, state: Any, job: Job) -> Finished:
    try:
        return Finished(job.id, work(state, job.argument))
    except KeyboardInterrupt:
        return Finished(job.id, death="was interrupted")
    except BaseException as error:
        traceback.print_exc()
        return Finished(job.id, death=describe_error(error))


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
