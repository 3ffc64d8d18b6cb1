"""Several machines on one URL: processes that die, a network that fails, the same second."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.remote.store import Store
from hparams_lab.testing.executors import wait_until
from tests.support.machines import TIMEOUT_SECS, Gates, Machine, make_machines
from tests.support.oracle import count_configs, read_board
from tests.support.s3 import S3, Cable

pytestmark = pytest.mark.slow

RUN = ("run", "steps", "--workers=1")


@pytest.fixture
def cable(s3: S3) -> Iterator[Cable]:
    """What the first machine reaches the store by."""
    cable = Cable(s3.endpoint)
    yield cable
    cable.cut()


@pytest.fixture
def machines(tmp_path: Path, s3: S3, cable: Cable) -> list[Machine]:
    """Three machines, the first of which hangs on the cable."""
    first, *others = make_machines(tmp_path, s3.make_bucket(), s3.environment)
    # So that what cannot be reached is given up sooner than one would.
    hasty = {"AWS_ENDPOINT_URL_S3": cable.endpoint, "AWS_MAX_ATTEMPTS": "1"}
    environment = {**first.environment, **hasty}
    return [Machine(first.folder, first.experiments, first.url, environment), *others]


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    """What the runs wait for."""
    return Gates(tmp_path / "experiments")


def _show(machine: Machine) -> dict[str, Any]:
    """Return what a machine shows of the newest sweep."""
    shown = machine.run("show", "steps", "--format=json")
    assert 0 == shown.returncode, shown.stderr
    return dict(json.loads(shown.stdout))


def _list_statuses(machine: Machine) -> list[str]:
    return sorted(trial["status"] for trial in _show(machine)["trials"])


def test_runs_are_seen_while_they_run(machines: list[Machine], gates: Gates) -> None:
    """What has ended, and what is running, is seen here at once, elsewhere within the interval."""
    first, second, _ = machines
    process = first.start(*RUN)
    gates.open(0)
    wait_until(lambda: gates.has_begun(1))
    wait_until(lambda: _count_event_files(first) >= 2)
    statuses = [_list_statuses(first), _list_statuses(second)]
    gates.open_all()
    process.communicate(timeout=TIMEOUT_SECS)

    assert [["RUNNING", "SUCCESS"]] * 2 == statuses
    assert ["SUCCESS"] * 4 == _list_statuses(second)


def _count_event_files(machine: Machine) -> int:
    return sum("tfevents.1" in name for name in Store(machine.url).list())


def test_a_dead_machines_sweep_goes_on_elsewhere(machines: list[Machine], gates: Gates) -> None:
    """A sweep whose driver was killed is taken over by another machine, each run once."""
    first, second, third = machines
    process = first.start(*RUN)
    gates.open(0)
    wait_until(lambda: gates.has_begun(1))
    wait_until(lambda: _count_event_files(first) >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=TIMEOUT_SECS)
    gates.open_all()
    refused = second.run("resume", "steps")
    taken = second.run("resume", "steps", "--take_over")

    assert (2, True) == (refused.returncode, "holds steps/" in refused.stderr)
    assert 0 == taken.returncode, taken.stderr
    assert ["SUCCESS"] * 4 == _list_statuses(third)
    # Also on the machine that died, which has put aside what it had not sent.
    assert _show(third)["trials"] == _show(first)["trials"]


def test_a_network_that_fails_costs_nothing(
    machines: list[Machine], gates: Gates, cable: Cable
) -> None:
    """What could not be sent for a while is sent afterwards, and it was told once."""
    first, second, _ = machines
    process = first.start(*RUN)
    wait_until(lambda: gates.has_begun(0))
    cable.cut()
    gates.open_all()
    wait_until(lambda: gates.has_begun(3))
    cable.mend()
    _, err = process.communicate(timeout=TIMEOUT_SECS)

    assert 0 == process.returncode, err
    assert err.count("cannot use s3://") <= 2  # of files, and of the lease
    assert ["SUCCESS"] * 4 == _list_statuses(second)


def test_what_cannot_be_sent_is_kept(machines: list[Machine], gates: Gates, cable: Cable) -> None:
    """A sweep that ends without a network says where its results are, and sends them later."""
    first, second, _ = machines
    process = first.start(*RUN)
    wait_until(lambda: gates.has_begun(0))
    cable.cut()
    gates.open_all()
    out, err = process.communicate(timeout=TIMEOUT_SECS)
    code = process.returncode
    cable.mend()
    listed = first.run("list")

    assert (2, 0) == (code, listed.returncode)
    assert "4 SUCCESS" in out or "[4/4]" in out
    assert f"All of it is kept in {first.folder}" in err
    assert ["SUCCESS"] * 4 == _list_statuses(second)


def test_sweeps_of_one_second_share_nothing(machines: list[Machine], gates: Gates) -> None:
    """Two machines that begin at once have a sweep each, and one config with both."""
    gates.open_all()
    words = [[*RUN, "--set=x=0,1"], [*RUN, "--set=x=2,3"]]
    processes = [machine.start(*each) for machine, each in zip(machines, words, strict=False)]
    codes = [
        (process.communicate(timeout=TIMEOUT_SECS), process.returncode)[1] for process in processes
    ]
    where: Any = f"{machines[0].url}/steps"
    values = read_board(where).experiment.hparam_infos[0].domain_discrete

    assert [0, 0] == codes
    assert 2 == sum(name.endswith("sweep.json") for name in Store(where).list())
    assert 1 == count_configs(where)
    assert [0.0, 1.0, 2.0, 3.0] == sorted(values)


def test_a_clusters_runs_send_what_they_write(machines: list[Machine], gates: Gates) -> None:
    """Runs on a cluster, which share no folder with the driver, are all there in the end."""
    gates.open_all()
    ended = machines[1].run("run", "steps", "--executor=ray", "--ray_address=local", "--workers=2")

    assert 0 == ended.returncode, ended.stderr
    assert ["SUCCESS"] * 4 == _list_statuses(machines[2])
