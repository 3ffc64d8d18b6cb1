"""The executor's end of a server process: starts it, sends to it, hears from it, ends it.

Where even the supervisor is dead, killed from outside, what the server started is found by a
mark in its environment, which no process can change that its parent gave it. That takes a
look at every process of this user: for the end of a server, not of each job.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from hparams_lab.errors import ExecutorError
from hparams_lab.executors.process import channel
from hparams_lab.executors.process.child import SIGKILL, describe_exit, kill_group
from hparams_lab.executors.process.messages import Begin, Signal
from hparams_lab.tf_noise import StderrBuffer

# Not `-m`: the messages' classes must have the same name at both ends.
_SERVER = "from hparams_lab.executors.process.server import run_server; run_server()"

# Loaded by its path, as with its package comes NumPy.
_KEEPER = Path(__file__).with_name("supervisor.py")
_HAS_KEEPER = sys.platform == "linux"

# A server whose input ends kills its children and ends at once, or is killed by its keeper
# after a second; what the keeper has to end takes longer only if a disk is broken.
_CLOSE_SECS = 5.0


class ServerLink:
    """A server process; its messages go to the executor's inbox, None after the last.

    On Linux the server's keeper stands between the two, and None comes only when all
    that has come of the server is gone.

    Args:
        begin: the first message to it.
        inbox: takes this object and a message of the server's each time.
        environment: of the server and so of its jobs.

    Raises:
        ExecutorError: if the process cannot be had.
    """

    def __init__(
        self,
        begin: Begin,
        inbox: queue.SimpleQueue[tuple[ServerLink | None, Any]],
        environment: dict[str, str],
    ) -> None:
        self.output = StderrBuffer()
        mark = make_mark()
        try:
            self._process, self._control = _start_process(self.output, environment | mark)
        except OSError as error:
            self.output.close()
            raise ExecutorError(
                f"cannot start a process: {error}. Use fewer --workers or --executor=inline."
            ) from error
        self.is_ready = False
        self.send(begin)
        forward = (self, self._process.stdout, inbox)
        threading.Thread(target=_forward, args=forward, daemon=True).start()
        self._watch = threading.Thread(
            target=_end_leftovers, args=(self._process, mark), daemon=True
        )
        self._watch.start()

    def send(self, message: Any) -> None:
        """Send a message; if the process is gone, its end of the pipe says so soon."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            channel.write(self._process.stdin.fileno(), message)

    def signal(self, message: Signal, *, forks: bool) -> None:
        """Send a signal to the server's jobs, or to its own group where it is the job."""
        if forks:
            self.send(message)
        elif self._control is not None:
            self._signal_server(message.number)
        elif not hasattr(os, "killpg"):
            self._process.send_signal(message.number)
        elif self._process.poll() is None:  # else its id may be another's by now
            kill_group(self._process.pid, message.number)

    def describe_end(self) -> str:
        """Return in words how the process ended."""
        return describe_exit(self._process.wait()).replace(" before train returned", "")

    def describe_end_of_job(self) -> str:
        """Return it where the process did its one job itself and did not report how that ended."""
        return describe_exit(self._process.wait())

    def close(self) -> None:
        """End the process and, with it, its children; a second time does nothing."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if not self.is_ready:
            self._kill_server()  # it would not listen before it is
        if self._control is not None:
            os.close(self._control)
            self._control = None
        self._watch.join(_CLOSE_SECS)
        if self._watch.is_alive():
            self._process.kill()
            self._watch.join()
        self.output.close()

    def _kill_server(self) -> None:
        if self._control is not None:
            self._signal_server(SIGKILL)
        else:
            self._process.kill()

    def _signal_server(self, number: int) -> None:
        assert self._control is not None
        with contextlib.suppress(BrokenPipeError):  # all is gone
            os.write(self._control, bytes([number]))


def _start_process(
    output: StderrBuffer, environment: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int | None]:
    """Start a server; return also the file descriptor that its keeper takes signals from."""
    if not _HAS_KEEPER:
        return _popen(_SERVER, output, environment, ()), None
    reading, control = os.pipe()
    keep = f"import runpy; runpy.run_path({str(_KEEPER)!r})['keep_child']({reading}, {os.getpid()})"
    try:
        return _popen(f"{keep}; {_SERVER}", output, environment, (reading,)), control
    except OSError:
        os.close(control)
        raise
    finally:
        os.close(reading)


def _popen(
    program: str, output: StderrBuffer, environment: dict[str, str], inherited: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output.file,
        env=environment,
        pass_fds=inherited,
        start_new_session=True,  # Ctrl-C is for the executor to pass on
    )


def _forward(
    server: ServerLink, stream: BinaryIO, inbox: queue.SimpleQueue[tuple[ServerLink | None, Any]]
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


def _end_leftovers(process: subprocess.Popen[bytes], mark: dict[str, str]) -> None:
    """Kill what is left of a process once it has ended, so that its pipes close."""
    process.wait()
    kill_group(process.pid)
    end_marked(mark)


_VARIABLE = "HPARAMS_LAB_SERVER"

# Each time some may be forked while the others are found and killed.
_MAX_LOOKS = 100


def make_mark() -> dict[str, str]:
    """Return a variable for an environment that no other process has."""
    return {_VARIABLE: secrets.token_hex(16)}


def find_marked(mark: dict[str, str]) -> set[int]:
    """Return the processes that live in an environment with this mark; on Linux alone."""
    ((name, value),) = mark.items()
    variable = f"{name}={value}".encode()
    return {
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if variable in _read_environment(folder)
    }


def end_marked(mark: dict[str, str]) -> None:
    """Kill the processes that live in an environment with this mark."""
    for _ in range(_MAX_LOOKS):
        left = find_marked(mark)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _read_environment(folder: Path) -> list[bytes]:
    """Return the variables that a process had from its parent; none of a dead one."""
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or gone
        return []
