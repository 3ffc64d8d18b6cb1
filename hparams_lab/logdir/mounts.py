"""Which directories here stand for log directories elsewhere: a table, as of mounted disks.

    s3://bucket/logs ◀── remote ──▶ <mirror> ◀── everything else, by its paths

Callers look up here whether a directory mirrors a URL;
of any other directory the answer is nothing. What is mounted, and how, is not known here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from hparams_lab.errors import UsageError


class Mount(ABC):
    """A local directory that stands for a log directory elsewhere.

    Attributes:
        url: of the log directory, without a slash at its end.
        root: the directory that stands for it, absolute.
        is_written_by_nodes: whether runs write to the URL from other machines.
        takes_over: whether sweeps are held that another machine holds.
    """

    url: str
    root: Path
    is_written_by_nodes = False
    takes_over = False

    @abstractmethod
    def hold(self, sweep_dir: Path) -> AbstractContextManager[None]:
        """Keep other machines from running a sweep, which no other process here runs.

        Raises:
            LogdirError: if one does and is not taken over, or the URL cannot be reached.
        """

    @abstractmethod
    def is_held(self, sweep_dir: Path) -> bool:
        """Return whether another machine runs a sweep, as far as can be known."""

    @abstractmethod
    def exchange(self) -> bool:
        """Send what was written and get what is new; return whether a sweep is, or is gone.

        Raises:
            LogdirError: if the URL cannot be reached.
        """

    @abstractmethod
    def fetch(self, folder: Path) -> None:
        """Get what nodes have written into a folder, where there are any.

        Raises:
            LogdirError: if the URL cannot be reached.
        """

    @abstractmethod
    def close(self) -> None:
        """Send what was written and end; nothing is to be written afterwards.

        Raises:
            LogdirError: if something could not be sent. It is kept here.
        """


_MOUNTS: dict[str, Mount] = {}

# Outlives them, for what is said when all is over.
_ROOTS: dict[str, str] = {}


def add_mount(mount: Mount) -> None:
    """Have a directory stand for a URL from now on."""
    _MOUNTS[mount.url] = mount
    _ROOTS[mount.url] = str(mount.root)


def find_mount(url: str) -> Mount | None:
    """Return the mount of a URL, as it is written in `Mount.url`; None if there is none."""
    return _MOUNTS.get(url)


def mount_of(path: Path) -> Mount | None:
    """Return the mount that a path lies in, None if it lies in none."""
    return next((each for each in _MOUNTS.values() if path.is_relative_to(each.root)), None)


def take_over(path: Path) -> None:
    """Let sweeps at or below a path be held that another machine holds.

    Raises:
        UsageError: if the path lies in no mount: here the system knows who holds a sweep.
    """
    mount = mount_of(path)
    if mount is None:
        raise UsageError(
            f"--take_over is for a log directory that is a URL; got {path}. Leave it out: on one "
            "machine a dead process holds nothing."
        )
    mount.takes_over = True


def remove_mount(mount: Mount) -> None:
    """Close a mount, and take it off the table however that goes.

    Raises:
        LogdirError: as `Mount.close`.
    """
    _MOUNTS.pop(mount.url, None)
    mount.close()


def remove_mounts() -> None:
    """Close all mounts.

    Raises:
        LogdirError: as `Mount.close`.
    """
    with ExitStack() as stack:
        for mount in [*_MOUNTS.values()]:
            stack.callback(remove_mount, mount)


def in_terms_of_urls(text: str) -> str:
    """Return a text with the URL for each directory in it that stands for one.

    Example:
        >>> in_terms_of_urls("logged in /home/me/logs")
        'logged in /home/me/logs'
    """
    for url, root in _ROOTS.items():
        text = text.replace(root, url)
    return text


def in_terms_of_paths(text: str) -> str:
    """Return a text with the directory for each URL in it that one stands for."""
    for url, root in _ROOTS.items():
        text = text.replace(url, root)
    return text
