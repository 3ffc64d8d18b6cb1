"""What happens in the process of a job, forked or new: its output, its call, its end.

A forked one may do several jobs, as long as none leaves anything behind for the next.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import (
    Cause,
    Finished,
    Job,
    Tell,
    conclude_interrupted,
    conclude_raised,
)
from hparams_lab.executors.process import channel
from hparams_lab.executors.process.messages import Report
from hparams_lab.executors.process.restore import Surroundings

IDLE = b""
"""Sent behind a job's end by a process that can do another; no pickle, so no end."""


def _redirect_output(job: Job) -> None:
    """Send what this process prints to the job's file."""
    job.output_file.parent.mkdir(exist_ok=True)  # not what is above: it may be gone by now
    fd = os.open(job.output_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    faulthandler.enable(2)  # a segfault leaves its Python traceback in the output


class Teller:
    """The `Tell` of a job.

    Args:
        job_id: of the job.
        reports: file descriptor that messages go to.
        receive: waits for the next answer; EOFError if there can be none.
    """

    def __init__(self, job_id: int, reports: int, receive: Callable[[], Any]) -> None:
        self._job_id = job_id
        self._reports = reports
        self._receive = receive
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._is_unanswered = False
        self._is_closed = False

    def __call__(self, message: Any) -> Any:
        """Send a message and return the answer to it.

        Raises:
            ExecutorError: in a child of the job's process, whose message and answer would
                mix with its parent's; after an exception (that of Ctrl-C, or a
                timer's) has interrupted a call, the answer to which may come yet; or
                after the job's end.
        """
        if os.getpid() != self._pid:
            raise ExecutorError(
                "only the process that train was called in may report; got a report from a "
                "child of it. Return the value to train."
            )
        payload = channel.pickle_surely(Report(self._job_id, message))
        with self._lock:
            if self._is_closed:
                raise ExecutorError("a run may not report after its end. Let train report its own.")
            if self._is_unanswered:
                raise ExecutorError(
                    "train may not report once a report of it was interrupted. Let it end."
                )
            self._is_unanswered = True
            try:
                channel.write_pickled(self._reports, payload)
                answer = self._receive()
            except (EOFError, ConnectionError):
                _exit(1)  # the executor is gone, and nobody is left to run for
            self._is_unanswered = False
        return answer

    def close(self) -> bool:
        """Refuse to tell from now on; return whether something else may be received here.

        It may not while an answer may come yet, nor in a child of the job's process.
        """
        self._is_closed = True
        return not self._is_unanswered and os.getpid() == self._pid


def do_jobs(
    work: Any,
    state: Any,
    job: Job,
    *,
    replies: int,
    reports: int,
    receive: Callable[[], Any],
    max_jobs: int = 1,
) -> NoReturn:
    """Do a job, reply, and exit at once: neither threads nor cleaning up hold it.

    A child of this process that returns from the job as well exits without a word.

    Args:
        work: called for each job.
        state: its first argument.
        job: the first one.
        replies: file descriptor that ends of jobs go to.
        reports: file descriptor that goes to what jobs tell.
        receive: waits for the next answer or job; EOFError if there can be none.
        max_jobs: above 1, other jobs are done after it where none leaves anything behind.
    """
    exit_code = 1
    pid = os.getpid()
    try:
        kept = Surroundings() if max_jobs > 1 else None
        for num_left in reversed(range(max_jobs)):
            tell = Teller(job.id, reports, receive)
            finished, payload = _pickle(_call(work, state, job, tell))
            if os.getpid() == pid:
                channel.write_pickled(replies, payload)
            exit_code = 0  # until the next job nobody is to hear of this process
            if kept is None or not num_left or finished.death:
                break
            if not (tell.close() and kept.restore()):
                break
            channel.write_pickled(replies, IDLE)
            job = receive()
            exit_code = 1
    except BaseException:
        if exit_code:
            _print_error()
    finally:
        _exit(exit_code)


def _call(work: Any, state: Any, job: Job, tell: Tell) -> Finished:
    try:
        os.environ.update(job.environment)
        _redirect_output(job)
        finished = Finished(job.id, work(state, job.argument, tell))
        _ignore_signals()
    except KeyboardInterrupt:
        finished = conclude_interrupted(job.id)
    except BaseException as error:
        _print_error()
        finished = conclude_raised(job.id, error)
    _ignore_signals()
    return finished


def _ignore_signals() -> None:
    """Have no handler interrupt what comes after the job: the end of it is told once, whole."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)


def _pickle(finished: Finished) -> tuple[Finished, bytes]:
    """Return the end of a job pickled, and what it is then: a death, where that cannot be."""
    try:
        return finished, channel.pickle_surely(finished)
    except BaseException as error:
        _print_error()
        death = f"returned what cannot be sent: {type(error).__name__}: {error}"
        failed = Finished(finished.job_id, death=death, cause=Cause.ERROR)
        return failed, channel.pickle_surely(failed)


def _print_error() -> None:
    """Print the exception that is handled, if there is where to print it."""
    with contextlib.suppress(Exception):
        traceback.print_exc()


def _exit(exit_code: int) -> NoReturn:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)
