"""Protos and values: what each event of a run's file means, both ways, without I/O.

Source: tensorboard/plugins/hparams/plugin_data.proto, api.proto and metadata.py.
TensorBoard keeps the first metadata of each run and tag for ever, so each of these
summaries is written once a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import Discrete, Metric

from hparams_lab.declare import domains, tags
from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Objective, Reduction
from hparams_lab.errors import LogdirError
from hparams_lab.runs.sweep import Sweep

START_TAG = metadata.SESSION_START_INFO_TAG
END_TAG = metadata.SESSION_END_INFO_TAG
CONFIG_TAG = metadata.EXPERIMENT_TAG
RUN_CARD_TAG = "run_card"
ENDED_TAG = "ended"

# Our own summaries, for what TensorBoard has no field for. No plugin of TensorBoard has
# this name, so it shows nothing of them.
_OUR_PLUGIN = "hparams_lab"
_IDENTITY_TAG = "_hparams_lab_/run"
_ENDING_TAG = "_hparams_lab_/end"


class Status(Enum):
    """How a run ended. A run without an end is running, or its process is gone."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    RUNNING = "RUNNING"


class Ending(Enum):
    """Why a run ended, which TensorBoard's two statuses cannot say."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    INTERRUPTED = "interrupted"

    @property
    def status(self) -> Status:
        """What TensorBoard shows: a run that was pruned did what it should."""
        succeeded = self is Ending.COMPLETE or self is Ending.PRUNED
        return Status.SUCCESS if succeeded else Status.FAILURE


_ENDINGS = {ending.value: ending for ending in Ending}
# Files of other writers, and older ones of ours, do not say why.
_ENDING_OF_FOREIGN = {Status.SUCCESS: Ending.COMPLETE, Status.FAILURE: Ending.FAILED}

_STATUS_TO_PB = {
    Status.SUCCESS: api_pb2.STATUS_SUCCESS,
    Status.FAILURE: api_pb2.STATUS_FAILURE,
}
_STATUS_FROM_PB = {pb: status for status, pb in _STATUS_TO_PB.items()}


def encode_start(
    assignment: Assignment, *, labels: Mapping[str, str], group_name: str, start_time_secs: float
) -> summary_pb2.Summary:
    """Return the session start: the run's values, and the trial it belongs to.

    Args:
        assignment: the hyperparameters.
        labels: the reserved hparams: day, sweep, commit.
        group_name: TensorBoard's Trial ID.
        start_time_secs: since the epoch.
    """
    info = plugin_data_pb2.SessionStartInfo(group_name=group_name, start_time_secs=start_time_secs)
    for name, value in {**assignment, **labels}.items():
        _set_value(info.hparams[name], value)
    return _encode_plugin_data(
        START_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=info)
    )


def _set_value(proto: Any, value: Value) -> None:
    if isinstance(value, bool):
        proto.bool_value = value
    elif isinstance(value, str):
        proto.string_value = value
    else:
        proto.number_value = value


def decode_start(content: bytes) -> tuple[dict[str, Value], str, float]:
    """Return the hparams by name, sorted, the group name and the start time of a session start.

    Numbers come back as floats, whatever they were: only their domain knows. What is neither
    number, text nor bool, as some other writers have it, is left out, as TensorBoard does.
    """
    info = metadata.parse_session_start_info_plugin_data(content)
    kinds = {name: info.hparams[name].WhichOneof("kind") for name in sorted(info.hparams)}
    values = {
        name: getattr(info.hparams[name], kind)
        for name, kind in kinds.items()
        if kind in ("number_value", "string_value", "bool_value")
    }
    return values, info.group_name, info.start_time_secs


def encode_end(status: Status, end_time_secs: float) -> summary_pb2.Summary:
    """Return the session end. It must be written once: TensorBoard shows the first for ever."""
    info = plugin_data_pb2.SessionEndInfo(status=_STATUS_TO_PB[status], end_time_secs=end_time_secs)
    return _encode_plugin_data(END_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=info))


def decode_end(content: bytes) -> tuple[Status, float]:
    """Return the status and the end time, in seconds since the epoch, of a session end."""
    info = metadata.parse_session_end_info_plugin_data(content)
    return _STATUS_FROM_PB.get(info.status, Status.RUNNING), info.end_time_secs


def encode_outcome(
    ending: Ending, *, split_seed: int | None = None, reason: str = ""
) -> summary_pb2.Summary:
    """Return our own record of how a run ended, which goes with the session end.

    With it goes a text for TensorBoard's Text tab if the run failed: the dashboard's status
    does not say in which way.

    Args:
        ending: how it ended.
        split_seed: by which it chose rows to train on or to hold out; None if it chose none.
        reason: the same for the user, in one line; empty where there is no more to say.
    """
    reason = reason.encode("utf-8", "backslashreplace").decode()  # an error may name any file
    outcome: dict[str, Any] = {"ending": ending.value}
    if split_seed is not None:
        outcome["split_seed"] = split_seed
    if reason:
        outcome["why"] = reason
    summary = summary_pb2.Summary(value=[_encode_own(_ENDING_TAG, outcome)])
    if ending.status is Status.FAILURE:
        summary.MergeFrom(encode_text(ENDED_TAG, _format_end(ending, reason)))
    return summary


def _format_end(ending: Ending, reason: str) -> str:
    # As code, so that what looks like Markdown or HTML is shown as it is.
    shown = "\n".join(f"    {line}" for line in reason.splitlines())
    return f"**{ending.value}**\n\n{shown}" if shown else f"**{ending.value}**"


def decode_outcome(value: summary_pb2.Summary.Value) -> dict[str, Any] | None:
    """Return what `encode_outcome` wrote; None if this is another summary."""
    if value.tag != _ENDING_TAG:
        return None
    return dict(json.loads(value.metadata.plugin_data.content))


def ending_of(outcome: Mapping[str, Any], status: Status) -> Ending | None:
    """Return why a run ended; None if it has not.

    Args:
        outcome: our own record of it. Files of other writers have none, and those of newer
            versions may name what this one does not know.
        status: the dashboard's.
    """
    if status is Status.RUNNING:
        return None
    return _ENDINGS.get(str(outcome.get("ending"))) or _ENDING_OF_FOREIGN.get(status)


def encode_identity(identity: Mapping[str, Any]) -> summary_pb2.Summary:
    """Return our own summary of a run: JSON data such as its seed."""
    return summary_pb2.Summary(value=[_encode_own(_IDENTITY_TAG, identity)])


def decode_identity(value: summary_pb2.Summary.Value) -> dict[str, Any] | None:
    """Return what `encode_identity` was given; None if this is another summary."""
    if value.tag != _IDENTITY_TAG:
        return None
    return dict(json.loads(value.metadata.plugin_data.content))


def _encode_own(tag: str, content: Mapping[str, Any]) -> summary_pb2.Summary.Value:
    plugin_data = summary_pb2.SummaryMetadata.PluginData(
        plugin_name=_OUR_PLUGIN, content=json.dumps(content).encode()
    )
    return summary_pb2.Summary.Value(
        tag=tag,
        metadata=summary_pb2.SummaryMetadata(plugin_data=plugin_data),
        tensor=metadata.NULL_TENSOR,
    )


def encode_scalar(tag: str, value: float) -> summary_pb2.Summary:
    """Return one point of a series; TensorBoard keeps it as a 32-bit float."""
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])


def encode_text(tag: str, markdown: str) -> summary_pb2.Summary:
    """Return a text for TensorBoard's Text tab. Source: plugins/text/metadata.py."""
    plugin_data = summary_pb2.SummaryMetadata.PluginData(plugin_name="text")
    return summary_pb2.Summary(
        value=[
            summary_pb2.Summary.Value(
                tag=tag,
                metadata=summary_pb2.SummaryMetadata(
                    plugin_data=plugin_data, data_class=summary_pb2.DATA_CLASS_TENSOR
                ),
                tensor=tensor_pb2.TensorProto(
                    dtype=types_pb2.DT_STRING,
                    tensor_shape=tensor_shape_pb2.TensorShapeProto(),
                    string_val=[markdown.encode()],
                ),
            )
        ]
    )


