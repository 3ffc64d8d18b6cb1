"""Runs each job in a fresh process, forked from a server that has everything loaded."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import Any, BinaryIO

from hparams_lab.chatter import HeldOutput
from hparams_lab.errors import ExecutorError
from hparams_lab.executors import channel
from hparams_lab.executors.base import Executor, Finished, Job, Setup, Work
from hparams_lab.executors.cpus import limit_threads
from hparams_lab.executors.messages import Began, Begin, Ready, SetupFailed, Signal
from hparams_lab.executors.server import describe_exit

# Not `-m`: the messages' classes must have the same name at both ends.
_SERVER = "from hparams_lab.executors.server import main; main()"

# How long a wait may be deaf to Ctrl-C on systems whose locks cannot be interrupted.
_POLL_SECS = 0.5

# A server whose input ends kills its children and ends at once.
_CLOSE_SECS = 1.0


class ProcessExecutor(Executor):
    """A fresh process a job, `num_workers` at a time.

    Where the server may not fork, a new interpreter is started for each job, which
    takes seconds; `notice` says why.

    Args:
        setup: called once in the server, in the background as soon as `start` is called.
        work: called in each job's process.
        num_workers: jobs at a time; the processors are divided among them.
    """

    def __init__(self, setup: Setup, work: Work, *, num_workers: int) -> None:
        super().__init__(num_workers)
        self._functions = pickle.dumps((setup, work))
        self._inbox: queue.SimpleQueue[tuple[_ServerLink, Any]] = queue.SimpleQueue()
        self._servers: list[_ServerLink] = []
        self._fork_server: _ServerLink | None = None
        self._may_fork = True
        self._jobs: dict[int, _ServerLink] = {}
        self._pids: dict[int, int] = {}
        self._ended: deque[Finished] = deque()  # known to have, and not yet returned
        self.notice = ""

    def start(self) -> None:
        self._fork_server = self._launch_server()

    def ready(self) -> None:
        server, message = self._next_message()
        while server is not self._fork_server:  # one that died has more to say
            if finished := self._take(server, message):
                self._ended.append(finished)
            server, message = self._next_message()
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
        self._jobs[job.id] = server
        server.send(job)

    def wait(self) -> Finished:
        finished = self._next_finished(math.inf)
        assert finished is not None
        return finished

    def stop(self, grace_secs: float) -> list[Finished]:
        stopped: list[Finished] = []
        with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C ends the grace
            self._signal(signal.SIGINT)
            deadline = time.monotonic() + grace_secs
            while self._is_busy and (finished := self._next_finished(deadline)):
                stopped.append(finished)
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        while self._is_busy:
            stopped.append(self.wait())
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

    def _next_finished(self, deadline: float) -> Finished | None:
        """Return the next job to end, None if none does before the deadline (monotonic)."""
        if self._ended:
            return self._ended.popleft()
        while (rest := deadline - time.monotonic()) > 0:
            try:
                server, message = self._inbox.get(timeout=min(rest, _POLL_SECS))
            except queue.Empty:
                self._pass_on_output()
                continue
            if finished := self._take(server, message):
                return finished
        return None

    def _take(self, server: _ServerLink, message: Any) -> Finished | None:
        """Note what a server says; return the job that ended by it."""
        if isinstance(message, Began):
            self._pids[message.job_id] = message.pid
        elif isinstance(message, Finished):
            self._forget(message.job_id)
            return message
        elif isinstance(message, SetupFailed):
            return self._bury(server, f"could not be loaded: {message.error}")
        elif message is None:
            death = f"was lost, as its parent process {server.describe_end()}"
            return self._bury(server, death if self._may_fork else server.describe_end())
        return None

    def _next_message(self) -> tuple[_ServerLink, Any]:
        while True:
            self._pass_on_output()
            with contextlib.suppress(queue.Empty):
                return self._inbox.get(timeout=_POLL_SECS)

    def _pass_on_output(self) -> None:
        for server in self._servers:
            server.output.pass_on()

    def _launch_server(self) -> _ServerLink:
        environment = os.environ | limit_threads(self.num_workers)
        server = _ServerLink(Begin(sys.path, self._functions), self._inbox, environment)
        self._servers.append(server)
        return server

    def _find_fork_server(self) -> _ServerLink:
        if self._fork_server is None:  # it died
            self.start()
            self.ready()
        assert self._fork_server is not None
        return self._fork_server

    def _bury(self, server: _ServerLink, death: str) -> Finished | None:
        """Give up a server; return one of the jobs that died with it, if any did."""
        lost = [job_id for job_id, owner in self._jobs.items() if owner is server]
        for job_id in lost:
            _kill_group(self._pids.get(job_id))
            self._forget(job_id)
        self._retire(server)
        if server is self._fork_server:
            self._fork_server = None
        self._ended.extend(Finished(job_id, death=death) for job_id in lost)
        return self._ended.popleft() if lost else None

    def _forget(self, job_id: int) -> None:
        self._jobs.pop(job_id, None)
        self._pids.pop(job_id, None)

    def _retire(self, server: _ServerLink) -> None:
        server.close()
        if server in self._servers:
            self._servers.remove(server)

    def _signal(self, number: int) -> None:
        for server in list(self._servers):
            server.signal(number, forks=self._may_fork)


class _ServerLink:
    """The executor's end of a server process; its messages go to the executor's inbox."""

    def __init__(
        self,
        begin: Begin,
        inbox: queue.SimpleQueue[tuple[_ServerLink, Any]],
        environment: dict[str, str],
    ) -> None:
        self.output = HeldOutput()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.output.file,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the executor to pass on
            )
        except OSError as error:
            raise ExecutorError(
                f"cannot start a process: {error}. Use fewer --workers or --executor=inline."
            ) from error
        self.is_ready = False
        self.send(begin)
        for target, arguments in (
            (_forward, (self, self._process.stdout, inbox)),
            (_end_leftovers, (self._process,)),
        ):
            threading.Thread(target=target, args=arguments, daemon=True).start()

    def send(self, message: Any) -> None:
        """Send a message; if the process is gone, its end of the pipe says so soon."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            channel.write(self._process.stdin.fileno(), message)

    def signal(self, number: int, *, forks: bool) -> None:
        """Send a signal to the server's jobs, or to itself where it is the job."""
        if forks:
            self.send(Signal(number))
        else:
            self._process.send_signal(number)

    def describe_end(self) -> str:
        """Return in words how the process ended."""
        return describe_exit(self._process.wait()).replace(" before train returned", "")

    def close(self) -> None:
        """End the process and, with it, its children; a second time does nothing."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if not self.is_ready:
            self._process.kill()  # it has no children yet
        try:
            self._process.wait(timeout=_CLOSE_SECS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.output.close()


def _forward(
    server: _ServerLink, stream: BinaryIO, inbox: queue.SimpleQueue[tuple[_ServerLink, Any]]
) -> None:
    """Put a server's messages into the inbox, None after the last."""
    with stream:
        while True:
            try:
                message = channel.read(stream)
            except Exception:  # whatever unpickling raises: there is no going on behind it
                inbox.put((server, None))
                return
            inbox.put((server, message))


def _end_leftovers(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process's group once it has ended, so that its pipes close."""
    process.wait()
    _kill_group(process.pid)


def _kill_group(pid: int | None) -> None:
    if pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
