"""The process that runs are forked from: it loads once, then forks a fresh child a job.

    executor ──stdin──▶ server ──fork──▶ child: work(state, argument, tell)
        ▲                 │  ▲                     │            ▲
        └─────stdout──────┘  ├──pipe: its end──────┘            │
                             └──socket: reports and answers─────┘

The server has TensorFlow, the experiment and its data in memory and never runs an
operation, so a child has them too (copy on write) for the price of a fork. It is the
parent of all children: it learns how each ends, and ends them all when the executor
is gone. It does not know what a job is.

Where a fork is impossible or not safe, it runs its one job itself, and ends.

From the executor come `Begin`, `Job`s, `Reply`s and `Signal`s; to it go `Ready` or
`SetupFailed`, then for each job `Began`, `Report`s at once as they come, and `Finished`
once its process has ended.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import selectors
import signal
import socket
import sys
import threading
import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, NoReturn

from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors import channel
from hparams_lab.executors.base import Finished, Job
from hparams_lab.executors.fork_safety import find_fork_hazard
from hparams_lab.executors.job_process import Teller, die_with_parent, finish_with, redirect_output
from hparams_lab.executors.messages import Began, Ready, Reply, SetupFailed


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
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take_answers, args=(stream, answers), daemon=True).start()
    channel.write(replies, Began(job.id, os.getpid()))
    redirect_output(job)
    finish_with(replies, work, state, job, Teller(job.id, replies, answers.get))


def _take_answers(stream: BinaryIO, answers: queue.SimpleQueue[Any]) -> None:
    """Queue answers until the executor is gone, and end this process then."""
    while True:
        try:
            answers.put(pickle.loads(channel.read(stream).answer))
        except EOFError:
            os._exit(1)


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
        self._pid = os.getpid()
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._waker = os.pipe()

    def serve(self) -> None:
        """Serve until the executor closes its end or dies; no child outlives that."""
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the selector
        # With each goes what is to be called when it can be read.
        self._selector.register(self._inbox.fd, selectors.EVENT_READ, self._obey)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._wake_up)
        # Objects made so far are never collected in a child, which would copy their pages.
        gc.collect()
        gc.freeze()
        with contextlib.suppress(BrokenPipeError):  # the executor is gone: the end comes too
            while not self._inbox.is_closed:
                for key, _ in self._selector.select():
                    key.data()
                self._reap()
        self._signal_all(signal.SIGKILL)

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)

    def _obey(self) -> None:
        for message in map(pickle.loads, self._inbox.receive()):
            if isinstance(message, Job):
                self._fork(message)
            elif isinstance(message, Reply):
                self._answer(message)
            elif message.job_id is None:
                self._signal_all(message.number)
            elif child := self._find_child(message.job_id):
                _kill_group(child.pid, message.number)

    def _find_child(self, job_id: int) -> _Child | None:
        """Return the process of a job, None if it has ended."""
        children = self._children.values()
        return next((child for child in children if child.job_id == job_id), None)

    def _answer(self, reply: Reply) -> None:
        if child := self._find_child(reply.job_id):
            # It waits for this, so it reads; a small answer fits the socket even if it does not.
            with contextlib.suppress(ConnectionError):  # it dies, or has closed its end
                channel.write_pickled(child.reports.fd, reply.answer)

    def _fork(self, job: Job) -> None:
        reading, writing = os.pipe()
        reports, telling = (end.detach() for end in socket.socketpair())
        try:
            pid = os.fork()
        except OSError as error:
            for fd in (reading, writing, reports, telling):
                os.close(fd)
            channel.write(self._replies, Finished(job.id, death=f"got no process: {error}"))
            return
        child = _Child(job.id, pid, channel.Inbox(reading), channel.Inbox(reports))
        self._children[pid] = child
        if pid == 0:
            self._become_child(job, writing, telling)
        os.close(writing)
        os.close(telling)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does so too; whoever comes first
        self._selector.register(reading, selectors.EVENT_READ, partial(self._listen, child))
        self._selector.register(reports, selectors.EVENT_READ, partial(self._relay, child))
        channel.write(self._replies, Began(job.id, pid))

    def _become_child(self, job: Job, writing: int, telling: int) -> NoReturn:
        """Run the job and exit at once: the server's own cleaning up is not the child's."""
        try:
            die_with_parent(self._pid)
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._selector.close()
            for fd in (self._inbox.fd, self._replies, self._wakeup, self._waker):
                os.close(fd)
            for child in self._children.values():  # this one too: the server alone has these ends
                os.close(child.inbox.fd)
                os.close(child.reports.fd)
            redirect_output(job)
        except KeyboardInterrupt:
            channel.write(writing, Finished(job.id, death="was interrupted"))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        receive = partial(channel.read, os.fdopen(telling, "rb"))
        finish_with(writing, self._work, self._state, job, Teller(job.id, telling, receive))

    def _listen(self, child: _Child) -> None:
        child.replies += child.inbox.receive()
        if child.inbox.is_closed:
            self._selector.unregister(child.inbox.fd)

    def _relay(self, child: _Child) -> None:
        for report in child.reports.receive():
            channel.write_pickled(self._replies, report)
        if child.reports.is_closed:
            self._selector.unregister(child.reports.fd)

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
        for fd in (child.inbox.fd, child.reports.fd):
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)
            os.close(fd)
        if child.replies:
            channel.write_pickled(self._replies, child.replies[0])
        else:
            death = describe_exit(exit_code)
            channel.write(self._replies, Finished(child.job_id, death=death))

    def _signal_all(self, number: int) -> None:
        for pid in self._children:
            _kill_group(pid, number)


@dataclass
class _Child:
    """A job's process, as the server knows it; what it sends is passed on still pickled."""

    job_id: int
    pid: int
    inbox: channel.Inbox
    reports: channel.Inbox
    replies: list[bytes] = field(default_factory=list)


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
