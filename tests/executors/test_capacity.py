"""How many jobs there is room for. GPUs are named, not real."""

from pathlib import Path

import pytest

from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.executors.capacity import Capacity, count_usable_cpus, plan_capacity
from tests.support.fake_gpus import FAIL, FakeTool, put_fake_tool


@pytest.fixture(autouse=True)
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """No GPUs but those that a test names."""
    return put_fake_tool(tmp_path, monkeypatch)


def test_room_without_gpus() -> None:
    """Without GPUs there are as many workers as processors, but no more than runs."""
    assert Capacity(count_usable_cpus()) == plan_capacity()
    assert Capacity(1) == plan_capacity(max_runs=1)
    assert Capacity(64) == plan_capacity(num_workers=64)


def test_room_with_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """With GPUs there is a worker for each run that they are to have at a time."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(256))))
    devices = [str(index) for index in range(256)]

    assert Capacity(256, devices) == plan_capacity()
    assert Capacity(512, devices) == plan_capacity(runs_per_gpu=2)
    assert Capacity(9, devices) == plan_capacity(runs_per_gpu=2, max_runs=9)
    assert Capacity(3, devices) == plan_capacity(num_workers=3)


def test_fewer_gpus_than_processors_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told that GPUs hold the number of workers down, and how to have more."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr("hparams_lab.executors.capacity.count_usable_cpus", lambda: 8)

    assert plan_capacity().notice == (
        "1 run at a time, 1 on each of 1 GPU; more with --runs_per_gpu, or without GPUs with "
        "CUDA_VISIBLE_DEVICES="
    )
    assert "" == plan_capacity(max_runs=1).notice
    assert "" == plan_capacity(runs_per_gpu=8).notice


def test_too_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """More workers than the GPUs are to have runs are refused, with what would do."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    message = r"at most 2, which is 2 GPUs times --runs_per_gpu=1; got 5\. .*--runs_per_gpu=3"

    with pytest.raises(UsageError, match=message):
        plan_capacity(num_workers=5)


@pytest.mark.parametrize("named", [None, ""], ids=["no tool", "user says none"])
def test_nothing_to_share(named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are to share GPUs are refused where there are none."""
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)

    with pytest.raises(UsageError, match="--runs_per_gpu needs a GPU"):
        plan_capacity(runs_per_gpu=2)


def test_broken_driver_is_reported(fake_tool: FakeTool) -> None:
    """A driver that fails is told and not used, and an error where GPUs were asked for."""
    fake_tool.write(FAIL)

    assert count_usable_cpus() == plan_capacity().num_workers
    assert "runs have no GPUs, as nvidia-smi cannot say" in plan_capacity().notice
    with pytest.raises(ExecutorError, match="Mend the driver"):
        plan_capacity(runs_per_gpu=2)
