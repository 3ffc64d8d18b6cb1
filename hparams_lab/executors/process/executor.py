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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hparams_lab.catalog.option import option
from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import (
    Answer,
    Executor,
    ExecutorSpec,
    Finished,
    Job,
    JobEnd,
    Setup,
    Work,
    Workload,
)
from hparams_lab.executors.capacity import GpuShares, find_gpus, limit_threads, plan_capacity
from hparams_lab.executors.options import JobOptions
from hparams_lab.executors.process.child import SIGKILL, kill_group
from hparams_lab.executors.process.limits import JobLimits, LimitMonitor, Violation
from hparams_lab.executors.process.link import ServerLink
from hparams_lab.executors.process.messages import (
    Began,
    Begin,
    JobReport,
    Ready,
    Reply,
    SetupFailed,
    Signal,
)

# Longest wait before Ctrl-C is noticed on systems whose locks cannot be interrupted.
_POLL_SECS = 0.5


@dataclass(eq=False)
class _Unfinished:
    """A job that has been submitted."""

    id: int  # of the job
    server: ServerLink  # that the job was sent to
    watch: LimitMonitor  # over its limits
    pid: int | None = None  # the job's process, leader of a group; None until it began


# A server and what it says. Without a server: what is to be called when its turn comes.
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
            after a grace SIGKILL. What it returns in the grace is its result.
        memory_limit_mb: resident memory that a job's process and what it starts may have
            together, in units of 2**20 bytes, what was set up before included; None for
            any. While `wait` waits, a job that is found with more is sent SIGKILL.
        gpus: as CUDA_VISIBLE_DEVICES names them; each job is given the one with the fewest.
            With none, jobs have those that this process has.
        notice: what the user should know already.
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
        memory_limit_mb: float | None = None,
        jobs_per_process: int = 1,
        gpus: Sequence[str] = (),
        notice: str = "",
    ) -> None:
        super().__init__(num_workers)
        self._limits = JobLimits(timeout_secs, memory_limit_mb)
        self._gpus = GpuShares(gpus)
        self._begin = Begin(sys.path, pickle.dumps((setup, work)), jobs_per_process)
        self._inbox: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        self._servers: list[ServerLink] = []
        self._fork_server: ServerLink | None = None
        self._may_fork = True
        self._jobs: dict[int, _Unfinished] = {}
        self._ended: deque[Finished] = deque()  # known to have, and not yet returned
        self.notice = notice

    def start(self) -> None:
        self._fork_server = self._launch_server({})

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
            notice = (
                f"each run starts a new interpreter, which takes seconds, as {message.fork_hazard}"
            )
            self.notice = "; ".join(filter(None, (self.notice, notice)))
            self._may_fork = False
            self._retire(server)
            self._fork_server = None

    def submit(self, job: Job) -> None:
        fork_server = self._find_fork_server() if self._may_fork else None
        job = replace(job, environment={**self._gpus.take(job.id), **job.environment})
        # A new interpreter has them as it sets up, which may use the GPU already.
        server = fork_server or self._launch_server(job.environment)
        self._jobs[job.id] = _Unfinished(job.id, server, LimitMonitor(self._limits))
        server.send(job)

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        deadline = time.monotonic() + timeout_secs
        while isinstance(news := self.listen(deadline), JobReport):
            self.reply(news.job_id, answer(news.job_id, news.message))
        return news

    def listen(self, deadline: float = math.inf) -> Finished | JobReport | None:
        """Return the next job to end, or what a job asks and waits for the reply to.

        Args:
            deadline: in monotonic seconds; None is returned then.

        Raises:
            KeyboardInterrupt: on Ctrl-C; call `stop` then.
        """
        while not self._ended:
            self._look_for_excess()
            try:
                server, message = self._next_arrival(min(deadline, self._next_look))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
                continue
            if isinstance(message, JobReport):
                if message.job_id in self._jobs:  # else a thread of it asked after all
                    return message
            else:
                self._take(server, message)
        return self._ended.popleft()

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job asked; one that has ended meanwhile is not there to hear it."""
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
    def _next_look(self) -> float:
        return min((job.watch.next_look for job in self._jobs.values()), default=math.inf)

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
        """Note how jobs begin and end. What a job asks is for `listen` alone."""
        if server is None:
            message()
        elif isinstance(message, Began) and message.job_id in self._jobs:
            job = self._jobs[message.job_id]
            job.pid = message.pid
            job.watch.begin(message.pid)
        elif isinstance(message, Finished):
            self._conclude(message)
        elif isinstance(message, SetupFailed):
            self._discard(server, f"could not be loaded: {message.error}")
        elif message is None:
            reason = f"was lost, as its parent process {server.describe_end()}"
            self._discard(server, reason if self._may_fork else server.describe_end_of_job())

    def _look_for_excess(self) -> None:
        """Put jobs beyond a limit behind what has come already, which may be their end."""
        for job in self._jobs.values():
            if violation := job.watch.check():
                self.call_soon(partial(self._end, job, violation))

    def _end(self, job: _Unfinished, violation: Violation) -> None:
        """Have a job ended that is beyond a limit, if it has not ended yet."""
        if self._jobs.get(job.id) is job:
            for number in job.watch.signals(violation):
                job.server.signal(Signal(number, job.id), forks=self._may_fork)

    def _conclude(self, finished: Finished) -> None:
        """Keep the end of a job to be returned, and give back what it had."""
        job = self._jobs.pop(finished.job_id, None)
        self._gpus.give_back(finished.job_id)
        if job is not None:
            finished = job.watch.attribute(finished)
        self._ended.append(finished)

    def _launch_server(self, variables: Mapping[str, str]) -> ServerLink:
        environment = {**os.environ, **limit_threads(self.num_workers), **variables}
        server = ServerLink(self._begin, self._inbox, environment)
        self._servers.append(server)
        return server

    def _find_fork_server(self) -> ServerLink:
        if self._fork_server is None:  # it died
            self.start()
            self.ready()
        assert self._fork_server is not None
        return self._fork_server

    def _discard(self, server: ServerLink, reason: str) -> None:
        """Give up a server and the jobs that died with it."""
        lost = [job for job in self._jobs.values() if job.server is server]
        for job in lost:
            if job.pid is not None:
                kill_group(job.pid)
        self._retire(server)
        if server is self._fork_server:
            self._fork_server = None
        for job in lost:
            cause = JobEnd.LOST if self._may_fork else JobEnd.CRASHED
            self._conclude(Finished(job.id, reason=reason, end=cause))

    def _retire(self, server: ServerLink) -> None:
        server.close()
        if server in self._servers:
            self._servers.remove(server)

    def _signal_all(self, number: int) -> None:
        for server in list(self._servers):
            server.signal(Signal(number), forks=self._may_fork)


@dataclass(frozen=True, kw_only=True)
class ProcessOptions(JobOptions):
    """Options of jobs in processes of this machine."""

    runs_per_gpu: int | None = option(
        "let so many runs share a GPU",
        at_least=1,
        unset=1,
        needs="processes of this machine",
        label="runs per GPU",
    )


def _make(workload: Workload, options: ProcessOptions) -> Executor:
    room = plan_capacity(
        num_workers=workload.num_workers,
        runs_per_gpu=options.runs_per_gpu,
        max_runs=workload.max_jobs,
    )
    return ProcessExecutor(
        workload.setup,
        workload.work,
        num_workers=room.num_workers,
        timeout_secs=options.run_timeout_secs,
        memory_limit_mb=options.memory_limit_mb,
        jobs_per_process=options.runs_per_process or 1,
        gpus=room.gpus,
        notice=room.notice,
    )


PROCESS = ExecutorSpec(
    options=ProcessOptions,
    make=_make,
    # A sweep may be resumed on a machine that has no GPUs, unlike the one before.
    still_holds=lambda name: name != "runs_per_gpu" or bool(find_gpus()),
)
