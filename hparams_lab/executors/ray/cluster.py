"""The Ray cluster that this process drives: joining it, and what room it has."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from hparams_lab.errors import ExecutorError, UsageError
from hparams_lab.executors.ray.ray_internals import (
    has_autoscaler_config,
    mute_worker_logs,
    read_internal,
)
from hparams_lab.executors.ray.resources import Resources
from hparams_lab.text import count

# Of the processes of a cluster that is started here. Ray ends its own processes where
# memory is short, which would be all runs of a node at once; the system ends one. Nothing
# is sent anywhere.
_LOCAL_ENVIRONMENT = {"RAY_memory_monitor_refresh_ms": "0", "RAY_USAGE_STATS_ENABLED": "0"}

# How long a cluster's head may take to be there.
_CONNECT_SECS = 10.0

_AUTOSCALING_STATUS = b"__autoscaling_status"


class Cluster:
    """A Ray cluster that this process has joined, or started on this machine.

    Args:
        address: as `ray.init` takes it; None for the one that Ray finds, else a new one.

    Raises:
        ExecutorError: if Ray is not installed, or the cluster cannot be joined.
        UsageError: if this process is in another cluster, or the address is one of Ray
            Client's.
    """

    def __init__(self, address: str | None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ExecutorError(
                f"--executor=ray needs Ray: {error}. Run pip install 'hparams_lab[ray]'."
            ) from error
        given = address or os.environ.get("RAY_ADDRESS", "")
        if "://" in given:
            raise UsageError(
                f"--ray_address must be of a cluster that this machine is in; got {given!r}. Run "
                "this on a node of it, by ray job submit."
            )
        self._was_joined_before = ray.is_initialized()
        if self._was_joined_before:
            self._check_same(address)
        else:
            _look_for(given)
            _join(address)

    def _check_same(self, address: str | None) -> None:
        import ray

        joined = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", joined):
            raise UsageError(
                f"--ray_address is {address!r}, but this process has joined {joined}. Drop it, or "
                "call ray.shutdown() first."
            )

    def leave(self) -> None:
        """Leave the cluster; one that was started here ends. A second time does nothing.

        Who had joined before this object did so stays.
        """
        import ray

        if not self._was_joined_before:
            ray.shutdown()

    def count_room(self, need: Resources) -> int:
        """Return how many jobs have room at a time, whoever uses it now.

        Raises:
            UsageError: if none ever has.
        """
        nodes = [node["Resources"] for node in self._nodes()]
        room = sum(map(need.count_in, nodes))
        if not room and not _autoscales():
            most = [
                count(max((node.get(name, 0.0) for node in nodes), default=0.0), name)
                for name in ("CPU", "GPU")
            ]
            raise UsageError(
                f"no node of the Ray cluster has room for a run of {need}; the largest have "
                f"{' and '.join(most)}. Lower --cpus_per_run or --gpus_per_run, or add nodes."
            )
        return room

    def name_node(self, node_id: str) -> str:
        """Return what a node is called, for the user."""
        names = {node["NodeID"]: _name(node) for node in self._nodes()}
        return names.get(node_id, node_id[:8])

    def _nodes(self) -> list[dict[str, Any]]:
        import ray

        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call] # Ray's
        return [node for node in nodes if node["Alive"]]


def _name(node: Mapping[str, Any]) -> str:
    host = node["NodeManagerHostname"]
    name = node["NodeName"]
    return host if name in (host, "") else f"{host} ({name})"


def _look_for(address: str) -> None:
    """Refuse a cluster that is not there, of which Ray would be sure after minutes.

    Raises:
        ExecutorError: if nobody listens at the address, `host:port`, if it is that.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=_CONNECT_SECS).close()
        except (OSError, OverflowError) as error:
            raise _refuse(address, error) from error


def _refuse(address: str | None, error: Exception) -> ExecutorError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    what = f"join the Ray cluster at {address}" if address else "join or start a Ray cluster"
    return ExecutorError(
        f"cannot {what} from {socket.gethostname()}: {lines[0].rstrip('.')}. See whether it runs "
        "by ray status, or mend --ray_address."
    )


def _join(address: str | None) -> None:
    import ray

    try:
        with _environment(_LOCAL_ENVIRONMENT), _signal_handlers_kept():
            # What runs print is in their output.log, what goes wrong is raised.
            ray.init(
                address=address,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except Exception as error:  # ConnectionError, RuntimeError, ValueError, and others
        raise _refuse(address, error) from error
    mute_worker_logs()


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Put back what is to happen on signals, which Ray changes."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [(number, signal.getsignal(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in handlers:
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)


@contextlib.contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Have variables set inside, save for those that the user has set."""
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _autoscales() -> bool:
    """Return whether nodes may be added for what does not fit those that are there.

    Ray does not say so itself. Its newer autoscaler leaves its configuration; of the older
    one the kinds of nodes ask, which are made up where there is none.
    """
    if has_autoscaler_config():
        return True
    status = read_internal(_AUTOSCALING_STATUS)
    kinds = (status.get("autoscaler_report") or {}).get("active_nodes") or {}
    return any(not kind.startswith("node_") for kind in kinds)
