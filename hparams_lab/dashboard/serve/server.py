"""Serving TensorBoard from this process, without TensorFlow.

TensorBoard starts it when it is ready and then asks in steps of half a second whether it
is; started first, it reads the event files in the meantime.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hparams_lab.dashboard.view.finder import Warn
from hparams_lab.dashboard.view.view import View
from hparams_lab.errors import UsageError
from hparams_lab.tf_noise import quiet_stderr

_MAX_PORT = 65535

# How long TensorBoard waits between two looks at the view.
_RELOAD_SECS = 1

# What TensorBoard opens besides event files: connections, libraries, assets.
_OTHER_FILES = 200


@contextlib.contextmanager
def serving(
    view: View,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    warn: Warn = lambda sentence: None,
) -> Iterator[str]:
    """Serve TensorBoard on a view in the background; gives its URL, with a slash at its end.

    Args:
        view: what is shown.
        host: address to listen on; the default is reached from this machine alone.
        port: to listen on, 0 for any free one, None for the first free one from 6006.
        warn: is called if the system allows too few open files for all runs.

    Raises:
        UsageError: if TensorBoard cannot listen there.
    """
    check_address(host, port)
    _raise_file_limit(view.num_event_files, warn)
    port_file = view.path.with_name("data_server_port")
    port_file.unlink(missing_ok=True)  # of one that has ended
    with running_data_server(view.path, port_file, reload_secs=_RELOAD_SECS) as data_server:
        _leave_out_tensorflow()
        # After the switch above, as these look for TensorFlow when they are imported; and
        # while the data server reads.
        from tensorboard import default, program
        from tensorboard.util import tb_logging

        from hparams_lab.dashboard.serve.assets import Assets, provide_page
        from hparams_lab.dashboard.serve.live import LivePage

        servers = []

        def make_server(app: Any, flags: Any) -> Any:
            page = LivePage(app, view, Assets(flags))
            servers.append(program.create_port_scanning_werkzeug_server(page, flags))
            return servers[0]

        tb_logging.get_logger().setLevel("ERROR")  # that a run is gone needs no warning
        board = program.TensorBoard(default.get_plugins(), provide_page, make_server)
        address = data_server and data_server.wait_for_address()
        words = ["tensorboard", "--host", host, f"--reload_interval={_RELOAD_SECS}"]
        words += [f"--logdir={view.path}", "--load_fast=false"]
        if address:
            words += [f"--grpc_data_provider={address}"]
        if port is not None:
            words += ["--port", str(port)]
        board.configure(argv=words)
        try:
            with quiet_stderr():
                url = board.launch()
        except program.TensorBoardServerException as error:
            raise UsageError(
                f"TensorBoard cannot listen on {host}:{port}: {' '.join(error.msg.split())} "
                "Choose another --port."
            ) from error
        try:
            yield url
        finally:
            servers[0].shutdown()  # its own thread then closes it


def check_address(host: str, port: int | None) -> None:
    """Make sure that one could listen there, if it is free.

    Raises:
        UsageError: if the port or the host is none.
    """
    if port is not None and not 0 <= port <= _MAX_PORT:
        raise UsageError(f"--port must lie in [0, {_MAX_PORT}]; got {port}. Choose another.")
    try:
        family, *_, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.bind((address[0], 0))  # else TensorBoard's web server exits by itself
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--host must be an address of this machine; got {host!r} ({error}). Use 127.0.0.1."
        ) from error


def _raise_file_limit(num_event_files: int, warn: Warn) -> None:
    """Let TensorBoard keep every event file open, as it does; it shows no run beyond that."""
    try:
        import resource
    except ImportError:  # as on Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    needed = num_event_files + _OTHER_FILES
    if soft not in (-1, resource.RLIM_INFINITY) and soft < needed:
        warn(
            f"TensorBoard keeps {num_event_files} event files open, but the system allows it "
            f"{soft} open files, so some runs stay empty. Raise `ulimit -Hn` to {needed}, or show "
            "fewer runs by --max_runs."
        )


def _leave_out_tensorflow() -> None:
    # TensorBoard's own switch (tensorboard/compat/__init__.py): where this module can be
    # imported, it reads files by itself and does not spend seconds on TensorFlow.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))


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
