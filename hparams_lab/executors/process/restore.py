"""What a job may change of its process, put back before the next job of that process.

Not what lives in Python's modules or in those of C: that is why processes are kept, and
who keeps them accepts it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading

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
