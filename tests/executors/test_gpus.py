"""Which GPUs there are, and how they are divided. They are named, not real."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.errors import ExecutorError
from hparams_lab.executors import capacity
from hparams_lab.executors.capacity import GpuShares, find_gpus
from tests.support.fake_gpus import (
    A100,
    DIVIDED_LISTING,
    FAIL,
    H100,
    LISTING,
    MIG_0,
    MIG_1,
    FakeTool,
    print_listing,
    put_fake_tool,
)


@pytest.fixture(autouse=True)
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """No GPUs but those that a test names."""
    return put_fake_tool(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("0,1", ["0", "1"]),
        (f" {A100} , 3", [A100, "3"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),
        ("2,2", ["2"]),
    ],
)
def test_user_names_the_gpus(
    named: str, expected: list[str], fake_tool: FakeTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA_VISIBLE_DEVICES is read as CUDA does, and nvidia-smi is not asked then."""
    fake_tool.write("exit 9")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)

    assert expected == find_gpus()


def test_no_tool_is_no_gpu(fake_tool: FakeTool) -> None:
    """Where there is no nvidia-smi there are no GPUs."""
    assert [] == find_gpus()


@pytest.mark.parametrize(
    ("listing", "exit_code", "expected"),
    [
        pytest.param(LISTING, 0, [A100, H100], id="whole"),
        pytest.param(DIVIDED_LISTING, 0, [MIG_0, MIG_1, H100], id="divided"),
        pytest.param("No devices were found", 6, [], id="none"),
    ],
)
def test_tool_lists_gpus(
    listing: str, exit_code: int, expected: list[str], fake_tool: FakeTool
) -> None:
    """The GPUs that nvidia-smi lists are found, parts of them instead of a divided one."""
    fake_tool.write(print_listing(listing, exit_code))

    assert expected == find_gpus()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(FAIL, "with the NVIDIA driver. Mend", id="broken"),
        pytest.param("exit 3", "exit code 3", id="silent"),
        pytest.param("while :; do :; done", "timed out", id="hangs"),
    ],
)
def test_failing_tool_is_reported(
    script: str, message: str, fake_tool: FakeTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An nvidia-smi that fails is an error that says why, and what to do."""
    monkeypatch.setattr(capacity, "_TOOL_SECS", 0.5)
    fake_tool.write(script)

    with pytest.raises(ExecutorError, match=message):
        find_gpus()


@settings(deadline=None)
@given(num_gpus=st.integers(1, 4), num_workers=st.integers(1, 9), data=st.data())
def test_no_gpu_has_more_than_its_share(num_gpus: int, num_workers: int, data: Any) -> None:
    """However jobs come and go, no GPU has more of them than workers divided by GPUs."""
    shares = GpuShares([str(index) for index in range(num_gpus)])
    running: dict[int, str] = {}
    for job_id in range(30):
        running[job_id] = shares.take(job_id)["CUDA_VISIBLE_DEVICES"]
        loads = [list(running.values()).count(gpu) for gpu in {*running.values()}]
        assert max(loads) <= -(-num_workers // num_gpus)
        if len(running) == num_workers:
            ended = data.draw(st.sampled_from(sorted(running)))
            shares.give_back(ended)
            del running[ended]
