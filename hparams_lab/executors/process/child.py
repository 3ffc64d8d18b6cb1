"""A process of jobs as its parent knows it: what it does and says, and how it ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

from hparams_lab.executors.process import channel

# Windows knows one way to end a process.
SIGKILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass
class Child:
    """A process of jobs, as the server knows it; what it sends is passed on still pickled."""

    job_id: int | None  # of the job it does; None while it waits for one
    pid: int  # its id, and its group's
    inbox: channel.Inbox  # takes the ends of its jobs
    reports: channel.Inbox  # takes what its jobs ask; what they are answered goes back there
    environment: Mapping[str, str]  # that its jobs ask for
    replies: list[bytes] = field(default_factory=list)  # what the inbox has taken of this job
    is_signalled: bool = False  # whether it was sent a signal, after which it gets no other job

    @property
    def is_idle(self) -> bool:
        """Whether it can be given a job."""
        return self.job_id is None and not self.is_signalled

    def signal(self, number: int) -> None:
        """Send a signal to it and what its job has started."""
        self.is_signalled = True
        kill_group(self.pid, number)

    def take_replies(self) -> None:
        """Read what it has sent to the inbox before it died."""
        while not self.inbox.is_closed and _is_readable(self.inbox.fd):
            self.replies += self.inbox.receive()


def describe_exit(exit_code: int) -> str:
    """Return in words how a process ended that said nothing before.

    Args:
        exit_code: negative for a signal, as in `subprocess`.

    Example:
        >>> describe_exit(-9), describe_exit(3)
        ('was killed by SIGKILL', 'exited with code 3 before train returned')
    """
    if exit_code >= 0:
        return f"exited with code {exit_code} before train returned"
    try:
        return f"was killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was killed by signal {-exit_code}"


def kill_group(pid: int, number: int = SIGKILL) -> None:
    """Send a signal to a process group that may be gone."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
            os.killpg(pid, signal.SIGCONT)  # a stopped process takes only SIGKILL before


def _is_readable(fd: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        return bool(selector.select(timeout=0))
