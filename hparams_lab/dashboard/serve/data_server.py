"""TensorBoard's data server, started before TensorBoard itself is imported.

TensorBoard starts it when it is ready and then asks in steps of half a second whether it
is; started first, it reads the event files in the meantime.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

# As TensorBoard has it (data/server_ingester.py).
_BINARY_VARIABLE = "TENSORBOARD_DATA_SERVER_BINARY"

_HOST = "127.0.0.1"
_START_SECS = 10.0
_POLL_SECS = 0.005


class DataServer:
    """A data server that is starting, or has started.

    Args:
        process: of the server.
        port_file: where it writes its port.
    """

    def __init__(self, process: subprocess.Popen[bytes], port_file: Path) -> None:
        self._process = process
        self._port_file = port_file

    def wait_for_address(self) -> str | None:
        """Return where it listens, as host:port; None if it does not start."""
        deadline = time.monotonic() + _START_SECS
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                text = self._port_file.read_text()
                if text.endswith("\n"):
                    return f"{_HOST}:{text.strip()}"
            time.sleep(_POLL_SECS)
        return None


@contextlib.contextmanager
def running_data_server(
    logdir: Path, port_file: Path, *, reload_secs: int
) -> Iterator[DataServer | None]:
    """Start a data server, and end it; None where this platform has none.

    Args:
        logdir: that it reads, also while that changes.
        port_file: where it writes its port; there must be none.
        reload_secs: how long it waits between two looks.
    """
    binary = _find_binary()
    if binary is None:
        yield None
        return
    words = [
        *(binary, f"--logdir={logdir}", f"--reload={reload_secs}", f"--host={_HOST}"),
        *("--port=0", f"--port-file={port_file}", "--die-after-stdin"),
    ]
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE)
    except OSError:  # not for this machine
        yield None
        return
    try:
        yield DataServer(process, port_file)
    finally:
        process.kill()  # it only reads
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _find_binary() -> str | None:
    named = os.environ.get(_BINARY_VARIABLE)
    if named:
        return named
    try:
        import tensorboard_data_server  # type: ignore[import-untyped]  # ships none
    except ImportError:
        return None
    return tensorboard_data_server.server_binary()  # type: ignore[no-any-return]
