"""What is used of Ray that is not public, so that a release breaks one file.

`tests/executors/ray/test_ray_internals.py` names the versions that were tried. Ray is imported
where it is asked for.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any


def mute_worker_logs() -> None:
    """Keep Ray from printing to stdout that nodes are lost: that is said with their runs."""
    import ray

    with contextlib.suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = False


def has_autoscaler_config() -> bool:
    """Return whether the newer autoscaler has left its configuration."""
    import ray

    return ray._private.state.state.get_cluster_config() is not None


def read_internal(key: bytes) -> Any:
    """Return what Ray keeps under a key in its own store, decoded; an empty dict if nothing."""
    from ray.experimental.internal_kv import _internal_kv_get

    return json.loads(_internal_kv_get(key) or b"{}")
