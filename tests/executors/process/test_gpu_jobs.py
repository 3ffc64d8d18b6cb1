"""Which GPU each job is given, and that it finds it. GPUs are named, not real."""

import ctypes
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.executors.base import Finished, Job
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing.executors import run_jobs, wait_for, wait_until
from tests.support import jobs
from tests.support.fake_gpus import FakeTool, put_fake_tool


@pytest.fixture(autouse=True)
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """No GPUs but those that a test names."""
    return put_fake_tool(tmp_path, monkeypatch)


def perform(state: object, step: tuple[str, Any], ask: object) -> Any:
    """Do one of a few things in a job's process."""
    name, argument = step
    if name == "wait":
        wait_until(argument.exists)
    if name == "multiply":
        return jobs.multiply_in_tensorflow()
    if name == "pid":
        return os.environ["CUDA_VISIBLE_DEVICES"], os.getpid()
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    names = (b"CUDA_VISIBLE_DEVICES", b"TF_FORCE_GPU_ALLOW_GROWTH")
    return tuple((getenv(name) or b"").decode() for name in names)


def ready_executor(setup: Callable[[], Any] = int, **options: Any) -> ProcessExecutor:
    """Return an executor that is ready, of two workers unless something else is said."""
    executor = ProcessExecutor(setup, perform, **{"num_workers": 2} | options)
    executor.start()
    executor.ready()
    return executor


def test_jobs_at_a_time_have_different_gpus(tmp_path: Path) -> None:
    """C code of a job finds its GPU, no other's, and gets one that is free again."""
    go_on = tmp_path / "go_on"
    with ready_executor(gpus=["A", "B"]) as executor:
        executor.submit(Job(0, ("wait", go_on), tmp_path / "0.log"))
        for job_id in (1, 2):
            executor.submit(Job(job_id, ("look", None), tmp_path / f"{job_id}.log"))
            assert Finished(job_id, ("B", "true")) == wait_for(executor)
        go_on.touch()
        assert Finished(0, ("A", "true")) == wait_for(executor)


@pytest.mark.parametrize("jobs_per_process", [1, 100], ids=["fresh", "kept"])
def test_jobs_without_gpus_have_nothing(jobs_per_process: int, tmp_path: Path) -> None:
    """Where there are no GPUs to divide no variable is set."""
    with ready_executor(jobs_per_process=jobs_per_process) as executor:
        ends = run_jobs(executor, [("look", None)] * 3, tmp_path)

    assert {("", "")} == {end.result for end in ends.values()}


def test_user_s_memory_growth_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How TensorFlow takes memory is the user's choice where there is one."""
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    with ready_executor(gpus=["A"]) as executor:
        ends = run_jobs(executor, [("look", None)], tmp_path)

    assert ("A", "false") == ends[0].result


def test_job_s_own_devices_are_kept(tmp_path: Path) -> None:
    """A job that comes with its device keeps it."""
    with ready_executor(gpus=["A"]) as executor:
        environment = {"CUDA_VISIBLE_DEVICES": "Z"}
        executor.submit(Job(0, ("look", None), tmp_path / "0.log", environment))

        assert ("Z", "true") == wait_for(executor).result


def test_kept_processes_keep_their_gpu(tmp_path: Path) -> None:
    """Processes that do several jobs are no more than workers, each with a GPU of its own."""
    with ready_executor(gpus=["A", "B"], jobs_per_process=100) as executor:
        ends = run_jobs(executor, [("pid", None)] * 20, tmp_path)
    owners = {end.result for end in ends.values()}

    assert ["A", "B"] == sorted(gpu for gpu, _ in owners)
    assert 2 == len({pid for _, pid in owners})


def note_device(folder: Path) -> None:
    """Leave a file named for the GPU that is found while an experiment is loaded."""
    (folder / os.environ.get("CUDA_VISIBLE_DEVICES", "none")).touch()


@pytest.mark.slow
def test_new_interpreter_loads_with_its_gpu(tmp_path: Path) -> None:
    """Where jobs are not forked each has its GPU before it loads, which may use it."""
    setup = partial(jobs.leave_thread, partial(note_device, tmp_path))
    with ready_executor(setup, gpus=["A", "B"]) as executor:
        ends = run_jobs(executor, [("look", None)] * 2, tmp_path)

    assert {("A", "true"), ("B", "true")} == {end.result for end in ends.values()}
    assert {"A", "B", "none"} <= {file.name for file in tmp_path.iterdir()}


@pytest.mark.slow
def test_forked_tensorflow_obeys_a_job_s_variables(tmp_path: Path) -> None:
    """TensorFlow, imported before the fork, reads the variables that a job comes with."""
    environment = {"TF_NUM_INTEROP_THREADS": "5"}
    with ready_executor(jobs.import_tensorflow, gpus=["A"]) as executor:
        executor.submit(Job(0, ("multiply", None), tmp_path / "0.log", environment))

        assert Finished(0, (512.0, 5)) == wait_for(executor)
    assert "TF_NUM_INTEROP_THREADS" not in os.environ
