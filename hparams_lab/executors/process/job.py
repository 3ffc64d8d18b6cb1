"""What happens in the process of a job, forked or new: its output, its call, its end.

A forked one may do several jobs, as long as none leaves anything behind for the next.

Not what lives in Python's modules or in those of C: that is why processes are kept, and
who keeps them accepts it.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.base import (
    Ask,
    Finished,
    Job,
    JobEnd,
    conclude_interrupted,
    conclude_raised,
)
from hparams_lab.executors.process import channel
from hparams_lab.executors.process.messages import JobReport

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


class Asker:
    """The `Ask` of a job.

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
        payload = channel.pickle_checked(JobReport(self._job_id, message))
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
        """Refuse to ask from now on; return whether something else may be received here.

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
        reports: file descriptor that goes to what jobs ask.
        receive: waits for the next answer or job; EOFError if there can be none.
        max_jobs: above 1, other jobs are done after it where none leaves anything behind.
    """
    exit_code = 1
    pid = os.getpid()
    try:
        kept = Surroundings() if max_jobs > 1 else None
        for num_left in reversed(range(max_jobs)):
            ask = Asker(job.id, reports, receive)
            finished, payload = _pickle(_call(work, state, job, ask))
            if os.getpid() == pid:
                channel.write_pickled(replies, payload)
            exit_code = 0  # until the next job nobody is to hear of this process
            if kept is None or not num_left or finished.reason:
                break
            if not (ask.close() and kept.restore()):
                break
            channel.write_pickled(replies, IDLE)
            job = receive()
            exit_code = 1
    except BaseException:
        if exit_code:
            _print_error()
    finally:
        _exit(exit_code)


def _call(work: Any, state: Any, job: Job, ask: Ask) -> Finished:
    try:
        os.environ.update(job.environment)
        _redirect_output(job)
        finished = Finished(job.id, work(state, job.argument, ask))
        _ignore_signals()
    except KeyboardInterrupt:
        finished = conclude_interrupted(job.id)
    except BaseException as error:
        _print_error()
        finished = conclude_raised(job.id, error)
    _ignore_signals()
    return finished


def _ignore_signals() -> None:
    """Have no handler interrupt what comes after the job: its end is reported once, whole."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)


def _pickle(finished: Finished) -> tuple[Finished, bytes]:
    """Return the end of a job pickled, and what it is then: a crash, where that cannot be."""
    try:
        return finished, channel.pickle_checked(finished)
    except BaseException as error:
        _print_error()
        reason = f"returned what cannot be sent: {type(error).__name__}: {error}"
        failed = Finished(finished.job_id, reason=reason, end=JobEnd.ERROR)
        return failed, channel.pickle_checked(failed)


def _print_error() -> None:
    """Print the exception that is handled, if there is where to print it."""
    with contextlib.suppress(Exception):
        traceback.print_exc()


def _exit(exit_code: int) -> NoReturn:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)


# Held open by every process that CUDA has started in, whichever library asked for it, and
# not by those that only look what there is.
_CUDA_DEVICE = "/dev/nvidia-uvm"


def find_fork_hazard() -> str:
    """Return why forking is not safe here, in words for the user; empty if it is.

    TensorFlow survives a fork only before its runtime starts, which its first
    operation does: the runtime's threads do not exist in the child, and it waits for
    them for ever. CUDA refuses to work in a child of a process that it was started in.
    """
    context = sys.modules.get("tensorflow.python.eager.context")
    current = getattr(context, "_context", None)
    if current is not None and getattr(current, "_initialized", True):
        return "a TensorFlow operation was run while the experiment or its data was loaded"
    if _uses_cuda():
        return "a GPU was used while the experiment or its data was loaded"
    if (others := threading.active_count() - 1) > 0:
        return f"{others} thread(s) were left running when the experiment or its data was loaded"
    return ""


def _uses_cuda() -> bool:
    with contextlib.suppress(OSError):  # without /proc there is no CUDA
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # that of the listing itself
                if str(link.readlink()).startswith(_CUDA_DEVICE):
                    return True
    return False


# Prints of C code wait in buffers of C; looked up here, once for all children.
_FLUSH_C = getattr(ctypes.CDLL(None), "fflush", None) if hasattr(os, "fork") else None


class Surroundings:
    """Directory, environment, streams, umask, signals and timers of a process as they are now."""

    def __init__(self) -> None:
        self._directory = os.open(".", os.O_RDONLY)  # a name may come to mean another
        self._environment = os.environ.copy()
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._handlers = {number: signal.getsignal(number) for number in _list_signals()}
        self._blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._umask = os.umask(0)  # only by setting it can it be known
        os.umask(self._umask)

    def restore(self) -> bool:
        """Put everything back and flush what was printed; return whether that is all.

        It is not where a thread or a child process is left, or a stream was closed.
        """
        try:
            self._stop_timers()
            self._restore_streams()
            os.fchdir(self._directory)
            os.umask(self._umask)
        except Exception:  # a stream of the job's own may raise anything
            return False
        if os.environ != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        return threading.active_count() == 1 and not _has_children()

    def _stop_timers(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            signal.setitimer(timer, 0)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)

    def _restore_streams(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdin, sys.stdout, sys.stderr = self._streams
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.fstat(stream.fileno())  # raises if it is closed
        if _FLUSH_C is not None:
            _FLUSH_C(None)


def _list_signals() -> set[signal.Signals]:
    """Return the signals that may have a handler."""
    return signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True
