"""Serving TensorBoard from this process, without TensorFlow."""

from __future__ import annotations

import socket
import sys
import types
from pathlib import Path

from hparams_lab.chatter import quiet_stderr
from hparams_lab.errors import UsageError

_MAX_PORT = 65535


def serve(logdir: Path, *, host: str = "127.0.0.1", port: int | None = None) -> str:
    """Serve TensorBoard on a log directory in the background and return its URL.

    Args:
        logdir: of one experiment: TensorBoard shows one `hparams_config`, whichever of
            several it meets first.
        host: address to listen on; the default is reached from this machine alone.
        port: to listen on, 0 for any free one, None for the first free one from 6006.

    Raises:
        UsageError: if TensorBoard cannot listen there.
    """
    if port is not None and not 0 <= port <= _MAX_PORT:
        raise UsageError(f"--port must lie in [0, {_MAX_PORT}]; got {port}. Choose another.")
    try:
        socket.getaddrinfo(host, port)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--host must be an address of this machine; got {host!r} ({error}). Use 127.0.0.1."
        ) from error
    _leave_out_tensorflow()
    # After the switch above, as these look for TensorFlow when they are imported.
    from tensorboard import default, program

    board = program.TensorBoard(plugins=default.get_plugins())
    arguments = ["--logdir", str(logdir), "--host", host]
    if port is not None:
        arguments += ["--port", str(port)]
    board.configure(argv=["tensorboard", *arguments])
    try:
        with quiet_stderr():
            return f"{board.launch()}#hparams"
    except program.TensorBoardServerException as error:
        raise UsageError(
            f"TensorBoard cannot listen on {host}:{port}: {' '.join(error.msg.split())} "
            "Choose another --port."
        ) from error


def _leave_out_tensorflow() -> None:
    # TensorBoard's own switch (tensorboard/compat/__init__.py): where this module can be
    # imported, it reads files by itself and does not spend seconds on TensorFlow.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))
