"""A Keras Tuner project directory as a sweep, read from its JSON files.

<directory>/<project_name>/
  oracle.json                       the space, the order of the trials, when they began
  trial_<id>/trial.json             values, metrics by step, score and status of a trial

A hyperparameter may stand in the space several times, each time under other conditions.
Keras Tuner itself is not needed. Its checkpoints stay where they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Domain, HParam, IntInterval, RealInterval

from hparams_lab.declare import tags
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.events.schema import Ending
from hparams_lab.interop.columns import HParamColumn, keep_axis, list_values, rename_columns
from hparams_lab.interop.imported import (
    ImportedRun,
    ImportedSearch,
    ImportedTrial,
    Points,
    write_sweep,
)

_ORACLE_FILE = "oracle.json"
_TRIAL_FILES = "trial_*/trial.json"
_VALIDATION_PREFIX = "val_"

# Of the others, RUNNING has no result yet or lost its process; IDLE and STOPPED never ran.
_ENDINGS = {
    "COMPLETED": Ending.COMPLETE,
    "FAILED": Ending.FAILED,
    "INVALID": Ending.FAILED,
}


def import_project(
    directory: Path | str, logdir: Path | str = "logs", *, name: str | None = None
) -> Path:
    """Put a Keras Tuner project onto the HParams board and return its sweep's directory.

    Each trial of the tuner is one of ours. Its metrics are those of its best step, of which
    its score is one; where it has several steps, their curves are `train/<metric>`,
    `validation/<metric>` and, of the objective, `report/<metric>`. Executions become
    repeats where the project has them apart: Keras Tuner keeps their mean as a rule.
    Hyperband's rounds are trials, distinguished by `tuner/epochs` and the like, as they are in
    Keras Tuner's own summary. Trials that are running are left out.

    The objective is the metric that the trials' scores are of, as Keras Tuner does not
    write it down. How long a trial took it does not write down either.

    Args:
        directory: of the project, `<directory>/<project_name>`.
        logdir: folder of the experiments' log directories.
        name: of the experiment; by default the project's.

    Raises:
        DeclarationError: if the name, a hyperparameter's or a metric's cannot be used.
        LogdirError: if the project cannot be read, or the log directory cannot be written,
            has this search already, or has sweeps of that name whose columns have other
            types.
        UsageError: if no trial is completed, or there are no hyperparameters.

    Example:
        lab.interop.keras_tuner.import_project("my_dir/mnist")

    Source:
        keras_tuner/src/engine/oracle.py, trial.py and metrics_tracking.py.
    """
    home = Path(directory).expanduser().absolute()
    oracle = _read_json(_find_oracle(home))
    known = [_read_trial(path) for path in sorted(home.glob(_TRIAL_FILES))]
    order = {trial_id: index for index, trial_id in enumerate(oracle.get("start_order", ()))}
    known.sort(key=lambda trial: order.get(trial.id, len(order)))
    trials = [trial for trial in known if trial.ending is not None]
    objective = _find_objective(trials, home)
    num_executions = _count_executions(trials)
    display = oracle.get("display") or {}
    space = oracle["hyperparameters"]["space"]
    return write_sweep(
        ImportedSearch(
            name=home.name if name is None else name,
            tool="keras-tuner",
            strategy="Hyperband" if "brackets" in oracle else "search",
            columns=_list_columns(space, [trial.values for trial in trials]),
            trials=[
                ImportedTrial(
                    index=known.index(trial),
                    values=trial.values,
                    runs=trial.list_runs(
                        objective.metric,
                        num_executions,
                        _parse_time((display.get("trial_start") or {}).get(trial.id)),
                    ),
                    notes={"Keras Tuner trial": trial.id},
                )
                for trial in trials
            ],
            metrics=_list_metrics(trials, objective.metric),
            objective=objective,
            repeats=num_executions,
            seed=oracle.get("seed") or 0,
            start=_parse_time(display.get("search_start")),
        ),
        logdir,
    )


def _find_oracle(home: Path) -> Path:
    path = home / _ORACLE_FILE
    if path.is_file():
        return path
    projects = sorted(found.parent.name for found in home.glob(f"*/{_ORACLE_FILE}"))
    hint = f"Name one of those in it: {', '.join(projects)}." if projects else "Name another."
    raise LogdirError(f"a Keras Tuner project has an {_ORACLE_FILE}; {home} has none. {hint}")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LogdirError(f"cannot read {path}: {error}. Mend it or move it away.") from error


def _read_trial(path: Path) -> _Trial:
    state = _read_json(path)
    try:
        return _Trial(state)
    except (KeyError, TypeError) as error:
        raise LogdirError(
            f"{path} is no trial as Keras Tuner writes it: {error!r}. Move it away."
        ) from error


def _parse_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True)
class _Observation:
    """A metric at a step: a value of each execution, as a rule their mean alone."""

    step: int
    values: Sequence[float]

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    def of(self, execution: int, num_executions: int) -> float:
        return self.values[execution] if num_executions > 1 else self.mean


class _Trial:
    """What a trial's file says.

    Args:
        state: decoded.

    Attributes:
        values: of the active hyperparameters; older versions list others too.
        id: Keras Tuner's.
        ending: why it ended; None if it has not.
        score: best value of the objective; None if there is none.
        metrics: observations by name, by step.
    """

    def __init__(self, state: Mapping[str, Any]) -> None:
        config = state["hyperparameters"]
        self._state = state
        self.values = drop_inactive(config["space"], config["values"])
        self.id = str(state["trial_id"])
        self.ending = _ENDINGS.get(state["status"])
        self.score: float | None = state["score"]
        self.metrics = {
            name: sorted(map(_decode_observation, history["observations"]), key=lambda o: o.step)
            for name, history in state["metrics"]["metrics"].items()
        }

    def has_scored(self, name: str) -> bool:
        """Whether the score is the best value of a metric."""
        if self.score is None or not self.metrics.get(name):
            return False
        best = max if self.direction(name) == "max" else min
        means = [each.mean for each in self.metrics[name] if not math.isnan(each.mean)]
        return bool(means) and math.isclose(best(means), self.score, rel_tol=1e-9)

    def direction(self, name: str) -> str:
        """Whether more of a metric is better: `max` or `min`."""
        return str(self._state["metrics"]["metrics"][name]["direction"])

    def list_runs(
        self, objective: str, num_executions: int, start: datetime | None
    ) -> list[ImportedRun]:
        """Return the trial's executions."""
        assert self.ending is not None
        start_secs = None if start is None else start.timestamp()
        failure = self._state.get("message") or f"Keras Tuner called it {self._state['status']}."
        is_complete = self.ending is Ending.COMPLETE
        count = num_executions if is_complete else 1
        return [
            ImportedRun(
                self.ending,
                self._list_scalars(objective, execution, count),
                start_time_secs=start_secs,
                failure="" if is_complete else failure,
            )
            for execution in range(count)
        ]

    def _list_scalars(self, objective: str, execution: int, count: int) -> dict[str, Points]:
        best_step = self._state.get("best_step") or 0
        scalars: dict[str, Points] = {}
        for name, observations in self.metrics.items():
            points = [(each.step, each.of(execution, count)) for each in observations]
            if len(points) > 1 or self.ending is not Ending.COMPLETE:
                scalars[_curve_tag(name)] = points
                if name == objective:
                    scalars[tags.reported(name)] = points
            at_best = [point for point in points if point[0] == best_step] or points[-1:]
            if self.ending is Ending.COMPLETE:
                scalars[name] = at_best
        return scalars


