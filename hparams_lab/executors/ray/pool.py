"""The nodes of a Ray cluster that jobs run on: how they come, what they say, how they go.

A node comes with its first slot, and is set up; it goes when it is lost or cannot be set
up. Its jobs are lost then, and its slots are asked for again, wherever there is room.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from hparams_lab.errors import ExecutorError, ExperimentLoadError, HParamsLabError, LogdirError
from hparams_lab.executors.base import Finished, Job, JobEnd, conclude_interrupted
from hparams_lab.executors.process.messages import JobReport
from hparams_lab.executors.ray.cluster import Cluster
from hparams_lab.executors.ray.host import (
    CLOSE_SECS,
    CONCURRENCY,
    Host,
    HostFailed,
    HostReady,
    HostSpec,
    Stopped,
)
from hparams_lab.executors.ray.resources import Resources
from hparams_lab.executors.ray.slots import Place, Slot, request_slot, when_told

# Longest wait before Ctrl-C is noticed.
_POLL_SECS = 0.5

_log = logging.getLogger(__name__)


class NodePool:
    """The slots in a cluster, and the nodes that they are on.

    Args:
        cluster: that has the nodes.
        resources: what a slot has of its node.
        spec: of each host.
        setting_up: makes what is entered while any node is being set up.

    Attributes:
        has_started: whether a node that cannot be set up is left alone, where there are
            others, instead of being a failure.
        failure: why no more jobs can be run; None if they can.
        notice: what hosts say that the user should know; empty if nothing.
    """

    def __init__(
        self,
        cluster: Cluster,
        resources: Resources,
        spec: HostSpec,
        setting_up: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self.has_started = False
        self.failure: HParamsLabError | None = None
        self.notice = ""
        self._cluster = cluster
        self._resources = resources
        self._spec = spec
        self._setting_up = setting_up
        self._entered = contextlib.ExitStack()
        self._slots: list[Slot] = []
        self._nodes: dict[str, Node] = {}
        self._excluded: set[str] = set()
        self._jobs: dict[int, Slot] = {}
        # What Ray's threads bring: where a slot is, what a node says, or an exception.
        self._inbox: queue.SimpleQueue[tuple[Slot | Node, Any]] = queue.SimpleQueue()
        self._heard: deque[tuple[Node, Any]] = deque()

    @property
    def has_nodes(self) -> bool:
        """Whether there is any node, set up or not."""
        return bool(self._nodes)

    @property
    def is_setting_up(self) -> bool:
        """Whether a node is being set up."""
        return any(not node.is_ready for node in self._nodes.values())

    @property
    def is_stopping(self) -> bool:
        """Whether a node has still jobs to stop."""
        return any(node.is_stopping for node in self._nodes.values())

    @property
    def num_unplaced(self) -> int:
        """How many slots have no place yet."""
        return sum(slot.place is None for slot in self._slots)

    def request_slot(self) -> None:
        """Ask Ray for one more slot."""
        slot = request_slot(
            self._resources, lambda *news: self._inbox.put(news), excluded=self._excluded
        )
        self._slots.append(slot)

    def find_free_slot(self) -> Slot | None:
        """Return a slot that a job can have; None if there is none now."""
        free = (slot for slot in self._slots if slot.job_id is None)
        return next((slot for slot in free if self._is_ready(slot)), None)

    def _is_ready(self, slot: Slot) -> bool:
        return slot.place is not None and self._nodes[slot.place.node_id].is_ready

    def begin(self, job: Job, slot: Slot) -> None:
        """Begin a job in a free slot."""
        assert slot.place is not None
        slot.job_id = job.id
        self._jobs[job.id] = slot
        environment = {**slot.place.environment, **job.environment}
        self._node_of(slot).submit(replace(job, environment=environment))

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job asked, if it is there to hear it."""
        if job_id in self._jobs:
            self._node_of(self._jobs[job_id]).reply(job_id, answer)

    def _node_of(self, slot: Slot) -> Node:
        assert slot.place is not None
        return self._nodes[slot.place.node_id]

    def take_next(self, deadline: float) -> Finished | JobReport | None:
        """Take note of what comes next, and return it if it is of a job.

        Args:
            deadline: in monotonic seconds.

        Raises:
            queue.Empty: if nothing comes before it.
        """
        if not self._heard:
            self._listen(deadline)
        news = self._take(*self._heard.popleft()) if self._heard else None
        if not self.is_setting_up:
            self._entered.close()
        return news

    def _listen(self, deadline: float) -> None:
        source, news = self._next_arrival(deadline)
        if isinstance(source, Slot):
            if source in self._slots:  # else it was given back
                self._place(source, news)
        elif self._nodes.get(source.id) is not source:
            pass  # it was given up
        elif isinstance(news, Exception):
            self._heard.append((source, news))
        else:
            self._heard.extend((source, message) for message in news)
            source.hear()

    def _next_arrival(self, deadline: float) -> tuple[Slot | Node, Any]:
        while (rest := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._inbox.get(timeout=min(rest, _POLL_SECS))
        raise queue.Empty

    def _take(self, node: Node, message: Any) -> Finished | JobReport | None:
        if isinstance(message, Finished | JobReport):
            if (slot := self._jobs.get(message.job_id)) is None:
                return None
            if isinstance(message, Finished):
                self._free(slot)
                node.forget(message.job_id)
            return message
        if isinstance(message, Stopped):
            node.is_stopping = False
        elif isinstance(message, HostReady):
            node.is_ready = True
            self.notice = self.notice or message.notice
        elif isinstance(message, HostFailed):
            self._exclude(node, node.locate(message.error))
        elif node.is_ready:
            _log.warning("lost node %s of the Ray cluster; its runs are run again", node.name)
            self._give_up(node)
        else:
            self._exclude(node, node.explain_loss(message))
        return None

    def _free(self, slot: Slot) -> None:
        if slot.job_id is not None:
            del self._jobs[slot.job_id]
            slot.job_id = None

    def _place(self, slot: Slot, found: Place | Exception) -> None:
        """Take note of where a slot is, and see to it that its node has a host."""
        if isinstance(found, Exception):
            words = (str(found).strip() or type(found).__name__).splitlines()[0]
            self.failure = ExecutorError(f"Ray cannot place a run of {self._resources}: {words}")
            return
        slot.place = found
        if found.node_id not in self._nodes:
            if not self.is_setting_up:
                self._entered.enter_context(self._setting_up())
            name = self._cluster.name_node(found.node_id)
            self._nodes[found.node_id] = Node(
                found.node_id, name, self._spec, lambda *news: self._inbox.put(news)
            )

    def _exclude(self, node: Node, error: HParamsLabError) -> None:
        """Go on without a node that cannot be set up, if there is another."""
        self._excluded.add(node.id)
        if self.has_started and len(self._nodes) > 1:
            _log.warning("a node of the Ray cluster gets no runs: %s", error)
        else:
            self.failure = error
        self._give_up(node)

    def _give_up(self, node: Node) -> None:
        """End a host and so its jobs, and ask for its slots anew."""
        node.kill()
        del self._nodes[node.id]
        for slot in [each for each in self._slots if each.place and each.place.node_id == node.id]:
            if slot.job_id is not None:
                reason = f"was lost with its node {node.name}"
                lost = Finished(slot.job_id, reason=reason, end=JobEnd.LOST)
                self._heard.append((node, lost))
            self._slots.remove(slot)
            slot.give_back()
            if self.failure is None:
                self.request_slot()

    def stop(self, grace_secs: float) -> None:
        """Begin to stop all jobs."""
        for node in {self._node_of(slot) for slot in self._jobs.values()}:
            node.stop(grace_secs)

    def give_up_stopping(self) -> Iterator[Finished]:
        """End the nodes that have still jobs to stop, and yield the ends of these."""
        for node in [each for each in self._nodes.values() if each.is_stopping]:
            self._give_up(node)
        while self._heard:
            if isinstance(news := self._take(*self._heard.popleft()), Finished):
                yield conclude_interrupted(news.job_id) if news.end is JobEnd.LOST else news

    def close(self) -> None:
        """End all hosts and jobs, and give all slots back."""
        close_all(list(self._nodes.values()))
        for slot in self._slots:
            slot.give_back()
        self._entered.close()


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
        spec: of its host.
        post: called, in a thread of Ray's, with what is heard: a list of messages, or the
            exception by which Ray says that the host is gone, after which comes nothing.

    Attributes:
        is_ready: whether its host is set up.
        is_stopping: whether its jobs are being stopped.
    """

    def __init__(
        self, node_id: str, name: str, spec: HostSpec, post: Callable[[Node, Any], None]
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
            num_cpus=0,  # its jobs' slots account for all
            max_restarts=0,
            max_concurrency=CONCURRENCY,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
            runtime_env={"env_vars": _ENVIRONMENT},
        )
        # Ray has no types for methods of a class that is made an actor here.
        self._actor: Any = actor.remote(spec)
        self.hear()

    def hear(self) -> None:
        """Wait, in the background, for what the host says next."""
        when_told(self._actor.hear.remote(), lambda news: self._post(self, news))

    def submit(self, job: Job) -> None:
        """Begin a job."""
        self._submissions[job.id] = self._actor.submit.remote(job)

    def forget(self, job_id: int) -> None:
        """Take note that a job has ended."""
        self._submissions.pop(job_id, None)

    def reply(self, job_id: int, answer: Any) -> None:
        """Answer what a job asked."""
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
        reason = " ".join(lines) or type(error).__name__
        return ExecutorError(f"node {self.name} was lost as it was set up: {reason}")


def close_all(nodes: list[Node]) -> None:
    """End the hosts of nodes and all their processes."""
    import ray

    if closing := [node.close() for node in nodes]:
        ray.wait(closing, num_returns=len(closing), timeout=CLOSE_SECS)
    for node in nodes:
        node.kill()
