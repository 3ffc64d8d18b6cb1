"""The process that runs are forked from: it loads once, then forks a child for jobs.

    executor ──stdin──▶ server ──fork──▶ child: work(state, argument, ask)
        ▲                 │  ▲                     │            ▲
        └─────stdout──────┘  ├──pipe: its end──────┘            │
                             └──socket: reports, answers, jobs──┘

The server has TensorFlow, the experiment and its data in memory and never runs an
operation, so a child has them too (copy on write) for the price of a fork. It is the
parent of all children: it learns how each ends, ends what each leaves behind, and all of
them when the executor is gone. It does not know what a job is.

A child is fresh for each job, unless it may do several: then it waits for the next where
a job has left nothing behind.

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
import select
import selectors
import signal
import socket
import sys
import threading
import traceback
from functools import partial
from typing import Any, BinaryIO, NoReturn

from hparams_lab.errors import ExecutorError, HParamsLabError
from hparams_lab.executors.base import Finished, Job, JobEnd, conclude_interrupted
from hparams_lab.executors.process import channel
from hparams_lab.executors.process.child import Child, describe_exit, kill_group
from hparams_lab.executors.process.job import IDLE, do_jobs, find_fork_hazard
from hparams_lab.executors.process.messages import Began, Ready, Reply, SetupFailed
from hparams_lab.executors.process.supervisor import (
    adopt_orphans,
    die_with_parent,
    end_children,
    list_children,
)


def run_server() -> None:
    """Serve the executor at the other end of stdin and stdout, until it closes its end."""
    adopt_orphans()
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
        _Server(requests, replies, work, state, begin.jobs_per_process).serve()


def _as_message(error: BaseException) -> HParamsLabError:
    """Return an error of ours, which can be unpickled anywhere."""
    if type(error).__module__ == HParamsLabError.__module__ and isinstance(error, HParamsLabError):
        return error
    if isinstance(error, HParamsLabError):
        return ExecutorError(str(error))
    return ExecutorError("".join(traceback.format_exception(error)).rstrip())


def _claim_streams() -> tuple[int, int]:
    """Keep stdin and stdout for messages; whoever prints or reads gets others."""
    requests, replies = (channel.move_out_of_reach(os.dup(fd)) for fd in (0, 1))
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
    do_jobs(work, state, job, replies=replies, reports=replies, receive=answers.get)


def _take_answers(stream: BinaryIO, answers: queue.SimpleQueue[Any]) -> None:
    """Queue answers until the executor is gone, and end this process then."""
    while True:
        try:
            answers.put(pickle.loads(channel.read(stream).answer))
        except EOFError:
            os._exit(1)


_LOOK_SECS = 0.5


def _receive(stream: BinaryIO) -> Any:
    """Wait for a message and return it.

    A signal that comes between Python's last look and a read that blocks would be seen
    only after the read; so it looks again every now and then.
    """
    while not select.select([stream], [], [], _LOOK_SECS)[0]:
        pass
    return channel.read(stream)


def _unblock_interrupts() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class _Server:
    """Forks children for jobs and reports how these ended.

    Args:
        requests: file descriptor that messages come from.
        replies: file descriptor that messages go to.
        work: called in each child.
        state: its first argument.
        jobs_per_child: how many jobs a child does at most.
    """

    def __init__(
        self, requests: int, replies: int, work: Any, state: Any, jobs_per_child: int
    ) -> None:
        self._inbox = channel.Inbox(requests)
        self._replies = replies
        self._work = work
        self._state = state
        self._jobs_per_child = jobs_per_child
        self._pid = os.getpid()
        self._children: dict[int, Child] = {}
        self._spared = list_children()  # what setup has started, and what cannot be ended
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._waker = os.pipe()

    def serve(self) -> None:
        """Serve until the executor closes its end or dies; no child outlives that."""
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the selector
        # With each goes what is to be called when it can be read.
        self._selector.register(self._inbox.fd, selectors.EVENT_READ, self._handle)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._wake_up)
        # Objects made so far are never collected in a child, which would copy their pages.
        gc.collect()
        gc.freeze()
        with contextlib.suppress(BrokenPipeError):  # the executor is gone: the end comes too
            while not self._inbox.is_closed:
                ready = {key.fd: key.data for key, _ in self._selector.select()}
                obey = ready.pop(self._inbox.fd, None)
                for listen in ready.values():
                    listen()
                self._reap()
                if obey:  # last, so that no job is given to a child that has died
                    obey()
        self._signal_all(signal.SIGKILL)
        end_children(self._spared)

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)

    def _handle(self) -> None:
        for message in map(pickle.loads, self._inbox.receive()):
            if isinstance(message, Job):
                self._begin(message)
            elif isinstance(message, Reply):
                self._answer(message)
            elif message.job_id is None:
                self._signal_all(message.number)
            elif child := self._find_child(message.job_id):
                child.signal(message.number)

    def _find_child(self, job_id: int) -> Child | None:
        """Return the process of a job, None if it has ended."""
        children = self._children.values()
        return next((child for child in children if child.job_id == job_id), None)

    def _answer(self, reply: Reply) -> None:
        if child := self._find_child(reply.job_id):
            # It waits for this, so it reads; a small answer fits the socket even if it does not.
            with contextlib.suppress(ConnectionError):  # it dies, or has closed its end
                channel.write_pickled(child.reports.fd, reply.answer)

    def _begin(self, job: Job) -> None:
        """Give a job to a child that waits for one, or to a new one."""
        children = self._children.values()
        # What a process has read of its environment it may never read again.
        fitting = (each for each in children if each.environment == job.environment)
        child = next((child for child in fitting if child.is_idle), None)
        if child is None:
            self._fork(job)
            return
        with contextlib.suppress(ConnectionError):  # it dies, as the job's end will say
            channel.write(child.reports.fd, job)
        child.job_id = job.id
        channel.write(self._replies, Began(job.id, child.pid))

    def _fork(self, job: Job) -> None:
        fds: list[int] = []
        # A KeyboardInterrupt in a library's at-fork hook is lost; the child hears of it later.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            fds += os.pipe()
            fds += (end.detach() for end in socket.socketpair())
            fds[1::2] = map(channel.move_out_of_reach, fds[1::2])
            pid = os.fork()
        except OSError as error:
            _unblock_interrupts()
            for fd in fds:
                os.close(fd)
            reason = f"got no process: {error}"
            channel.write(self._replies, Finished(job.id, reason=reason, end=JobEnd.CRASHED))
            return
        reading, writing, reports, asking = fds
        child = Child(job.id, pid, channel.Inbox(reading), channel.Inbox(reports), job.environment)
        self._children[pid] = child
        if pid == 0:
            self._become_child(job, writing, asking)
        _unblock_interrupts()
        os.close(writing)
        os.close(asking)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does so too; whoever comes first
        self._selector.register(reading, selectors.EVENT_READ, partial(self._listen, child))
        self._selector.register(reports, selectors.EVENT_READ, partial(self._relay, child))
        channel.write(self._replies, Began(job.id, pid))

    def _become_child(self, job: Job, writing: int, asking: int) -> NoReturn:
        """Run the job and exit at once: the server's own cleaning up is not the child's."""
        try:
            die_with_parent(self._pid)
            adopt_orphans()
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
            _unblock_interrupts()
        except KeyboardInterrupt:
            channel.write(writing, conclude_interrupted(job.id))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        receive = partial(_receive, os.fdopen(asking, "rb"))
        do_jobs(
            self._work,
            self._state,
            job,
            replies=writing,
            reports=asking,
            receive=receive,
            max_jobs=self._jobs_per_child,
        )

    def _listen(self, child: Child) -> None:
        child.replies += child.inbox.receive()
        if child.inbox.is_closed:
            self._selector.unregister(child.inbox.fd)
        if IDLE in child.replies:
            self._release(child)

    def _release(self, child: Child) -> None:
        """Pass on the end of a child's job, and keep the child for another one."""
        if child.is_signalled:  # another job must not have what was meant for this one
            child.signal(signal.SIGKILL)
            return
        channel.write_pickled(self._replies, child.replies[0])
        child.replies.clear()
        child.job_id = None

    def _relay(self, child: Child) -> None:
        for report in child.reports.receive():
            channel.write_pickled(self._replies, report)
        if child.reports.is_closed:
            self._selector.unregister(child.reports.fd)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, wait_status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._finish(child, os.waitstatus_to_exitcode(wait_status))

    def _finish(self, child: Child, exit_code: int) -> None:
        del self._children[child.pid]
        kill_group(child.pid, signal.SIGKILL)  # what the job left behind; what left its group:
        self._spared |= end_children(self._spared | {*self._children})
        child.take_replies()
        for fd in (child.inbox.fd, child.reports.fd):
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)
            os.close(fd)
        if child.replies:
            channel.write_pickled(self._replies, child.replies[0])
        elif child.job_id is not None:
            reason = describe_exit(exit_code)
            finished = Finished(child.job_id, reason=reason, end=JobEnd.CRASHED)
            channel.write(self._replies, finished)

    def _signal_all(self, number: int) -> None:
        for child in self._children.values():
            child.signal(number)
