"""What happens in the process of a job, forked or new: its output, its call, its end."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from hparams_lab.errors import ExecutorError
from hparams_lab.executors import channel
from hparams_lab.executors.base import Finished, Job, Tell, describe_error
from hparams_lab.executors.messages import Report

# linux/prctl.h; looked up here, once for all children.
_PR_SET_PDEATHSIG = 1
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Have the system kill this process when its parent dies, where it can: on Linux.

    The parent ends its children before itself; only one that was killed cannot.

    Args:
        parent: its process, which may be dead by now.
    """
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def redirect_output(job: Job) -> None:
    """Send what this process prints to the job's file."""
    job.output_file.parent.mkdir(parents=True, exist_ok=True)
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

    def __call__(self, message: Any) -> Any:
        """Send a message and return the answer to it.

        Raises:
            ExecutorError: in a child of the job's process, whose message and answer would
                mix with its parent's; or after an exception (that of Ctrl-C, or a
                timer's) has interrupted a call, the answer to which may come yet.
        """
        if os.getpid() != self._pid:
            raise ExecutorError(
                "only the process that train was called in may report; got a report from a "
                "child of it. Return the value to train."
            )
        payload = pickle.dumps(Report(self._job_id, message))
        with self._lock:
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


def finish_with(replies: int, work: Any, state: Any, job: Job, tell: Tell) -> NoReturn:
    """Do the job, reply, and exit at once: neither threads nor cleaning up hold it."""
    exit_code = 1
    try:
        channel.write(replies, _call(work, state, job, tell))
        exit_code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        _exit(exit_code)


def _call(work: Any, state: Any, job: Job, tell: Tell) -> Finished:
    try:
        return Finished(job.id, work(state, job.argument, tell))
    except KeyboardInterrupt:
        return Finished(job.id, death="was interrupted")
    except BaseException as error:
        traceback.print_exc()
        return Finished(job.id, death=describe_error(error))


def _exit(exit_code: int) -> NoReturn:
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)
