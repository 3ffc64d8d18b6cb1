import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hparams_lab.executors.process import job
from hparams_lab.executors.process.job import find_fork_hazard

# In a process of its own, as TensorFlow's runtime cannot be stopped again.
FIND_IN_NEW_PROCESS = (
    "import tensorflow as tf; {}; "
    "from hparams_lab.executors.process.job import find_fork_hazard; "
    "print(find_fork_hazard())"
)


def find_hazard_after(statement: str) -> str:
    """Return the hazard in a new process that has imported TensorFlow and run a statement."""
    return subprocess.run(
        [sys.executable, "-c", FIND_IN_NEW_PROCESS.format(statement)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    ).stdout.strip()


def test_running_thread_is_a_hazard() -> None:
    """A thread that runs beside the main one is counted."""
    others = threading.active_count() - 1
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    hazard = find_fork_hazard()
    done.set()
    thread.join()

    assert f"{others + 1} thread(s) were left running" in hazard


def test_started_cuda_is_a_hazard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that holds the device of CUDA, which is another file here, must not fork."""
    device = tmp_path / "device"
    device.touch()
    monkeypatch.setattr(job, "_CUDA_DEVICE", str(device))
    with device.open():
        hazard = find_fork_hazard()

    assert "a GPU was used" in hazard
    assert "a GPU was used" not in find_fork_hazard()


@pytest.mark.slow
def test_imported_tensorflow_is_no_hazard() -> None:
    """TensorFlow that is only imported survives a fork."""
    assert "" == find_hazard_after("pass")


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["tf.constant(1)", "tf.config.list_logical_devices()"])
def test_started_tensorflow_is_a_hazard(statement: str) -> None:
    """TensorFlow whose runtime has started does not survive a fork."""
    assert "a TensorFlow operation was run" in find_hazard_after(statement)
