"""The places of a Ray cluster that jobs run in: reserved once, used one job after another.

A slot is a placement group of one bundle. Ray accounts for it like for any task, exactly
and without a process that does nothing; says to the autoscaler that it is missing; and
gives it back with the driver, however that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hparams_lab.executors.capacity import ALLOW_GROWTH, VISIBLE_DEVICES
from hparams_lab.executors.ray.resources import Resources

if TYPE_CHECKING:
    from ray.util.placement_group import PlacementGroup

_NODE_LABEL = "ray.io/node-id"


@dataclass(frozen=True)
class Place:
    """Where a slot is."""

    node_id: str  # of its node
    gpus: tuple[str, ...]  # its GPUs there, as CUDA_VISIBLE_DEVICES names them

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of a job in this slot: no GPU is seen but its own."""
        visible = {VISIBLE_DEVICES: ",".join(self.gpus)}
        return visible | ({ALLOW_GROWTH: "true"} if self.gpus else {})


@dataclass(eq=False)
class Slot:
    """Capacity for one job at a time."""

    group: PlacementGroup  # Ray's reservation
    place: Place | None = field(default=None, init=False)  # None as long as there is none
    job_id: int | None = field(default=None, init=False)  # of the job in it; None if it is free

    def give_back(self) -> None:
        """Let others have the room."""
        from ray.util.placement_group import remove_placement_group

        remove_placement_group(self.group)


def request_slot(
    need: Resources, post: Callable[[Slot, Place | Exception], None], *, excluded: set[str]
) -> Slot:
    """Ask for a slot, which has no place at first.

    Args:
        need: what it is to have.
        post: called once, in a thread of Ray's, with its place or why it will have none.
        excluded: ids of nodes on which it must not be.
    """
    import ray
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    options: dict[str, Any] = {}
    if excluded:
        options["bundle_label_selector"] = [{_NODE_LABEL: f"!in({','.join(sorted(excluded))})"}]
    slot = Slot(placement_group([need.resources], **options))
    tell_place = ray.remote(_make_tell_place()).options(
        num_cpus=0,
        num_gpus=need.gpus,
        max_retries=-1,
        scheduling_strategy=PlacementGroupSchedulingStrategy(slot.group),
    )

    def post_place(found: Any) -> None:
        post(slot, found if isinstance(found, Exception) else Place(*found))

    when_told(tell_place.remote(), post_place)
    return slot


def when_told(reference: Any, post: Callable[[Any], None]) -> None:
    """Have the value of an object of Ray's, or the error instead, posted once it is there."""

    def pass_on(future: Any) -> None:
        error = future.exception()
        post(future.result() if error is None else error)

    reference.future().add_done_callback(pass_on)


def _make_tell_place() -> Callable[[], tuple[str, tuple[str, ...]]]:
    # Made anew, it travels whole: its host will report a node that lacks this package.
    def tell_place() -> tuple[str, tuple[str, ...]]:
        import ray

        context = ray.get_runtime_context()
        return context.get_node_id(), tuple(context.get_accelerator_ids()["GPU"])

    return tell_place
