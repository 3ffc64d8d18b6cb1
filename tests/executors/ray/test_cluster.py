"""Tests of joining a Ray cluster and of what has room there, without one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.executors.ray.cluster import Cluster
from hparams_lab.executors.ray.resources import Resources


@pytest.mark.parametrize(
    ("need", "resources", "room"),
    [
        (Resources(), {"CPU": 4.0}, 4),
        (Resources(), {}, 0),
        (Resources(2.0), {"CPU": 5.0}, 2),
        (Resources(0.1), {"CPU": 1.0}, 10),
        (Resources(1.0, 1.0), {"CPU": 8.0, "GPU": 2.0}, 2),
        (Resources(1.0, 1.0), {"CPU": 8.0}, 0),
        (Resources(0.5, 0.5), {"CPU": 8.0, "GPU": 2.0}, 4),
        (Resources(0.5, 0.4), {"CPU": 8.0, "GPU": 2.0}, 4),
        (Resources(1.0, 2.0), {"CPU": 8.0, "GPU": 5.0}, 2),
        (Resources(4.0, 0.5), {"CPU": 4.0, "GPU": 2.0}, 1),
    ],
    ids=str,
)
def test_room_is_counted(need: Resources, resources: dict[str, float], room: int) -> None:
    """A node has room for as many runs as have processors, and each its GPUs or share of one."""
    assert room == need.count_in(resources)


@pytest.mark.parametrize(
    ("cpus", "gpus", "message"),
    [
        (0.00001, 0.0, r"--cpus_per_run must be at least 0\.0001; got 1e-05"),
        (1.0, 1.5, r"--gpus_per_run must be whole above 1; got 1\.5"),
    ],
    ids=["cpus", "gpus"],
)
def test_what_ray_cannot_count_is_refused(cpus: float, gpus: float, message: str) -> None:
    """What Ray could not account for exactly is refused."""
    with pytest.raises(UsageError, match=message):
        Resources(cpus, gpus)


ADDRESSES = {
    "nobody": ("127.0.0.1:9", ExecutorError, "cannot join the Ray cluster at 127.0.0.1:9 from"),
    "client": ("ray://127.0.0.1:9", UsageError, "by ray job submit"),
    "words": ("not an address", ExecutorError, "not an address.*mend --ray_address"),
}


@pytest.mark.parametrize(("address", "kind", "message"), ADDRESSES.values(), ids=ADDRESSES)
def test_address_that_is_none_is_refused(address: str, kind: type[Exception], message: str) -> None:
    """An address at which there is no cluster is refused at once, by name."""
    with pytest.raises(kind, match=message):
        Cluster(address)


def test_missing_ray_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ray it is said what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(ExecutorError, match=r"needs Ray: .*pip install 'hparams_lab\[ray\]'"):
        Cluster(None)


@pytest.mark.slow
def test_ray_is_imported_by_those_who_use_it() -> None:
    """Neither the package nor the command that runs sweeps imports Ray."""
    program = (
        "import sys, hparams_lab.cli.commands.run, hparams_lab.executors.ray.executor; "
        "sys.exit('ray' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
