"""`hparams_lab dashboard` as a program: what it serves, where it listens, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hparams_lab.runs.logdir import ExperimentDir
from hparams_lab.testing.executors import wait_until
from tests.conftest import PARABOLA, InlineLauncher
from tests.oracle import read_board
from tests.servers import TensorBoardServer, list_group, read_url, running

pytestmark = pytest.mark.slow

# Stands in for TensorFlow and leaves a note where it is asked for.
NOTING_TENSORFLOW = """
from pathlib import Path
Path(__file__).with_name("was_imported").touch()
raise ImportError("a dashboard needs no TensorFlow")
"""


@pytest.fixture
def home(launch_inline: InlineLauncher) -> ExperimentDir:
    """Return an experiment with a finished sweep of five trials."""
    return launch_inline(PARABOLA)


def words_for(home: ExperimentDir, *flags: str) -> list[str]:
    """Return the command line of a dashboard."""
    words = ["dashboard", home.name, f"--logdir={home.path.parent}", *flags]
    return [sys.executable, "-m", "hparams_lab", *words]


@pytest.fixture
def dashboard(
    home: ExperimentDir, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], TensorBoardServer]]:
    """Start a dashboard that would note an import of TensorFlow; return it and its server."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(NOTING_TENSORFLOW)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with running(words_for(home, "--port=0"), env=environment) as process:
        yield process, TensorBoardServer(read_url(process))


def test_it_serves_the_sweep_on_this_machine_without_tensorflow(
    dashboard: tuple[subprocess.Popen[str], TensorBoardServer], home: ExperimentDir, tmp_path: Path
) -> None:
    """The whole sweep is served, to this machine alone, and TensorFlow is never imported."""
    _, server = dashboard
    board = server.wait_for(lambda board: board.has_ended(5))
    port = int(server.url.rpartition(":")[2])

    assert read_board(home.path) == board
    assert server.url == f"http://127.0.0.1:{port}"
    # All of 127.0.0.0/8 is this machine: who listens on every address hears this one too.
    with pytest.raises(ConnectionRefusedError, match="refused"):
        socket.create_connection(("127.0.0.2", port))
    assert not (tmp_path / "tensorflow" / "was_imported").exists()


def test_interrupt_ends_it(
    dashboard: tuple[subprocess.Popen[str], TensorBoardServer],
) -> None:
    """Ctrl-C ends it with exit code 0 and without a traceback; no process is left."""
    process, _ = dashboard
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout is not None
    printed = process.stdout.read()

    assert process.wait() == 0
    assert "Traceback" not in printed
    wait_until(lambda: list_group(process.pid) == [])


def test_port_in_use_is_one_line(home: ExperimentDir) -> None:
    """A port that is in use is told in one line, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = words_for(home, f"--port={port}")
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()

    assert done.returncode == 2
    assert line.startswith(f"hparams_lab: TensorBoard cannot listen on 127.0.0.1:{port}")
    assert line.endswith("Choose another --port.")


@pytest.mark.parametrize(
    "flags",
    [["--port=-1"], ["--port=65536"], ["--port=0", "--host=no.such.host.invalid"]],
    ids=["below", "above", "host"],
)
def test_impossible_address_is_one_line(flags: list[str], home: ExperimentDir) -> None:
    """A port or a host that cannot be is told in one line, with exit code 2."""
    words = words_for(home, *flags)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()

    assert done.returncode == 2
    assert line.startswith("hparams_lab: ")
    assert flags[-1].partition("=")[2] in line


def test_termination_ends_it(
    dashboard: tuple[subprocess.Popen[str], TensorBoardServer],
) -> None:
    """A SIGTERM to it alone, as a service manager sends it, ends its data server too."""
    process, _ = dashboard
    process.terminate()

    assert process.wait() == 0
    wait_until(lambda: list_group(process.pid) == [])