def _decode_observation(data: Mapping[str, Any]) -> _Observation:
    value = data["value"]
    return _Observation(int(data["step"]), value if isinstance(value, list) else [value])


def _curve_tag(name: str) -> str:
    """Return the tag of a metric's curve, as `run.callbacks()` has it."""
    if name.startswith(_VALIDATION_PREFIX):
        return f"validation/{name.removeprefix(_VALIDATION_PREFIX)}"
    return f"train/{name}"


def _find_objective(trials: Sequence[_Trial], home: Path) -> Objective:
    """Return what all scores are the best values of.

    Raises:
        UsageError: if no trial has a score, or no metric has them all.
    """
    scored = [trial for trial in trials if trial.ending is Ending.COMPLETE]
    if not scored:
        raise UsageError(f"a project must have a completed trial; {home} has none. Run its search.")
    # Metrics that are equal in all trials rank them alike.
    names = sorted(scored[0].metrics, key=lambda name: not name.startswith(_VALIDATION_PREFIX))
    for name in names:
        if all(trial.has_scored(name) for trial in scored):
            is_max = scored[0].direction(name) == "max"
            return maximize(name) if is_max else minimize(name)
    raise UsageError(
        f"the scores of a project must be of one metric; in {home} they are of none of "
        f"{', '.join(sorted(names)) or 'no metrics'}. Log its trials by hand."
    )


