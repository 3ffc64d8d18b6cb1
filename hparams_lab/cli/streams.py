"""The standard streams of the program, which may be closed, full or read by nobody."""

from __future__ import annotations

import io
import os
import sys

_STDERR = 2


def prepare_streams() -> None:
    """Open those that are closed, and let them take any file name."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may hold what UTF-8 does not
            stream.reconfigure(errors="backslashreplace")


def discard_stdout() -> None:
    """Throw away what is printed from now on: whoever read it is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _open_closed_streams() -> None:
    """Open what is closed of stdin, stdout and stderr, as for daemons: it leads nowhere.

    Else the next files to be opened, those of a sweep, would take their places.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        os.set_inheritable(fd, True)
    os.close(fd)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - as long as the program
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 - likewise
