"""A fitted search of scikit-learn as a sweep: candidates are trials, their folds runs.

It reads the search's public attributes alone, so that searches of other libraries that
have them, and any estimator, will do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, RealInterval

from hparams_lab.declare import tags
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Objective, maximize
from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Ending
from hparams_lab.interop.columns import HParamColumn, keep_axis, list_values, rename_columns
from hparams_lab.interop.imported import (
    ImportedRun,
    ImportedSearch,
    ImportedTrial,
    write_sweep,
)

_FIT_TIME, _SCORE_TIME = "fit_time", "score_time"
_ITERATION, _RESOURCES = "iter", "n_resources"


def log_search(search: Any, logdir: Path | str = "logs", *, name: str | None = None) -> Path:
    """Put a fitted search onto the HParams board and return its sweep's directory.

    Each candidate is a trial and each split of the data a run of it. Test scores are the
    metrics, under the scorers' names (`score` where there is one scorer); training scores
    are `train/<scorer>`. The objective is the score that `refit` names. `fit_time` and
    `score_time` are means over the splits, in seconds, as scikit-learn keeps no others.

    A split with the error score NaN is a failed run. A candidate that successive halving
    dropped is a pruned trial: its scores stand under `report/<scorer>`, at the resources
    that each iteration gave it, but it has no result to be compared with full ones.
    Parameters that are neither numbers, bools nor strings are shown as text; those that
    are dicts throughout, as `model_kwargs` of Keras's wrappers, are taken apart into
    `model_kwargs__units` and so on.

    The sweep bears the time of this call; calling again makes another sweep.

    Args:
        search: a fitted `GridSearchCV`, `RandomizedSearchCV`, `HalvingGridSearchCV` or
            `HalvingRandomSearchCV`, or one that has the same attributes.
        logdir: folder of the experiments' log directories.
        name: of the experiment; by default the estimator's class, of a pipeline its last.

    Raises:
        DeclarationError: if the name, a parameter's or a scorer's cannot be used.
        LogdirError: if the log directory cannot be written, or has sweeps of that name
            whose columns have other types.
        UsageError: if the search is not fitted, or varies nothing.

    Example:
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1, 10]}).fit(x, y)
        lab.interop.sklearn.log_search(search)

    Source:
        https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.GridSearchCV.html
    """
    if not hasattr(search, "cv_results_"):
        raise UsageError(
            f"a search must be fitted before it is logged; got {type(search).__name__} without "
            "cv_results_. Call its fit."
        )
    results = _Results(search)
    trials = list(_list_trials(results))
    return write_sweep(
        ImportedSearch(
            name=_name_estimator(search.estimator) if name is None else name,
            tool="scikit-learn",
            strategy=type(search).__name__,
            columns=_list_columns(search, [trial.values for trial in trials]),
            trials=trials,
            metrics=results.metrics,
            objective=results.objective,
            repeats=results.repeats,
            folds=results.folds,
            seed=search.random_state if _is_seed(getattr(search, "random_state", None)) else 0,
        ),
        logdir,
    )


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _name_estimator(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    return _name_estimator(steps[-1][1]) if steps else type(estimator).__name__


class _Results:
    """What `cv_results_` says, row by row: a candidate, in an iteration where it is halved.

    Args:
        search: fitted.
    """

    def __init__(self, search: Any) -> None:
        self._table: Mapping[str, Any] = search.cv_results_
        self.params: Sequence[Mapping[str, Any]] = self._table["params"]
        self.num_splits: int = search.n_splits_
        self.is_halved = _ITERATION in self._table
        # A parameter that is the resource is no choice: it grows as the search goes on.
        self.resource = getattr(search, "resource", "") if self.is_halved else ""
        self.scorers = [
            key.removeprefix("split0_test_")
            for key in self._table
            if key.startswith("split0_test_")
        ]
        self._has_train = f"split0_train_{self.scorers[0]}" in self._table
        refit = getattr(search, "refit", None)
        self.objective: Objective = maximize(refit if refit in self.scorers else self.scorers[0])
        self._repeats = getattr(getattr(search, "cv", None), "n_repeats", 1)

    @property
    def repeats(self) -> int:
        """How often the data was split anew."""
        return self._repeats if self.num_splits % self._repeats == 0 else 1

    @property
    def folds(self) -> int | None:
        """How many splits there are each time; None of a single one."""
        folds = self.num_splits // self.repeats
        return folds if folds > 1 else None

    @property
    def metrics(self) -> list[str]:
        """The tags of the metrics."""
        train = [f"train/{scorer}" for scorer in self.scorers] if self._has_train else []
        halving = [_ITERATION, _RESOURCES] if self.is_halved else []
        return [*self.scorers, *train, _FIT_TIME, _SCORE_TIME, *halving]

    def iteration(self, row: int) -> int:
        """The iteration of a row, 0-based."""
        return int(self._table[_ITERATION][row]) if self.is_halved else 0

    @property
    def num_iterations(self) -> int:
        """How many iterations there are."""
        return 1 + max(self.iteration(row) for row in range(len(self.params)))

    def step(self, row: int) -> int:
        """The resources that a row had, 0 where none are counted."""
        return int(self._table[_RESOURCES][row]) if self.is_halved else 0

    def score(self, row: int, split: int, scorer: str) -> float:
        """A test score."""
        return float(self._table[f"split{split}_test_{scorer}"][row])

    def own_values(self, row: int, split: int) -> dict[str, float]:
        """What a row says of one split alone, test scores and training scores, by tag."""
        values = {scorer: self.score(row, split, scorer) for scorer in self.scorers}
        if self._has_train:
            for scorer in self.scorers:
                key = f"split{split}_train_{scorer}"
                values[f"train/{scorer}"] = float(self._table[key][row])
        return values

    def shared_values(self, row: int) -> dict[str, float]:
        """What a row says of all splits together, by tag."""
        keys = {_FIT_TIME: f"mean_{_FIT_TIME}", _SCORE_TIME: f"mean_{_SCORE_TIME}"}
        if self.is_halved:
            keys |= {_ITERATION: _ITERATION, _RESOURCES: _RESOURCES}
        return {tag: float(self._table[key][row]) for tag, key in keys.items()}

    def wall_secs(self, row: int) -> float:
        """How long a split took, on average."""
        shared = self.shared_values(row)
        return shared[_FIT_TIME] + shared[_SCORE_TIME]


@dataclass(frozen=True)
class _Candidate:
    """A point and its rows, one an iteration."""

    values: Mapping[str, Any]
    rows: Sequence[int]


def _list_candidates(results: _Results) -> list[_Candidate]:
    """Return the candidates in the order of their first rows.

    Random search may draw a point twice: the nth of an iteration goes on as the nth of the
    next.
    """
    found: dict[tuple[str, int], _Candidate] = {}
    seen: Counter[tuple[int, str]] = Counter()
    for row, params in enumerate(results.params):
        values = {name: value for name, value in params.items() if name != results.resource}
        text = repr(sorted(values.items()))
        place = (results.iteration(row), text)
        key = text, seen[place]
        seen[place] += 1
        known = found.get(key, _Candidate(values, ()))
        found[key] = replace(known, rows=(*known.rows, row))
    return list(found.values())


def _list_trials(results: _Results) -> Iterator[ImportedTrial]:
    candidates = _list_candidates(results)
    flat = flatten([candidate.values for candidate in candidates])
    for index, (candidate, values) in enumerate(zip(candidates, flat, strict=True)):
        yield ImportedTrial(
            index=index,
            values=values,
            runs=[_make_run(results, candidate, split) for split in range(results.num_splits)],
        )


def _make_run(results: _Results, candidate: _Candidate, split: int) -> ImportedRun:
    objective = results.objective.metric
    rows = candidate.rows
    last = rows[-1]
    values = results.own_values(last, split)
    if split == 0:
        # Once, as it is of all splits: repeated, it would seem to have no spread.
        values |= results.shared_values(last)
    ending, failure = Ending.COMPLETE, ""
    if math.isnan(values[objective]):
        values = {tag: value for tag, value in values.items() if not math.isnan(value)}
        ending = Ending.FAILED
        failure = "scikit-learn gave this split the error score: it was not fitted or not scored."
    elif results.iteration(last) + 1 < results.num_iterations:
        ending = Ending.PRUNED
        del values[objective]
    step = results.step(last)
    scalars = {tag: [(step, value)] for tag, value in values.items()}
    if results.is_halved:
        scores = [(results.step(row), results.score(row, split, objective)) for row in rows]
        reported = [point for point in scores if not math.isnan(point[1])]
        scalars |= {tags.reported(objective): reported} if reported else {}
    wall_secs = sum(results.wall_secs(row) for row in rows)
    return ImportedRun(ending, scalars, wall_secs=wall_secs, failure=failure)


# scipy.stats.loguniform is reciprocal under another name.
_LOG_DISTRIBUTIONS = ("loguniform", "reciprocal")


def flatten(candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the candidates' parameters, those that are dicts throughout taken apart.

    So are the arguments of a Keras model's builder, which are all in one parameter.

    Example:
        >>> flatten([{"model_kwargs": {"units": 8}}, {"model_kwargs": {"units": 16}}])
        [{'model_kwargs__units': 8}, {'model_kwargs__units': 16}]
    """
    nested = _find_nested(candidates)
    return [_take_apart(candidate, nested) for candidate in candidates]


