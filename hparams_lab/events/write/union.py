"""One `hparams_config` for several experiments, and session starts that fit it.

TensorBoard shows one config of all that it finds. A column has one type; where experiments
disagree about it, all of them show text there, as sorting a mixed column is an error of
TensorBoard's (HTTP 500).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.metric import display_name_of, key_of
from hparams_lab.declare.space import SearchSpace
from hparams_lab.events import schema
from hparams_lab.events.read.start import Start
from hparams_lab.runs.sweep import Sweep

EXPERIMENT = "experiment"
"""What the column of experiments is called, unless an hparam is called so."""

# From ten texts on, the filter is a box for a regular expression; which they are is moot.
_MAX_TEXTS = 1_000


@dataclass(frozen=True)
class Columns:
    """The columns of a dashboard on one experiment or several."""

    config: summary_pb2.Summary  # the one `hparams_config`
    as_text: frozenset[str]  # hparams whose types the sweeps disagree about, so that all show text
    # name of the hparam that says a row's experiment; empty where there is only one experiment
    experiment_column: str

    def fit(self, start: Start, sweep: Sweep, *, experiment: str, group_name: str) -> Start:
        """Return a run's session start as these columns need it; often the same.

        Args:
            start: as it was written.
            sweep: of the run.
            experiment: its name.
            group_name: Trial ID that no other trial of the experiment has.
        """
        values = dict(start.hparams)
        for axis in sweep.space:
            if axis.name in self.as_text and axis.name in values:
                values[axis.name] = _as_text(axis, values[axis.name])
        if self.experiment_column:
            values[self.experiment_column] = experiment
            group_name = f"{group_name}@{experiment}"
        return replace(start, hparams=values, group_name=group_name)


def unite(experiments: Mapping[str, Sequence[Sweep]]) -> Columns:
    """Return the columns of all sweeps: of one experiment, those of its own config.

    The objectives are the first metrics, the newest sweep's before the others'.

    Args:
        experiments: sweeps by the experiment's name, at least one sweep altogether.
    """
    sweeps = sorted(itertools.chain(*experiments.values()), key=lambda sweep: sweep.id)
    as_text = _find_disagreements(sweeps)
    if as_text:
        sweeps = [_with_texts(sweep, as_text) for sweep in sweeps]
    config = schema.encode_config(sweeps)
    if len(experiments) == 1:
        return Columns(config, as_text, "")
    content = config.value[0].metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    column = _name_column(experiment)
    info = experiment.hparam_infos.add(name=column, differs=True)
    Discrete(sorted(experiments)).update_hparam_info(info)
    _put_objectives_first(experiment, sweeps)
    _clear_disputed_names(experiment, [*experiments.values()])
    data = plugin_data_pb2.HParamsPluginData(experiment=experiment)
    config.value[0].metadata.CopyFrom(metadata.create_summary_metadata(data))
    return Columns(config, as_text, column)


def _find_disagreements(sweeps: Sequence[Sweep]) -> frozenset[str]:
    first: dict[str, Axis] = {}
    found = set()
    for axis in itertools.chain(*(sweep.space for sweep in sweeps)):
        if not domains.is_compatible(first.setdefault(axis.name, axis).domain, axis.domain):
            found.add(axis.name)
    return frozenset(found)


def _with_texts(sweep: Sweep, names: frozenset[str]) -> Sweep:
    """Return the sweep with texts for the values of some axes, and without conditions."""
    axes = [
        Axis(_make_text(axis)) if axis.name in names else replace(axis, when=None)
        for axis in sweep.space
    ]
    return replace(sweep, space=SearchSpace(axes))


def _make_text(axis: Axis) -> HParam:
    levels = itertools.islice(axis.levels, _MAX_TEXTS)
    texts = Discrete([domains.format_value(level) for level in levels], dtype=str)
    return HParam(axis.name, texts, axis.hparam.display_name, axis.hparam.description)


def _as_text(axis: Axis, value: domains.Value) -> str:
    typed = domains.as_type(axis.domain.dtype, value)
    return domains.format_value(value if typed is None else typed)


def _name_column(experiment: api_pb2.Experiment) -> str:
    """Return `EXPERIMENT`, or a like name that no hparam has."""
    taken = {info.name for info in experiment.hparam_infos}
    names = itertools.chain([EXPERIMENT], (f"{EXPERIMENT}_{n}" for n in itertools.count(2)))
    return next(name for name in names if name not in taken)


def _put_objectives_first(experiment: api_pb2.Experiment, sweeps: Sequence[Sweep]) -> None:
    tags = [sweep.objective.tag for sweep in reversed(sweeps)]
    rank = {tag: place for place, tag in reversed(list(enumerate(tags)))}
    infos = sorted(experiment.metric_infos, key=lambda info: rank.get(info.name.tag, len(tags)))
    del experiment.metric_infos[:]
    experiment.metric_infos.extend(infos)


def _clear_disputed_names(
    experiment: api_pb2.Experiment, groups: Sequence[Sequence[Sweep]]
) -> None:
    """Leave a column its plain name that experiments call by different ones.

    The name that one has for its loss is none for another's.
    """
    for infos, list_names in (
        (experiment.hparam_infos, _list_hparam_names),
        (experiment.metric_infos, _list_metric_names),
    ):
        names: dict[str, set[str]] = {}
        for sweeps in groups:
            for name, shown in list_names(sweeps).items():
                names.setdefault(name, set()).add(shown)
        for info in infos:
            name = info.name if isinstance(info.name, str) else info.name.tag
            if len(names.get(name, ())) > 1:
                info.ClearField("display_name")


def _list_hparam_names(sweeps: Sequence[Sweep]) -> dict[str, str]:
    """Return the newest display names of an experiment's hparams."""
    return {axis.name: axis.hparam.display_name or "" for sweep in sweeps for axis in sweep.space}


def _list_metric_names(sweeps: Sequence[Sweep]) -> dict[str, str]:
    """Return the newest display names of an experiment's metrics, by the tags of the columns."""
    names: dict[str, str] = {}
    for sweep in sweeps:
        shown = {key_of(metric): display_name_of(metric) for metric in sweep.metrics}
        names |= {sweep.objective.tag: shown[sweep.objective.metric]} | shown
    return names