def encode_config(sweeps: Sequence[Sweep]) -> summary_pb2.Summary:
    """Return the one `hparams_config` that is right for all sweeps of an experiment.

    Its columns are the union of theirs. TensorBoard sorts `differs` first and then by
    name, and shows five, so `differs` is set on exactly what was varied, within a
    sweep or between two. The objective is the first metric, the newest sweep's.

    Args:
        sweeps: oldest first, at least one.

    Raises:
        LogdirError: if an hparam's types in two sweeps fit no single column.
    """
    newest = sweeps[-1]
    infos = [_merge_hparam(name, sweeps) for name in _list_hparams(sweeps)]
    labels = {
        "day": {sweep.day for sweep in sweeps},
        "sweep": {sweep.id for sweep in sweeps},
        "commit": {label for sweep in sweeps for label in sweep.commit_labels},
    }
    for name, values in labels.items():
        info = api_pb2.HParamInfo(name=name)
        Discrete(sorted(values)).update_hparam_info(info)
        infos.append(info)
    experiment = api_pb2.Experiment(
        name=newest.experiment,
        description=newest.description,
        hparam_infos=infos,
        metric_infos=_merge_metrics(sweeps),
    )
    return _encode_plugin_data(CONFIG_TAG, plugin_data_pb2.HParamsPluginData(experiment=experiment))