def _find_nested(candidates: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the parameters that are never anything but a dict with words as keys."""
    names = {name for candidate in candidates for name in candidate}
    return {
        name
        for name in names
        if all(_is_nested(candidate[name]) for candidate in candidates if name in candidate)
    }


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(key, str) for key in value)


def _take_apart(candidate: Mapping[str, Any], nested: set[str]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in candidate.items():
        items = {f"{name}__{key}": item for key, item in value.items()} if name in nested else {}
        flat |= items or {name: value}
    return flat


def _list_columns(search: Any, candidates: Sequence[Mapping[str, Any]]) -> list[HParamColumn]:
    """Return the columns of what was searched, those that every candidate has first.

    Args:
        search: may say what its grids or distributions are.
        candidates: the parameters of each, flat.
    """
    spaces = _list_spaces(search)
    names = dict.fromkeys(name for values in candidates for name in values)
    columns: dict[str, HParamColumn] = {}
    for name in sorted(names, key=lambda name: not all(name in values for values in candidates)):
        tried = [values[name] for values in candidates if name in values]
        column = _make_column(name, [space[name] for space in spaces if name in space], tried)
        when = _find_condition(name, columns, spaces)
        columns[name] = replace(column, axis=replace(column.axis, when=when))
    return list(columns.values())


def _list_spaces(search: Any) -> list[Mapping[str, Any]]:
    """Return the grids or distributions that were asked for, flat; empty if there are none."""
    for attribute in ("param_grid", "param_distributions"):
        if given := getattr(search, attribute, None):
            return [
                _flatten_space(each) for each in ([given] if isinstance(given, Mapping) else given)
            ]
    return []


def _flatten_space(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grid whose lists of dicts are lists of each of their items."""
    flat: dict[str, Any] = {}
    for name, spec in space.items():
        if hasattr(spec, "rvs") or not all(map(_is_nested, spec)):
            flat[name] = spec
            continue
        for choice in spec:
            for key, item in choice.items():
                flat.setdefault(f"{name}__{key}", []).append(item)
    return flat


def _make_column(name: str, specs: Sequence[Any], tried: Sequence[Any]) -> HParamColumn:
    """Return the column of a parameter.

    Args:
        name: of the parameter.
        specs: lists of values and distributions, one for each grid that has it.
        tried: its values.
    """
    distributions = [spec for spec in specs if hasattr(spec, "rvs")]
    if len(specs) == 1 and (axis := _describe_distribution(name, specs[0])):
        return keep_axis(axis, tried)
    listed = [] if distributions else [value for spec in specs for value in spec]
    return list_values(name, [*listed, *tried], is_sampled=bool(distributions))


def _describe_distribution(name: str, spec: Any) -> Axis | None:
    """Return the axis of a frozen distribution of SciPy; None where it has no bounds."""
    if not hasattr(spec, "support"):
        return None
    low, high = (float(bound) for bound in spec.support())
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    kind = spec.dist
    if hasattr(kind, "pmf"):
        return Axis(HParam(rename_columns(name), IntInterval(int(low), int(high))))
    scale = "log" if kind.name in _LOG_DISTRIBUTIONS else "linear"
    return Axis(HParam(rename_columns(name), RealInterval(low, high)), scale=scale)


def _find_condition(
    name: str, earlier: Mapping[str, HParamColumn], spaces: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]] | None:
    """Return the parameter whose values say which of the grids have another; None if none.

    Args:
        name: of the other parameter.
        earlier: columns that it may depend on, by name.
        spaces: the grids.
    """
    having = [space for space in spaces if name in space]
    lacking = [space for space in spaces if name not in space]
    if not having or not lacking:
        return None
    for parent, column in earlier.items():
        values, others = (_list_levels(parent, column, side) for side in (having, lacking))
        if values and others and not {*values} & {*others}:
            return {column.axis.name: values}
    return None


def _list_levels(
    name: str, column: HParamColumn, spaces: Sequence[Mapping[str, Any]]
) -> list[Value]:
    """Return the values of a parameter; empty unless each of the grids lists some."""
    specs = [space.get(name, ()) for space in spaces]
    if any(hasattr(spec, "rvs") or not len(spec) for spec in specs):
        return []
    return list(dict.fromkeys(column.encode(value) for spec in specs for value in spec))
