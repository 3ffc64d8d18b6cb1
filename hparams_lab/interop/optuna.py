"""An Optuna study as a sweep: its distributions are axes, its trials are trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric, RealInterval

from hparams_lab.declare import domains, tags
from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.events.schema import Ending
from hparams_lab.interop.columns import HParamColumn, keep_axis, list_values, rename_columns
from hparams_lab.interop.imported import (
    ImportedRun,
    ImportedSearch,
    ImportedTrial,
    Points,
    write_sweep,
)

_ENDINGS = {
    TrialState.COMPLETE: Ending.COMPLETE,
    TrialState.PRUNED: Ending.PRUNED,
    TrialState.FAIL: Ending.FAILED,
}


def import_study(study: Study, logdir: Path | str = "logs", *, name: str | None = None) -> Path:
    """Put an Optuna study onto the HParams board and return its sweep's directory.

    A trial keeps its number and its times. Its value is the metric `value`, or what
    `set_metric_names` calls it; what it reported on the way is `report/<metric>`, and all
    that a pruned trial has. User attributes that are numbers are metrics too, the others
    stand in the run card. Trials that are waiting or running are left out.

    Of several objectives all values are metrics (`value_0`, `value_1`, ...), and the first
    ranks the trials.

    Args:
        study: with at least one trial that has ended.
        logdir: folder of the experiments' log directories.
        name: of the experiment; by default the study's.

    Raises:
        DeclarationError: if the name, a parameter's or a metric's cannot be used.
        LogdirError: if the log directory cannot be written, has this study already, or has
            sweeps of that name whose columns have other types.
        UsageError: if no trial has ended, or none has a parameter.

    Example:
        study.optimize(objective, n_trials=100)
        lab.interop.optuna.import_study(study)
    """
    trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state in _ENDINGS]
    values = _name_values(study)
    attributes = _list_numbers(trials, taken={*values})
    objective = _find_objective(study.directions[0], values[0])
    return write_sweep(
        ImportedSearch(
            name=study.study_name if name is None else name,
            tool="optuna",
            strategy="study",  # a study that was loaded does not know its sampler
            columns=_list_columns(trials),
            trials=[
                ImportedTrial(
                    index=trial.number,
                    values=trial.params,
                    runs=[_make_run(trial, values, attributes)],
                    notes={
                        "Optuna trial": str(trial.number),
                        **{key: str(value) for key, value in trial.user_attrs.items()},
                    },
                )
                for trial in trials
            ],
            metrics=[*values, *attributes],
            objective=objective,
            start=min((_began(trial) for trial in trials), default=None),
        ),
        logdir,
    )


def _name_values(study: Study) -> list[str]:
    if study.metric_names:
        return list(study.metric_names)
    count = len(study.directions)
    return ["value"] if count == 1 else [f"value_{place}" for place in range(count)]


def _find_objective(direction: StudyDirection, metric: str) -> Objective:
    return maximize(metric) if direction is StudyDirection.MAXIMIZE else minimize(metric)


def _list_numbers(trials: Sequence[FrozenTrial], taken: set[str]) -> list[str]:
    """Return the user attributes that are numbers throughout and can be metrics."""
    found: dict[str, bool] = {}
    for trial in trials:
        for key, value in trial.user_attrs.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            found[key] = found.get(key, True) and is_number
    return [
        key
        for key, is_number in found.items()
        if is_number and key not in taken and not metrics_of.find_problems([Metric(key)])
    ]


def _began(trial: FrozenTrial) -> datetime:
    # One that was added by hand, or failed before it began, has no start.
    began = trial.datetime_start or trial.datetime_complete
    assert began is not None  # it has ended
    return began


def _make_run(
    trial: FrozenTrial, value_tags: Sequence[str], attributes: Sequence[str]
) -> ImportedRun:
    ending = _ENDINGS[trial.state]
    last_step = trial.last_step or 0
    scalars: dict[str, Points] = {}
    if trial.intermediate_values:
        scalars[tags.reported(value_tags[0])] = sorted(trial.intermediate_values.items())
    if ending is Ending.COMPLETE:
        pairs = zip(value_tags, trial.values, strict=True)
        scalars |= {tag: [(last_step, value)] for tag, value in pairs}
    for key in attributes:
        if key in trial.user_attrs:
            scalars[key] = [(last_step, float(trial.user_attrs[key]))]
    return ImportedRun(
        ending,
        scalars,
        start_time_secs=_began(trial).timestamp(),
        wall_secs=trial.duration.total_seconds() if trial.duration else 0.0,
        failure=_describe_failure(trial) if ending is Ending.FAILED else "",
    )


def _describe_failure(trial: FrozenTrial) -> str:
    return str(trial.system_attrs.get("fail_reason") or "Optuna counts the trial as failed.")


def _list_columns(trials: Sequence[FrozenTrial]) -> list[HParamColumn]:
    """Return the columns of the parameters, those that every trial has first."""
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    in_order = sorted(names, key=lambda name: not all(name in trial.params for trial in trials))
    return [
        _make_column(name, [each for each in trials if name in each.params]) for name in in_order
    ]


def _make_column(name: str, trials: Sequence[FrozenTrial]) -> HParamColumn:
    values = [trial.params[name] for trial in trials]
    # A study may change the bounds as it goes.
    given = list(dict.fromkeys(trial.distributions[name] for trial in trials))
    axes = [axis for each in given if (axis := _describe_interval(rename_columns(name), each))]
    if len(axes) == len(given):
        return keep_axis(_merge(axes), values)
    listed = [
        choice
        for distribution in given
        if isinstance(distribution, CategoricalDistribution)
        for choice in distribution.choices
    ]
    return list_values(name, [*listed, *values], is_sampled=bool(axes))


def _describe_interval(name: str, distribution: BaseDistribution) -> Axis | None:
    """Return the axis of a distribution of numbers; None of another."""
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return None
    is_int = isinstance(distribution, IntDistribution)
    domain = (IntInterval if is_int else RealInterval)(distribution.low, distribution.high)
    if distribution.log:
        return Axis(HParam(name, domain), scale="log")
    return Axis(
        HParam(name, domain), step=None if distribution.step == 1 and is_int else distribution.step
    )


def _merge(axes: Sequence[Axis]) -> Axis:
    """Return the axis that holds all of them, spaced as they are where they agree."""
    first = axes[0]
    if len(axes) == 1:
        return first
    domain = domains.merge([axis.domain for axis in axes])
    scales: Mapping[str, Any] = dict.fromkeys(axis.scale for axis in axes)
    return Axis(HParam(first.name, domain), scale=first.scale if len(scales) == 1 else "linear")
