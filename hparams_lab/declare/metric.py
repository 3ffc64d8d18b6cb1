"""Reading TensorBoard's `hp.Metric`, which has no public getters.

A metric's key is the scalar tag it is written under: `tag`, or `group/tag` where it
has a group. TensorBoard would look for a group in a sub-run of its own; one run is
one event file here, so the group becomes a part of the tag (docs/design/event_file.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import tags


def key_of(metric: Metric | str) -> str:
    """Return the scalar tag of a metric, given as itself or by that tag.

    Example:
        >>> key_of(Metric("loss")), key_of(Metric("loss", group="validation")), key_of("loss")
        ('loss', 'validation/loss', 'loss')
    """
    if not isinstance(metric, Metric):
        return str(metric)
    name = metric.as_proto().name
    return f"{name.group}/{name.tag}" if name.group else str(name.tag)


def display_name_of(metric: Metric) -> str:
    """Return the column header, which falls back on the key."""
    return str(metric.as_proto().display_name) or key_of(metric)


def find_problems(metrics: Sequence[Any]) -> list[str]:
    """Return one sentence for each rule that the metrics break."""
    if not metrics:
        return ["an experiment must have a metric; got none. Declare metrics=[hp.Metric(tag)]."]
    problems = []
    seen = set()
    for metric in metrics:
        if not isinstance(metric, Metric):
            problems.append(f"a metric must be an hp.Metric; got {metric!r}. Write hp.Metric(tag).")
            continue
        name = metric.as_proto().name
        if not name.tag.strip():
            problems.append(f"a metric must have a tag; got {name.tag!r}. Name it.")
        if name.group.startswith("/"):
            problems.append(
                f"metric {name.tag!r} must have a group without a leading slash, which "
                f"TensorBoard never finds; got {name.group!r}. Write {name.group.lstrip('/')!r}."
            )
        if tags.is_ours(key_of(metric)):
            problems.append(
                f"a metric must not have a tag that is written beside the metrics; got "
                f"{key_of(metric)!r}. Rename it."
            )
        if key_of(metric) in seen:
            problems.append(f"metric tags must differ; got {key_of(metric)!r} twice. Drop one.")
        seen.add(key_of(metric))
    return problems


def encode_metric(metric: Metric) -> dict[str, Any]:
    """Return the metric as JSON data, the inverse of `decode_metric`."""
    info = metric.as_proto()
    data = {"tag": info.name.tag, "group": info.name.group, "dataset_type": info.dataset_type}
    data |= {"display_name": info.display_name, "description": info.description}
    return {key: value for key, value in data.items() if value}


def decode_metric(data: Mapping[str, Any]) -> Metric:
    """Return the metric that `encode_metric` wrote."""
    return Metric(**data)
