"""What is needed to serve a view: addresses, open files, the data server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.dashboard.serve.server import check_address, running_data_server
from hparams_lab.errors import UsageError

RAISE = """
import resource
from hparams_lab.dashboard.serve.server import _raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
_raise_file_limit({files}, print)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def raise_limit(*, soft: int, hard: int, files: int) -> list[str]:
    """Return what is said, and the limit of open files in the end, of another process."""
    code = RAISE.format(soft=soft, hard=hard, files=files)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_limit_of_open_files_is_raised() -> None:
    """The soft limit becomes the hard one, and nothing is said if that suffices."""
    assert ["900"] == raise_limit(soft=256, hard=900, files=500)


def test_too_low_a_limit_is_reported() -> None:
    """A hard limit below the number of event files is told with what would do."""
    warning, limit = raise_limit(soft=256, hard=900, files=1_000)

    assert limit == "900"
    assert "1000 event files" in warning
    assert "`ulimit -Hn` to 1200" in warning


@pytest.mark.parametrize("port", [-1, 65_536])
def test_port_that_is_none_is_refused(port: int) -> None:
    """A port beyond what ports there are is reported."""
    with pytest.raises(UsageError, match=f"got {port}"):
        check_address("127.0.0.1", port)


def test_data_server_that_cannot_start_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the data server is no program, there is none, and TensorBoard reads by itself."""
    monkeypatch.setenv("TENSORBOARD_DATA_SERVER_BINARY", str(tmp_path / "missing"))
    with running_data_server(tmp_path, tmp_path / "port", reload_secs=1) as server:
        assert server is None


def test_data_server_that_ends_has_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A data server that ends at once has no address, and is not waited for."""
    monkeypatch.setenv("TENSORBOARD_DATA_SERVER_BINARY", "/bin/false")
    with running_data_server(tmp_path, tmp_path / "port", reload_secs=1) as server:
        assert server is not None
        assert server.wait_for_address() is None


def test_data_server_says_where_it_listens(tmp_path: Path) -> None:
    """The data server that TensorBoard brings listens on this machine alone."""
    with running_data_server(tmp_path, tmp_path / "port", reload_secs=1) as server:
        assert server is not None
        address = server.wait_for_address()

    assert address is not None
    assert address.startswith("127.0.0.1:")
