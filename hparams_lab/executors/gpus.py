"""The GPUs that jobs may use, and how they are divided among them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from hparams_lab.errors import ExecutorError

# Read by CUDA as a process first uses a GPU.
VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"

# Read by TensorFlow as it first uses a GPU: memory as it is needed instead of all at once,
# which would leave none for a second job.
ALLOW_GROWTH = "TF_FORCE_GPU_ALLOW_GROWTH"

# A driver that was not loaded takes seconds for each GPU; one that is broken may take for ever.
_TOOL_SECS = 60.0

# "GPU 0: NVIDIA A100 (UUID: GPU-5c89852c-...)", below it where the GPU is divided
# "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-...)".
_LISTED = re.compile(r"\(UUID: ((?:GPU|MIG)-[^)]+)\)")


def find_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    That variable says so itself where the user has set it. Else nvidia-smi does, if there
    is one; of a GPU that is divided into MIG devices each counts as one.

    Raises:
        ExecutorError: if nvidia-smi fails.
    """
    if (named := os.environ.get(VISIBLE_DEVICES)) is not None:
        return _split_devices(named)
    tool = shutil.which("nvidia-smi")
    return _parse_listing(_list_devices(tool)) if tool else []


def _split_devices(named: str) -> list[str]:
    """Return the devices of a list as CUDA reads it: up to the first that cannot be one."""
    devices = []
    for device in map(str.strip, named.split(",")):
        if not device or device.startswith("-"):
            break
        devices.append(device)
    return list(dict.fromkeys(devices))


def _list_devices(tool: str) -> str:
    command = [tool, "-L"]
    try:
        listing = subprocess.run(
            command, capture_output=True, text=True, timeout=_TOOL_SECS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    else:
        if listing.returncode == 0 or "No devices" in listing.stdout:
            return listing.stdout
        lines = (listing.stdout + listing.stderr).split("\n")
        problem = next(filter(None, map(str.strip, lines)), f"exit code {listing.returncode}")
    raise ExecutorError(
        f"nvidia-smi cannot say which GPUs there are: {problem.rstrip('.')}. Mend the driver, or "
        f"name the GPUs in {VISIBLE_DEVICES} (empty: none)."
    )


def _parse_listing(listing: str) -> list[str]:
    gpus: list[str] = []
    for uuid in _LISTED.findall(listing):
        if uuid.startswith("MIG") and gpus and gpus[-1].startswith("GPU"):
            gpus.pop()  # the one that is divided, of which CUDA would use the first part only
        gpus.append(uuid)
    return gpus


class GpuShares:
    """Gives each job a GPU.

    Args:
        gpus: as CUDA_VISIBLE_DEVICES names them; with none, jobs are given nothing.
    """

    def __init__(self, gpus: Sequence[str]) -> None:
        self._jobs: dict[str, set[int]] = {gpu: set() for gpu in gpus}

    def take(self, job_id: int) -> Mapping[str, str]:
        """Return the variables of a job that has the GPU with the fewest jobs, the first such."""
        if not self._jobs:
            return {}
        gpu = min(self._jobs, key=lambda each: len(self._jobs[each]))
        self._jobs[gpu].add(job_id)
        return {VISIBLE_DEVICES: gpu, ALLOW_GROWTH: os.environ.get(ALLOW_GROWTH, "true")}

    def give_back(self, job_id: int) -> None:
        """Take the GPU from a job whose process has ended, or waits for another job."""
        for jobs in self._jobs.values():
            jobs.discard(job_id)
