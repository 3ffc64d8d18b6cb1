"""Runs jobs in processes of their own, forked from a server that has everything loaded."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import queue
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import Answer, Cause, Executor, Finished, Job, Setup, Work
from hparams_lab.executors.child import SIGKILL, kill_group
from hparams_lab.executors.cpus import limit_threads
from hparams_lab.executors.messages import Began, Begin, Ready, Reply, Report, SetupFailed, Signal
from hparams_lab.executors.server_link import ServerLink

# How long a wait may be deaf to Ctrl-C on systems whose locks cannot be interrupted.
_POLL_SECS = 0.5

# How long a job may take to clean up that was stopped after its time limit.
TIMEOUT_GRACE_SECS = 5.0


@dataclass(eq=False)
class _Unfinished:
    """A job that has been submitted.

    Attributes:
        id: of the job.
        server: that the job was sent to.
        pid: the job's process, leader of a group; None until it began.
        due: when it is to be ended, in monotonic seconds.
        is_overdue: whether it was sent SIGTERM as its time was over.
    """

    id: int
    server: ServerLink
    pid: int | None = None
    due: float = math.inf
    is_overdue: bool = False


# A server and what it says, or a job of its whose time is over: `_Unfinished`. Without a
# server: what another thread wants called.
_Arrival = tuple[ServerLink | None, Any]


class ProcessExecutor(Executor):
    """A fresh process a job or few, `num_workers` at a time.

    Where the server may not fork, a new interpreter is started for each job, which
    takes seconds; `notice` says why.

    Args:
        setup: called once in the server, in the background as soon as `start` is called.
        work: called in each job's process.
        num_workers: jobs at a time; the processors are divided among them.
        timeout_secs: how long a job may run once it has a process, in seconds; None for as
            long as it likes. While `wait` waits, a job that takes longer is sent SIGTERM,
            after a grace SIGKILL.
        jobs_per_process: how many jobs a forked process does at most, one after the other.
            It gets no other after one that was ended, or raised, or left a thread or a
            process running. What it started may live until its last job has ended.
    """

    def __init__(
        self,
        setup: Setup,
        work: Work,
        *,
        num_workers: int,
        timeout_secs: float | None = None,
        jobs_per_process: int = 1,
    ) -> None:
        super().__init__(num_workers)
        self._timeout_secs = math.inf if timeout_secs is None else timeout_secs
        self._begin = Begin(sys.path, pickle.dumps((setup, work)), jobs_per_process)
        self._inbox: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._servers: list[ServerLink] = []
        self._fork_server: ServerLink | None = None
        self._may_fork = True
        self._jobs: dict[int, _Unfinished] = {}
        self._ended: deque[Finished] = deque()  # known to have, and not yet returned
        self.notice = ""

    def start(self) -> None:
        self._fork_server = self._launch_server()

    def ready(self) -> None:
        server, message = self._next_arrival()
        while server is None or server is not self._fork_server:  # one that died says more
            self._take(server, message)
            server, message = self._next_arrival()
        if isinstance(message, SetupFailed):
            raise message.error
        if not isinstance(message, Ready):
            raise ExecutorError(
                f"the process that loads the experiment {server.describe_end()}. Run with "
                "--executor=inline to see why."
            )
        server.is_ready = True
        server.output.pass_on()
        if message.fork_hazard:
            self.notice = (
                f"each run starts a new interpreter, which takes seconds, as {message.fork_hazard}"
            )
            self._may_fork = False
            self._retire(server)
            self._fork_server = None

    def submit(self, job: Job) -> None:
        server = self._find_fork_server() if self._may_fork else self._launch_server()
        self._jobs[job.id] = _Unfinished(job.id, server)
        server.send(job)

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        deadline = time.monotonic() + timeout_secs
        while isinstance(news := self.listen(deadline), Report):
            self.reply(news.job_id, answer(news.job_id, news.message))
        return news

    def listen(self, deadline: float = math.inf) -> Finished | Report | None:
        """Return the next job to end, or what a job tells and waits for the reply to.

        Args:
            deadline: in monotonic seconds; None is returned then.

        Raises:
            KeyboardInterrupt: on Ctrl-C; call `stop` then.
        """
        while not self._ended:
            self._queue_overdue()
            try:
                server, message = self._next_arrival(min(deadline, self._next_due))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
                continue
            if isinstance(message, Report):
                if message.job_id in self._jobs:  # else a thread of it told after all
                    return message
            elif isinstance(message, _Unfinished):
                self._end_overdue(message)
            else:
                self._take(server, message)
        return self._ended.popleft()

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job told; one that has ended meanwhile is not there to hear it."""
        if job_id in self._jobs:
            self._jobs[job_id].server.send(Reply(job_id, pickle.dumps(answer)))

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have the thread that listens, or waits, call a function; any thread may ask for it."""
        self._inbox.put((None, function))

    def stop(self, grace_secs: float) -> list[Finished]:
        stopped: list[Finished] = []
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C ends the grace
            self._signal_all(signal.SIGINT)
            deadline = time.monotonic() + grace_secs
            while self._is_busy and (finished := self._next_finished(deadline)):
                stopped.append(finished)
        self._signal_all(SIGKILL)
        while self._is_busy and (finished := self._next_finished(math.inf)):
            stopped.append(finished)
        return stopped

    def close(self) -> None:
        for server in list(self._servers):
            self._retire(server)
        self._jobs.clear()
        self._ended.clear()
        self._fork_server = None

    @property
    def _is_busy(self) -> bool:
        return bool(self._jobs or self._ended)

    @property
    def _next_due(self) -> float:
        return min((job.due for job in self._jobs.values()), default=math.inf)

    def _next_finished(self, deadline: float) -> Finished | None:
        """Return the next job to end, None if none does before the deadline (monotonic)."""
        while not self._ended:
            try:
                self._take(*self._next_arrival(deadline))
            except queue.Empty:
                return None
        return self._ended.popleft()

    def _next_arrival(self, deadline: float = math.inf) -> _Arrival:
        """Return what comes next.

        Raises:
            queue.Empty: if nothing does before the deadline (monotonic).
        """
        while (rest := deadline - time.monotonic()) > 0:
            try:
                return self._inbox.get(timeout=min(rest, _POLL_SECS))
            except queue.Empty:
                for server in self._servers:
                    server.output.pass_on()
        raise queue.Empty

    def _take(self, server: ServerLink | None, message: Any) -> None:
        """Note how jobs begin and end. What a job tells is for `listen` alone."""
        if server is None:
            message()
        elif isinstance(message, Began) and message.job_id in self._jobs:
            job = self._jobs[message.job_id]
            job.pid = message.pid
            job.due = time.monotonic() + self._timeout_secs
        elif isinstance(message, Finished):
            self._conclude(message)
        elif isinstance(message, SetupFailed):
            self._bury(server, f"could not be loaded: {message.error}")
        elif message is None:
            death = f"was lost, as its parent process {server.describe_end()}"
            self._bury(server, death if self._may_fork else server.describe_end())

    def _queue_overdue(self) -> None:
        """Put jobs whose time is over behind what has come already, which may be their end."""
        for job in self._jobs.values():
            if job.due <= time.monotonic():
                job.due = math.inf
                self._inbox.put((job.server, job))

    def _end_overdue(self, job: _Unfinished) -> None:
        """Send SIGTERM to a job that has not ended, after the grace SIGKILL."""
        if self._jobs.get(job.id) is job:
            number = SIGKILL if job.is_overdue else signal.SIGTERM
            job.is_overdue = True
            job.due = time.monotonic() + TIMEOUT_GRACE_SECS
            job.server.signal(Signal(number, job.id), forks=self._may_fork)

    def _conclude(self, finished: Finished) -> None:
        """Keep the end of a job to be returned; the time limit explains a death after it."""
        job = self._jobs.pop(finished.job_id, None)
        if job is not None and job.is_overdue and finished.death:
            death = f"was stopped after its time limit of {self._timeout_secs:g} s"
            finished = Finished(finished.job_id, death=death, cause=Cause.TIMED_OUT)
        self._ended.append(finished)

    def _launch_server(self) -> ServerLink:
        environment = os.environ | limit_threads(self.num_workers)
        server = ServerLink(self._begin, self._inbox, environment)
        self._servers.append(server)
        return server

    def _find_fork_server(self) -> ServerLink:
        if self._fork_server is None:  # it died
            self.start()
            self.ready()
        assert self._fork_server is not None
        return self._fork_server

    def _bury(self, server: ServerLink, death: str) -> None:
        """Give up a server and the jobs that died with it."""
        lost = [job for job in self._jobs.values() if job.server is server]
        for job in lost:
            if job.pid is not None:
                kill_group(job.pid)
        self._retire(server)
        if server is self._fork_server:
            self._fork_server = None
        for job in lost:
            cause = Cause.LOST if self._may_fork else Cause.CRASHED
            self._conclude(Finished(job.id, death=death, cause=cause))

    def _retire(self, server: ServerLink) -> None:
        server.close()
        if server in self._servers:
            self._servers.remove(server)

    def _signal_all(self, number: int) -> None:
        for server in list(self._servers):
            server.signal(Signal(number), forks=self._may_fork)
