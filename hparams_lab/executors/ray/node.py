"""The driver's end of a host on a node of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hparams_lab.errors import ExecutorError, ExperimentLoadError, HParamsLabError, LogdirError
from hparams_lab.executors.base import Job
from hparams_lab.executors.ray.host import CLOSE_SECS, CONCURRENCY, Brief, Host
from hparams_lab.executors.ray.slots import when_told

# How long a node may take to say that it has heard of a job.
_SUBMIT_SECS = 5.0

# Of a host. As it ends Ray would kill its children, and with these who ends what jobs have
# started; they end by themselves once it is gone.
_ENVIRONMENT = {"RAY_kill_child_processes_on_worker_exit": "0"}

# What may be wrong on one node and right on another.
_LOCAL_ERRORS = (ExecutorError, ExperimentLoadError, LogdirError)


class Node:
    """A node that jobs run on. Its host begins to set up at once.

    Args:
        node_id: Ray's.
        name: for the user.
        brief: of its host.
        post: called, in a thread of Ray's, with what is heard: a list of messages, or the
            exception by which Ray says that the host is gone, after which comes nothing.

    Attributes:
        is_ready: whether its host is set up.
        is_stopping: whether its jobs are being stopped.
    """

    def __init__(
        self, node_id: str, name: str, brief: Brief, post: Callable[[Node, Any], None]
    ) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.id = node_id
        self.name = name
        self.is_ready = False
        self.is_stopping = False
        self._post = post
        self._submissions: dict[int, Any] = {}
        actor = ray.remote(Host).options(
            num_cpus=0,  # its jobs' seats account for all
            max_restarts=0,
            max_concurrency=CONCURRENCY,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
            runtime_env={"env_vars": _ENVIRONMENT},
        )
        # Ray has no types for methods of a class that is made an actor here.
        self._actor: Any = actor.remote(brief)
        self.hear()

    def hear(self) -> None:
        """Wait, in the background, for what the host says next."""
        when_told(self._actor.hear.remote(), lambda told: self._post(self, told))

    def submit(self, job: Job) -> None:
        """Begin a job."""
        self._submissions[job.id] = self._actor.submit.remote(job)

    def forget(self, job_id: int) -> None:
        """Take note that a job has ended."""
        self._submissions.pop(job_id, None)

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job told."""
        self._actor.reply.remote(job_id, answer)

    def stop(self, grace_secs: float) -> None:
        """Begin to stop all jobs."""
        import ray

        self.is_stopping = True
        if begun := list(self._submissions.values()):  # else one might begin after that
            ray.wait(begun, num_returns=len(begun), timeout=_SUBMIT_SECS)
        self._actor.stop.remote(grace_secs)

    def kill(self) -> None:
        """End the host, and so its jobs, at once."""
        import ray

        ray.kill(self._actor)

    def close(self) -> Any:
        """Begin to end the host's processes; return Ray's reference to that."""
        return self._actor.close.remote()

    def locate(self, error: HParamsLabError) -> HParamsLabError:
        """Return an error of its host that says on which node it was, where that matters."""
        if type(error) not in _LOCAL_ERRORS:
            return error
        return type(error)(f"on node {self.name}: {error}")

    def explain_loss(self, error: Exception) -> ExecutorError:
        """Return why there is no host, as Ray has it."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        missing = [line for line in lines if line.startswith("ModuleNotFoundError")]
        if missing:
            return ExecutorError(
                f"node {self.name} cannot load hparams_lab: {missing[-1]}. Install the same there."
            )
        told = " ".join(lines) or type(error).__name__
        return ExecutorError(f"node {self.name} was lost as it was set up: {told}")


def close_all(nodes: list[Node]) -> None:
    """End the hosts of nodes and all their processes."""
    import ray

    if closing := [node.close() for node in nodes]:
        ray.wait(closing, num_returns=len(closing), timeout=CLOSE_SECS)
    for node in nodes:
        node.kill()
