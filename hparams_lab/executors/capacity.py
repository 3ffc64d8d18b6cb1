"""How many jobs this machine runs at once, by its processors or GPUs, and which each has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.text import count


@dataclass(frozen=True)
class Capacity:
    """What jobs of this machine share."""

    num_workers: int  # how many run at a time
    gpus: Sequence[str] = ()  # that they are divided among, as CUDA_VISIBLE_DEVICES names them
    notice: str = ""  # what the user should know of that; empty if nothing


def plan_capacity(
    *, num_workers: int | None = None, runs_per_gpu: int | None = None, max_runs: int | None = None
) -> Capacity:
    """Return the room that there is for runs, a worker each.

    Args:
        num_workers: the user's; None for as many as there is room for.
        runs_per_gpu: the user's, at least 1; None for one, where there are GPUs.
        max_runs: there are no more workers than that by default; None: any.

    Raises:
        UsageError: if the GPUs are too few for the workers, or none are there to share.
        ExecutorError: if GPUs are to be shared and nvidia-smi fails.
    """
    max_runs = max_runs or sys.maxsize
    num_cpus = count_usable_cpus()
    gpus, notice = _find_gpus(is_needed=runs_per_gpu is not None)
    if not gpus:
        return Capacity(num_workers or min(num_cpus, max_runs), (), notice)
    shares = runs_per_gpu or 1
    num_slots = len(gpus) * shares
    if num_workers is None:
        if num_slots < min(num_cpus, max_runs):
            notice = (
                f"{count(num_slots, 'run')} at a time, {shares} on each of "
                f"{count(len(gpus), 'GPU')}; more with --runs_per_gpu, or without GPUs with "
                f"{VISIBLE_DEVICES}="
            )
        return Capacity(min(num_slots, max_runs), gpus, notice)
    if num_workers > num_slots:
        raise UsageError(
            f"--workers must be at most {num_slots}, which is {count(len(gpus), 'GPU')} times "
            f"--runs_per_gpu={shares}; got {num_workers}. Lower it, set "
            f"--runs_per_gpu={-(-num_workers // len(gpus))}, or {VISIBLE_DEVICES}= to use none."
        )
    return Capacity(num_workers, gpus, notice)


def _find_gpus(*, is_needed: bool) -> tuple[Sequence[str], str]:
    """Return the GPUs, and why there are none where that is not as it should be."""
    try:
        gpus = find_gpus()
    except ExecutorError as error:
        if is_needed:
            raise
        return (), f"runs have no GPUs, as {error}"
    if is_needed and not gpus:
        raise UsageError(
            "--runs_per_gpu needs a GPU; none is seen by nvidia-smi, or named in "
            f"{VISIBLE_DEVICES} where that is set. Drop it."
        )
    return gpus, ""


# Read by OpenBLAS, MKL and OpenMP as they load, by TensorFlow as its runtime starts
# (tensorflow/core/common_runtime/process_util.cc).
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def count_usable_cpus() -> int:
    """Return how many processors this process may use, at least 1.

    That is the least of the affinity mask, the cgroup's quota and the machine's count.
    """
    # A dependency of scikit-learn that knows every kind of limit; only sweeps need it.
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def limit_threads(num_workers: int) -> dict[str, str]:
    """Return the environment of one of `num_workers` workers, save what the user has set."""
    threads = str(max(1, count_usable_cpus() // num_workers))
    return {name: threads for name in THREAD_VARIABLES if name not in os.environ}


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
