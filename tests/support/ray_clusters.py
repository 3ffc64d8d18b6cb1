"""Ray clusters of several nodes on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

# A node that is killed is known to be after seconds, not a quarter of a minute.
_SYSTEM_CONFIG = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 3,
}


NODE_VARIABLE = "TEST_NODE"
"""Its value is the name of the node that a process is on."""


@contextlib.contextmanager
def run_cluster() -> Iterator[Cluster]:
    """Run a cluster of a head alone, which has no room for runs."""
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": _SYSTEM_CONFIG}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            yield cluster
        finally:
            ray.shutdown()  # else it refuses to end the node that a driver is connected to
            cluster.shutdown()


def add_node(
    cluster: Cluster, name: str, variables: Mapping[str, str] | None = None, **resources: float
) -> Any:
    """Add a node of that name, which has such resources, and return Ray's object for it."""
    return cluster.add_node(env_vars={NODE_VARIABLE: name, **(variables or {})}, **resources)