def _list_hparams(sweeps: Sequence[Sweep]) -> list[str]:
    """The names of all sweeps' hparams, the newest sweep's first, each in declared order."""
    return list(dict.fromkeys(axis.name for sweep in reversed(sweeps) for axis in sweep.space))


def _merge_hparam(name: str, sweeps: Sequence[Sweep]) -> api_pb2.HParamInfo:
    spaces = [sweep.space for sweep in sweeps]
    axes = [axis for space in spaces for axis in space if axis.name == name]
    for axis in axes:
        if not domains.is_compatible(axes[-1].domain, axis.domain):
            raise LogdirError(
                f"hparam {name!r} must keep its type within a log directory, as one dashboard "
                f"column shows it; it is {domains.describe_domain(axes[-1].domain)} and was "
                f"{domains.describe_domain(axis.domain)}. Rename it or choose another --logdir."
            )
    newest = axes[-1].hparam
    info = api_pb2.HParamInfo(
        name=name,
        display_name=newest.display_name or "",
        description=newest.description or "",
        differs=any(len(axis.levels) > 1 for axis in axes)
        or len({axis.levels[0] for axis in axes}) > 1,
    )
    domains.merge([axis.domain for axis in axes]).update_hparam_info(info)
    return info


def _merge_metrics(sweeps: Sequence[Sweep]) -> list[api_pb2.MetricInfo]:
    newest_first = list(reversed(sweeps))
    infos: dict[str, api_pb2.MetricInfo] = {}
    for sweep in newest_first:
        ranked = sorted(sweep.metrics, key=lambda m: metrics_of.key_of(m) != sweep.objective.metric)
        for metric in ranked:
            if metrics_of.key_of(metric) == sweep.objective.metric:
                best = _describe_objective(sweep.objective, metric)
                infos.setdefault(best.name.tag, best)
            info = _describe_metric(metrics_of.key_of(metric), metric)
            infos.setdefault(info.name.tag, info)
    for sweep in newest_first:
        for tag, description in _list_own_metrics(sweep).items():
            infos.setdefault(tag, Metric(tag, description=description).as_proto())
    return list(infos.values())


def _list_own_metrics(sweep: Sweep) -> dict[str, str]:
    """The tags that are written beside the user's metrics, and what they say."""
    own: dict[str, str] = {}
    tag = sweep.objective.tag
    if sweep.runs_per_trial > 1:
        own[tags.std(tag)] = "standard deviation over the trial's runs"
        own[tags.count(tag)] = "runs that the mean is of"
        own[tags.low(tag)] = "lower end of the mean's 95 % interval"
        own[tags.high(tag)] = "upper end of the mean's 95 % interval"
    if sweep.traits.prunes:
        own[tags.BUDGET] = "values reported before the run ended"
        if sweep.traits.has_rungs:
            own[tags.RUNG] = "rungs of the pruner's ladder that were completed"
    return own


def _describe_objective(objective: Objective, metric: Metric) -> api_pb2.MetricInfo:
    info = _describe_metric(objective.tag, metric)
    if objective.reduction is Reduction.BEST:
        info.display_name = f"{metrics_of.display_name_of(metric)} (best)"
    return info


def _describe_metric(tag: str, metric: Metric) -> api_pb2.MetricInfo:
    info = metric.as_proto()
    info.name.tag, info.name.group = tag, ""
    return info


def _encode_plugin_data(tag: str, data: plugin_data_pb2.HParamsPluginData) -> summary_pb2.Summary:
    return summary_pb2.Summary(
        value=[
            summary_pb2.Summary.Value(
                tag=tag,
                metadata=metadata.create_summary_metadata(data),
                # The value is never read, only its metadata.
                tensor=metadata.NULL_TENSOR,
            )
        ]
    )