def _list_metrics(trials: Sequence[_Trial], objective: str) -> list[str]:
    """Return the metrics of all completed trials, the objective first."""
    completed = [trial for trial in trials if trial.ending is Ending.COMPLETE]
    return list(dict.fromkeys([objective, *(name for each in completed for name in each.metrics)]))


def _count_executions(trials: Sequence[_Trial]) -> int:
    """Return how many executions a trial has, 1 where only their means are kept."""
    counts = {
        len(observation.values)
        for trial in trials
        if trial.ending is Ending.COMPLETE
        for observations in trial.metrics.values()
        for observation in observations
    }
    return counts.pop() if len(counts) == 1 else 1


Entry = Mapping[str, Any]
"""A hyperparameter of a space, decoded: its class's name and its config."""


def drop_inactive(space: Sequence[Entry], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the hyperparameters whose conditions hold, and of unknown ones."""
    entries = _group(space)
    return {
        name: value
        for name, value in values.items()
        if name not in entries or any(_is_active(entry, values) for entry in entries[name])
    }


def _list_columns(space: Sequence[Entry], tried: Sequence[Mapping[str, Any]]) -> list[HParamColumn]:
    """Return the columns of the hyperparameters that trials have, in the space's order.

    Args:
        space: of the project.
        tried: the values of each trial.
    """
    entries = _group(space)
    in_values = dict.fromkeys(name for values in tried for name in values)
    columns: dict[str, HParamColumn] = {}
    # What is not in the space is the tuner's own.
    for name in dict.fromkeys([*(name for name in entries if name in in_values), *in_values]):
        values = [given[name] for given in tried if name in given]
        own = entries.get(name, [])
        column = _make_column(name, own, values)
        axis = replace(column.axis, when=_find_condition(own, columns))
        columns[name] = replace(column, axis=axis)
    return list(columns.values())


def _group(space: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the entries of a space by name: one may stand under several conditions."""
    entries: dict[str, list[Entry]] = {}
    for entry in space:
        entries.setdefault(entry["config"]["name"], []).append(entry)
    return entries


def _is_active(entry: Entry, values: Mapping[str, Any]) -> bool:
    return all(values.get(parent) in wanted for parent, wanted in _list_conditions(entry))


def _list_conditions(entry: Entry) -> Iterator[tuple[str, list[Any]]]:
    """Yield the parents of an entry and the values that they must have."""
    for condition in entry["config"].get("conditions") or ():
        yield condition["config"]["name"], condition["config"]["values"]


def _make_column(name: str, entries: Sequence[Entry], tried: Sequence[Any]) -> HParamColumn:
    """Return the column of a hyperparameter.

    Args:
        name: of the hyperparameter.
        entries: of the space, that have it.
        tried: its values.
    """
    axes = [axis for entry in entries if (axis := _describe_numbers(entry))]
    if axes and all(axis.encode_json() == axes[0].encode_json() for axis in axes):
        return keep_axis(axes[0], tried)
    listed = [value for entry in entries for value in _list_choices(entry)]
    return list_values(name, [*listed, *tried], is_sampled=bool(axes))


def _describe_numbers(entry: Entry) -> Axis | None:
    """Return the axis of an entry that is an interval; None of one that is none."""
    kind, config = entry["class_name"], entry["config"]
    if kind not in ("Int", "Float"):
        return None
    low, high = config["min_value"], config["max_value"]
    domain: Domain = (
        IntInterval(low, high) if kind == "Int" else RealInterval(float(low), float(high))
    )
    hparam = HParam(rename_columns(config["name"]), domain)
    if config.get("sampling") == "log":  # whose step is a factor
        return Axis(hparam, scale="log")
    step = config.get("step")
    return Axis(hparam, step=None if kind == "Int" and step == 1 else step)


def _list_choices(entry: Entry) -> list[Any]:
    """Return the values of an entry that lists them."""
    kind, config = entry["class_name"], entry["config"]
    if kind == "Boolean":
        return [False, True]
    return [config["value"]] if kind == "Fixed" else list(config.get("values") or ())


def _find_condition(
    entries: Sequence[Entry], earlier: Mapping[str, HParamColumn]
) -> dict[str, list[Value]] | None:
    """Return when a hyperparameter exists; None if always, or if one condition cannot say."""
    wanted = [dict(_list_conditions(entry)) for entry in entries]
    parents = {name for each in wanted for name in each}
    if not parents <= {*earlier} or any({*each} != parents for each in wanted):
        return None
    if len(wanted) > 1 and len(parents) > 1:
        return None
    return {
        earlier[name].axis.name: list(
            dict.fromkeys(earlier[name].encode(value) for each in wanted for value in each[name])
        )
        for name in parents
    } or None
