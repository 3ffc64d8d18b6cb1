"""Runs jobs on the nodes of a Ray cluster, each in a process as on one machine.

    RayExecutor ──job──▶ slot: its room ──▶ host of the slot's node ──▶ process
         ▲                                        │
         └──────────────end, report───────────────┘

On each node that has a slot stands one host, an actor with a process executor, which has
experiment and data in memory once for all jobs of the node. Ray only says where there is
room, and carries messages.
"""

from __future__ import annotations

import logging
import math
import os
import pickle
import queue
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from hparams_lab.catalog.option import option
from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.executors.base import (
    Answer,
    Executor,
    ExecutorSpec,
    Finished,
    Job,
    Setup,
    Work,
    Workload,
    conclude_interrupted,
)
from hparams_lab.executors.capacity import THREAD_VARIABLES
from hparams_lab.executors.options import JobOptions
from hparams_lab.executors.process.messages import JobReport
from hparams_lab.executors.ray.cluster import Cluster
from hparams_lab.executors.ray.host import HostSpec, package_version
from hparams_lab.executors.ray.pool import NodePool
from hparams_lab.executors.ray.resources import Resources

# How long a cluster may take to have a first node with room; one that grows boots it.
_START_SECS = 900.0

# How long to wait for the rest of the slots: a cluster that is free gives them at once.
_SEATING_SECS = 5.0

# How often the state of the start is looked at, though nothing has come.
_LOOK_SECS = 0.5

# How long nodes may take to stop their jobs, besides the grace.
_STOP_SECS = 10.0

# After so long without any node the user is warned.
_PATIENCE_SECS = 30.0

_log = logging.getLogger(__name__)


