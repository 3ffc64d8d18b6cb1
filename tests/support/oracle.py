"""The oracle: TensorBoard itself, asked what its HParams dashboard would show.

In process, through the plugin's own backend, without TensorFlow. `servers` asks the real
program the same over HTTP.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from tensorboard.plugins.hparams import api_pb2, metadata

# TensorBoard's own switch: it reads files by itself instead of importing TensorFlow.
sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))

from tensorboard import context  # noqa: E402 - these look for TensorFlow when imported
from tensorboard.backend.event_processing import (  # noqa: E402
    data_ingester,
    data_provider,
    plugin_event_accumulator,
    plugin_event_multiplexer,
)
from tensorboard.plugins import base_plugin  # noqa: E402
from tensorboard.plugins.hparams import (  # noqa: E402
    backend_context,
    get_experiment,
    list_session_groups,
)
from tensorboard.util import tensor_util  # noqa: E402

_ALL_STATUSES = list(api_pb2.Status.values())
_ENDED = (api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE)


@dataclass(frozen=True)
class Board:
    """What the dashboard has to show.

    Attributes:
        experiment: its columns.
        session_groups: its rows.
    """

    experiment: api_pb2.Experiment
    session_groups: Sequence[api_pb2.SessionGroup]

    @property
    def hparams(self) -> list[str]:
        """The names of the hparam columns, from left to right."""
        return [info.name for info in self.experiment.hparam_infos]

    @property
    def differing(self) -> list[str]:
        """The hparam columns that are marked as varied, from left to right."""
        return [info.name for info in self.experiment.hparam_infos if info.differs]

    @property
    def metrics(self) -> list[str]:
        """The tags of the metric columns, from left to right."""
        return [info.name.tag for info in self.experiment.metric_infos]

    @property
    def trial_ids(self) -> list[str]:
        """The Trial IDs, sorted."""
        return sorted(group.name for group in self.session_groups)

    @property
    def statuses(self) -> list[str]:
        """The status of each session, by Trial ID."""
        in_order = sorted(self.session_groups, key=lambda group: group.name)
        return [api_pb2.Status.Name(s.status) for group in in_order for s in group.sessions]

    def column(self, tag: str) -> dict[str, float]:
        """Return the values of a metric column by Trial ID, without the empty cells."""
        return {
            group.name: value.value
            for group in self.session_groups
            for value in group.metric_values
            if value.name.tag == tag
        }

    def values(self, trial_id: str) -> dict[str, Any]:
        """Return the hparams of a row: numbers as floats."""
        (group,) = (group for group in self.session_groups if group.name == trial_id)
        return {name: json_format.MessageToDict(v) for name, v in group.hparams.items()}

    def has_ended(self, num_sessions: int) -> bool:
        """Return whether so many sessions are there, all ended: their files are read whole."""
        ends = [s.status in _ENDED for group in self.session_groups for s in group.sessions]
        return len(ends) == num_sessions and all(ends)


def read_board(logdir: Path) -> Board:
    """Return what TensorBoard's backend, with the loader in Python, makes of a log directory."""
    multiplexer = _load(logdir)
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(logdir))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request_context = context.RequestContext()
    experiment = get_experiment.Handler(
        request_context, backend, "", api_pb2.GetExperimentRequest()
    ).run()
    groups = list_session_groups.Handler(
        request_context, backend, "", ask_for_rows(experiment)
    ).run()
    return Board(experiment, groups.session_groups)


def count_configs(logdir: Path) -> int:
    """Return how many `hparams_config`s TensorBoard finds, of which it would pick any."""
    contents = _load(logdir).PluginRunToTagToContent(metadata.PLUGIN_NAME)
    return sum(metadata.EXPERIMENT_TAG in tags for tags in contents.values())


def _load(logdir: Path) -> plugin_event_multiplexer.EventMultiplexer:
    multiplexer = plugin_event_multiplexer.EventMultiplexer(
        size_guidance=data_ingester.DEFAULT_SIZE_GUIDANCE,
        tensor_size_guidance=data_ingester.DEFAULT_TENSOR_SIZE_GUIDANCE,
    )
    multiplexer.AddRunsFromDirectory(str(logdir))
    multiplexer.Reload()
    return multiplexer


def read_scalars(run_dir: Path) -> dict[str, list[tuple[int, float, float]]]:
    """Return every point of a run as TensorBoard has it: step, wall time and value by tag."""
    accumulator = plugin_event_accumulator.EventAccumulator(
        str(run_dir), size_guidance={plugin_event_accumulator.TENSORS: 0}
    )
    accumulator.Reload()
    return {
        tag: [
            (event.step, event.wall_time, tensor_util.make_ndarray(event.tensor_proto).item())
            for event in accumulator.Tensors(tag)
        ]
        for tag in accumulator.PluginTagToContent("scalars")
    }


def ask_for_rows(experiment: api_pb2.Experiment) -> api_pb2.ListSessionGroupsRequest:
    """Return the request that the dashboard sends: of all rows, the columns it knows."""
    return api_pb2.ListSessionGroupsRequest(
        allowed_statuses=_ALL_STATUSES,
        aggregation_type=api_pb2.AGGREGATION_AVG,
        col_params=[
            api_pb2.ColParams(hparam=info.name, include_in_result=True)
            for info in experiment.hparam_infos
        ],
        slice_size=1_000_000,
    )
