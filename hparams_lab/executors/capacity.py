"""How many jobs this machine has room for: as many as its processors, or GPUs, allow."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.executors.cpus import count_usable_cpus
from hparams_lab.executors.gpus import VISIBLE_DEVICES, find_gpus


@dataclass(frozen=True)
class Room:
    """What jobs of this machine share.

    Attributes:
        num_workers: how many run at a time.
        gpus: that they are divided among, as CUDA_VISIBLE_DEVICES names them.
        notice: what the user should know of that; empty if nothing.
    """

    num_workers: int
    gpus: Sequence[str] = ()
    notice: str = ""


def find_room(
    *, num_workers: int | None = None, runs_per_gpu: int | None = None, max_runs: int | None = None
) -> Room:
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
        return Room(num_workers or min(num_cpus, max_runs), (), notice)
    shares = runs_per_gpu or 1
    num_seats = len(gpus) * shares
    if num_workers is None:
        if num_seats < min(num_cpus, max_runs):
            notice = (
                f"{_count(num_seats, 'run')} at a time, {shares} on each of "
                f"{_count(len(gpus), 'GPU')}; more with --runs_per_gpu, or without GPUs with "
                f"{VISIBLE_DEVICES}="
            )
        return Room(min(num_seats, max_runs), gpus, notice)
    if num_workers > num_seats:
        raise UsageError(
            f"--workers must be at most {num_seats}, which is {_count(len(gpus), 'GPU')} times "
            f"--runs_per_gpu={shares}; got {num_workers}. Lower it, set "
            f"--runs_per_gpu={-(-num_workers // len(gpus))}, or {VISIBLE_DEVICES}= to use none."
        )
    return Room(num_workers, gpus, notice)


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
