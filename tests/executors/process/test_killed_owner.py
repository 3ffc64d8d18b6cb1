"""What becomes of an executor's processes when its own is killed, whatever they do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hparams_lab.testing.executors import is_alive, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps orphans"),
]

OWN = """
import sys
from pathlib import Path
from tests.support.owners import own

own(Path(sys.argv[1]), sys.argv[2])
"""

STATES = [
    "loading",
    "loading_in_c",
    "fork",
    "fork_in_c",
    "new_interpreter",
    "new_interpreter_in_c",
    "beside_a_fork",
]


@pytest.fixture
def owner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[psutil.Process]:
    """The owner of an executor in a state, leading a process group."""
    command = [sys.executable, "-c", OWN, str(tmp_path), request.param]
    with subprocess.Popen(command, start_new_session=True) as process:
        file = tmp_path / "daemon.pid"
        try:
            wait_until(lambda: file.exists() and bool(file.read_text()))
            yield psutil.Process(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def list_tree(owner: psutil.Process) -> set[int]:
    """Return all processes that have come of the executor, its daemons too.

    Not those of the owner's group: what it has forked itself is its own.
    """
    tree = {each.pid for each in owner.children(recursive=True)}
    return {pid for pid in tree if os.getpgid(pid) != owner.pid}


@pytest.mark.parametrize("owner", STATES, indirect=True)
def test_nothing_outlives_a_killed_owner(owner: psutil.Process, tmp_path: Path) -> None:
    """When the owner is killed, all is gone within five seconds, daemons too."""
    tree = list_tree(owner)
    owner.kill()

    assert int((tmp_path / "daemon.pid").read_text()) in tree
    assert len(tree) >= 3
    wait_until(lambda: not any(map(is_alive, tree)), timeout_secs=5.0)


@pytest.mark.parametrize("owner", ["loading", "fork", "new_interpreter"], indirect=True)
def test_nothing_outlives_a_killed_group(owner: psutil.Process) -> None:
    """When the owner's whole process group is killed, all is gone within five seconds."""
    tree = list_tree(owner)
    os.killpg(owner.pid, signal.SIGKILL)

    assert len(tree) >= 3
    wait_until(lambda: not any(map(is_alive, tree)), timeout_secs=5.0)
