"""Tests of the Ray executor on a cluster of one node with two processors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hparams_lab.executors.base import Executor, Setup, Work
from hparams_lab.executors.ray.executor import RayExecutor
from hparams_lab.testing.processes import ProcessExecutorContract
from tests.support.ray_clusters import add_node, run_cluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def address() -> Iterator[str]:
    """Run a cluster of a node with four processors, and join it once for all tests."""
    import ray

    with run_cluster() as cluster:
        add_node(cluster, "node", num_cpus=4)
        ray.init(address=cluster.address, log_to_driver=False)
        yield cluster.address


class TestRayExecutor(ProcessExecutorContract):
    """What every executor does, this one does."""

    def make_executor(
        self, setup: Setup, work: Work, num_workers: int, *, timeout_secs: float | None = None
    ) -> Executor:
        return RayExecutor(setup, work, num_workers=num_workers, timeout_secs=timeout_secs)