class RayExecutor(Executor):
    """Jobs on a Ray cluster; each has its share of a node while this executor lives.

    Setup is called on each node as its first slot comes, also on nodes that come later.
    Where it fails on one of these, that node is left alone, and a warning is logged.

    Args:
        setup: called once on each node that is used.
        work: called in each job's process.
        num_workers: jobs at a time; None for as many as the cluster has room for now.
        max_workers: the most of them, where `num_workers` says nothing; None: any.
        address: of the cluster, as `ray.init` takes it; None for the one that Ray finds, or
            a new one on this machine.
        cpus_per_run: of a node, for each job, above 0; fractions too.
        gpus_per_run: likewise, from 0; whole above 1.
        timeout_secs: as of the process executor.
        memory_limit_mb: likewise.
        jobs_per_process: likewise.
        setting_up: makes what is entered while any node is being set up.

    Raises:
        UsageError: if Ray cannot count so.
    """

    def __init__(
        self,
        setup: Setup,
        work: Work,
        *,
        num_workers: int | None = None,
        max_workers: int | None = None,
        address: str | None = None,
        cpus_per_run: float = 1.0,
        gpus_per_run: float = 0.0,
        timeout_secs: float | None = None,
        memory_limit_mb: float | None = None,
        jobs_per_process: int = 1,
        setting_up: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        super().__init__(num_workers or 0)
        self._max_workers = max_workers or sys.maxsize
        self._address = address
        self._resources = Resources(cpus_per_run, gpus_per_run)
        self._functions = pickle.dumps((setup, work))
        self._options = {
            "timeout_secs": timeout_secs,
            "memory_limit_mb": memory_limit_mb,
            "jobs_per_process": jobs_per_process,
        }
        self._setting_up = setting_up
        self._cluster: Cluster | None = None
        self._pool: NodePool | None = None
        self._waiting: deque[Job] = deque()  # for a slot
        self._ended: deque[Finished] = deque()  # and not returned yet
        self.notice = ""

    def start(self) -> None:
        self._cluster = Cluster(self._address)
        room = self._cluster.count_room(self._resources)
        if not (self.num_workers or room):
            raise UsageError(
                "the Ray cluster has no node for runs yet, so nobody knows how many at a time it "
                "will have room for. Give --workers=N."
            )
        self.num_workers = self.num_workers or min(room, self._max_workers)
        self._pool = NodePool(self._cluster, self._resources, self._spec(), self._setting_up)
        for _ in range(self.num_workers):
            self._pool.request_slot()

    def _spec(self) -> HostSpec:
        threads = str(max(1, int(self._resources.cpus)))
        return HostSpec(
            functions=self._functions,
            sys_path=[*sys.path],
            version=package_version(),
            environment={name: os.environ.get(name, threads) for name in THREAD_VARIABLES},
            options=self._options | {"num_workers": self.num_workers},
        )

    def ready(self) -> None:
        pool = self._started()
        began = time.monotonic()
        while not self._is_settled(time.monotonic() - began):
            try:
                pool.take_next(time.monotonic() + _LOOK_SECS)
            except queue.Empty:
                if not pool.has_nodes and time.monotonic() - began > _START_SECS:
                    raise ExecutorError(
                        f"the Ray cluster gave no room for a run of {self._resources} in "
                        f"{_START_SECS:g} s. See what uses it by ray status."
                    ) from None
        pool.has_started = True
        self.notice = "; ".join(filter(None, (pool.notice, self._describe_missing())))

    def _is_settled(self, passed_secs: float) -> bool:
        """Return whether all nodes that there are now can take jobs."""
        pool = self._started()
        is_seated = not pool.num_unplaced or passed_secs > _SEATING_SECS
        return pool.has_nodes and is_seated and not pool.is_setting_up

    def _describe_missing(self) -> str:
        missing = self._started().num_unplaced
        if not missing:
            return ""
        return (
            f"the Ray cluster has room for {self.num_workers - missing} of {self.num_workers} "
            "runs at a time; the others begin once there is more"
        )

    def _started(self) -> NodePool:
        """Return the nodes.

        Raises:
            HParamsLabError: if no more jobs can be run there.
        """
        assert self._pool is not None
        if self._pool.failure:
            raise self._pool.failure
        return self._pool

    def submit(self, job: Job) -> None:
        self._started()
        self._waiting.append(job)
        self._fill_slots()

    def _fill_slots(self) -> None:
        assert self._pool is not None
        while self._waiting and (slot := self._pool.find_free_slot()):
            self._pool.begin(self._waiting.popleft(), slot)

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        deadline = time.monotonic() + timeout_secs
        impatient = time.monotonic() + _PATIENCE_SECS
        while not self._ended:
            pool = self._started()
            try:
                news = pool.take_next(min(deadline, impatient))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
                if not pool.has_nodes:
                    _log.warning("the Ray cluster has no node for runs; waiting for one")
                impatient = math.inf
                continue
            self._fill_slots()
            if isinstance(news, JobReport):
                pool.reply(news.job_id, answer(news.job_id, news.message))
            elif news:
                self._ended.append(news)
        return self._ended.popleft()

    def stop(self, grace_secs: float) -> list[Finished]:
        assert self._pool is not None
        self._ended.extend(conclude_interrupted(job.id) for job in self._waiting)
        self._waiting.clear()
        deadline = time.monotonic() + grace_secs + _STOP_SECS
        try:
            self._pool.stop(grace_secs)
            while self._pool.is_stopping:
                if isinstance(news := self._pool.take_next(deadline), Finished):
                    self._ended.append(news)
        except (KeyboardInterrupt, queue.Empty):  # a second Ctrl-C, or a node that does not answer
            pass
        self._ended.extend(self._pool.give_up_stopping())
        stopped = list(self._ended)
        self._ended.clear()
        return stopped

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
        if self._cluster is not None:
            self._cluster.leave()
        self._pool = self._cluster = None
        self._waiting.clear()
        self._ended.clear()


_CLUSTER = "a Ray cluster"


@dataclass(frozen=True, kw_only=True)
class RayOptions(JobOptions):
    """Options of jobs on a Ray cluster."""

    # of the cluster, as `ray.init` takes it; None: the one this process is in, or a new one on
    # this machine
    ray_address: str | None = option(
        "of the Ray cluster (default: RAY_ADDRESS, or a new one on this machine)",
        needs=_CLUSTER,
        label="Ray cluster",
    )
    # of a node, for each run; None: one
    cpus_per_run: float | None = option(
        "of the Ray cluster, for each run",
        above=0,
        unit="processors",
        unset=1,
        needs=_CLUSTER,
        label="processors of a run",
    )
    # of a node, for each run, fractions too; None: none
    gpus_per_run: float | None = option(
        "of the Ray cluster, for each run",
        at_least=0,
        unset=0,
        needs=_CLUSTER,
        label="GPUs of a run",
    )


def _make(workload: Workload, options: RayOptions) -> Executor:
    return RayExecutor(
        workload.setup,
        workload.work,
        num_workers=workload.num_workers,
        max_workers=workload.max_jobs,
        address=options.ray_address,
        cpus_per_run=options.cpus_per_run or 1.0,
        gpus_per_run=options.gpus_per_run or 0.0,
        timeout_secs=options.run_timeout_secs,
        memory_limit_mb=options.memory_limit_mb,
        jobs_per_process=options.runs_per_process or 1,
        setting_up=workload.setting_up,
    )


RAY = ExecutorSpec(options=RayOptions, make=_make, is_distributed=True)
