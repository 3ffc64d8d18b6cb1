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
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            if own := strip_chatter(held.read()):
                os.write(2, own)


def remove_if_only_chatter(path: Path) -> None:
    """Delete an output file that holds nothing but chatter, or nothing at all."""
    with contextlib.suppress(FileNotFoundError):
        short = path.stat().st_size <= _MAX_CHATTER_BYTES
        if short and not strip_chatter(path.read_bytes()).strip():
            path.unlink()
