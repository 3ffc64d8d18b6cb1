"""Keeping the start-up chatter of TensorFlow and TensorBoard off stderr, and nothing else.

TensorFlow writes these lines from C++ before any log level of Python's applies. What
matches none of the patterns is passed on, so a real error is never swallowed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IW]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ \w+\.cc:\d+\]"  # info and warnings of absl's C++ logging
    rb"|E\d{4} .*\] failed call to cuInit"  # a machine without a GPU is not an error
    rb"|\d{4}-\d\d-\d\d .*: [IW] (tensorflow|external)/"  # the same in older releases
    rb"|To enable the following instructions: "
    # TensorBoard's advice on its fast loader, three lines (data/server_ingester.py).
    rb"|NOTE: Using experimental fast data loading logic"
    rb'|    "--load_fast=false" and report issues'
    rb"|    https://github.com/tensorflow/tensorboard/issues/4784"
)

# A longer output is somebody's own, not worth reading for chatter.
_MAX_CHATTER_BYTES = 8192

_MAX_READ_BYTES = 1 << 20


def strip_chatter(output: bytes) -> bytes:
    """Return `output` without the lines that are chatter."""
    lines = output.splitlines(keepends=True)
    return b"".join(line for line in lines if line.strip() and not _CHATTER.match(line))


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to stderr inside, then pass on what is not chatter.

    It works on the file descriptor, as C++ writes there. Not for code that may be
    killed: what is held back would be lost.
    """
    try:
        real = os.dup(2)
    except OSError:  # closed, as by `2>&-`
        yield
        return
    _flush_stderr()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush_stderr()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            _write_stderr(strip_chatter(held.read()))


def _flush_stderr() -> None:
    if sys.stderr is not None:  # None where it was closed before Python started
        sys.stderr.flush()


class StderrBuffer:
    """Takes another process's stderr, and passes on line by line what is not chatter.

    What that process wrote is here also when it dies over it.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._num_read = 0
        self._rest = b""

    def pass_on(self) -> None:
        """Write the lines that have come since the last time to this process's stderr.

        Where the system cannot read beside a writer, they come with `close`.
        """
        if not hasattr(os, "pread"):
            return
        # Not seek and read: the other process writes at the offset that both share.
        content = os.pread(self.file.fileno(), _MAX_READ_BYTES, self._num_read)
        self._num_read += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        _write_stderr(strip_chatter(b"".join(line + b"\n" for line in lines)))

    def close(self) -> None:
        """Pass on the rest, and forget the file; a second time does nothing."""
        if not self.file.closed:
            self.pass_on()
            self.file.seek(self._num_read)
            _write_stderr(strip_chatter(self._rest + self.file.read()))
            self.file.close()


def _write_stderr(content: bytes) -> None:
    with contextlib.suppress(OSError):  # closed, as by `2>&-`
        while content:
            content = content[os.write(2, content) :]


def remove_if_only_chatter(path: Path) -> None:
    """Delete an output file that holds nothing but chatter, or nothing at all."""
    with contextlib.suppress(FileNotFoundError):
        short = path.stat().st_size <= _MAX_CHATTER_BYTES
        if short and not strip_chatter(path.read_bytes()).strip():
            path.unlink()
