"""Where the runs of a sweep execute: the executor that its options ask for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.executors.base import Executor, Workload
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.options import ExecutionOptions
from hparams_lab.sweeps.shared_disk import SharedLogdir
from hparams_lab.sweeps.spool import SpoolingExecutor


def make_executor(
    source: ExperimentSource,
    options: ExecutionOptions,
    *,
    logdir: Path | None = None,
    max_runs: int | None = None,
) -> Executor:
    """Return an executor for the runs of an experiment; it has not begun.

    Args:
        source: of the experiment.
        options: which executor, and how.
        logdir: that runs are to be logged in, absolute; None if nothing is to be run.
        max_runs: how many runs there are to be at most, None if that is not known.

    Raises:
        UsageError: if an option cannot be obeyed, or there are too few GPUs.
        ExecutorError: if GPUs are to be shared and nvidia-smi fails.
    """
    assert options.executor is not None  # `resume` has completed it
    spec = EXECUTORS.find(options.executor)
    own_options = EXECUTORS.make_options(options.executor, options.executor_options)

    def make(workload: Workload) -> Executor:
        return spec.make(workload, own_options)

    workload = Workload(
        setup=partial(worker.load, source),
        work=worker.execute,
        num_workers=options.workers,
        max_jobs=max_runs,
    )
    if logdir is None or not spec.is_distributed:
        return make(workload)
    if mount := mount_of(logdir):
        return SpoolingExecutor(make, workload, mount)
    shared = SharedLogdir(logdir)
    setup = partial(shared.set_up, workload.setup)
    return make(replace(workload, setup=setup, setting_up=shared.marked))
