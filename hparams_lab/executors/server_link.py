"""The executor's end of a server process: starts it, sends to it, hears from it, ends it."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from typing import Any, BinaryIO

from hparams_lab.chatter import HeldOutput
from hparams_lab.errors import ExecutorError
from hparams_lab.executors import channel
from hparams_lab.executors.child import describe_exit, kill_group
from hparams_lab.executors.messages import Begin, Signal

# Not `-m`: the messages' classes must have the same name at both ends.
_SERVER = "from hparams_lab.executors.server import main; main()"

# A server whose input ends kills its children and ends at once.
_CLOSE_SECS = 1.0


class ServerLink:
    """A server process; its messages go to the executor's inbox, None after the last.

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

    def signal(self, message: Signal, *, forks: bool) -> None:
        """Send a signal to the server's jobs, or to its own group where it is the job."""
        if forks:
            self.send(message)
        elif not hasattr(os, "killpg"):
            self._process.send_signal(message.number)
        elif self._process.poll() is None:  # else its id may be another's by now
            kill_group(self._process.pid, message.number)

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


def _end_leftovers(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process's group once it has ended, so that its pipes close."""
    process.wait()
    kill_group(process.pid)
