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

from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.testing.executors import wait_until
from tests.conftest import PARABOLA, InlineLauncher
from tests.support.oracle import read_board
from tests.support.servers import TensorBoardServer, list_group, read_url, running

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

    expected = read_board(home.path)
    assert (expected.experiment, expected.trial_ids) == (board.experiment, board.trial_ids)
    assert expected.column("loss") == board.column("loss")
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


def read_view(process: subprocess.Popen[str]) -> Path:
    """Return the directory of the view that a dashboard prints, behind the URL."""
    assert process.stdout is not None
    (line,) = (line for line in iter(process.stdout.readline, "Ctrl-C ends it.\n") if "/hp" in line)
    return Path(line.rpartition(": ")[2].strip())


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_view_goes_with_the_dashboard(
    number: signal.Signals, dashboard: tuple[subprocess.Popen[str], TensorBoardServer]
) -> None:
    """The view's directory is there as long as the dashboard is, however that is ended."""
    process, _ = dashboard
    view_dir = read_view(process)
    was_there = view_dir.is_dir()
    process.send_signal(number)
    process.wait()

    assert was_there
    assert not view_dir.exists()


@pytest.mark.parametrize(
    ("flags", "num_rows"),
    [
        (["--top=2"], 2),
        (["--where=x > 0"], 3),
        (["--where=x > 0", "--top=1"], 1),
        (["--max_runs=4"], 3),
        (["--since=2026-01-01", "--until=2100-01-01"], 5),
    ],
    ids=["top", "where", "both", "limit", "time"],
)
def test_selection_is_served(flags: list[str], num_rows: int, home: ExperimentDir) -> None:
    """What the flags select is served, and no more."""
    with running(words_for(home, "--port=0", *flags)) as process:
        server = TensorBoardServer(read_url(process))
        board = server.wait_for(lambda board: len(board.session_groups) >= num_rows)

    assert board.has_ended(num_rows)


def test_without_a_data_server_tensorboard_reads_by_itself(home: ExperimentDir) -> None:
    """Where there is no data server, all is served all the same, only later."""
    environment = {**os.environ, "TENSORBOARD_DATA_SERVER_BINARY": "/no/such/program"}
    with running(words_for(home, "--port=0"), env=environment) as process:
        server = TensorBoardServer(read_url(process))
        server.wait_for(lambda board: board.has_ended(5))
        # Its runs are loaded one after the other, and what has the columns may come last.
        expected = read_board(home.path).experiment

        assert server.wait_for(lambda board: board.experiment == expected)


def test_what_is_left_out_is_reported(home: ExperimentDir) -> None:
    """Runs beyond the limit are counted, with the flags that show them."""
    with running(words_for(home, "--port=0", "--max_runs=4")) as process:
        assert process.stdout is not None
        lines = [*iter(process.stdout.readline, "Ctrl-C ends it.\n")]

    assert [True] == ["2 older runs" in line for line in lines if "--max_runs=0" in line]


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
    [
        ["--port=-1"],
        ["--port=65536"],
        ["--port=0", "--host=no.such.host.invalid"],
        ["--port=0", "--host=192.0.2.1"],
    ],
    ids=["below", "above", "no host", "host elsewhere"],
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
