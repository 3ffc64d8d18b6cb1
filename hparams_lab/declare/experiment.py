"""The frozen declaration of an experiment: what is varied, measured, sought and run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import HParam, Metric

from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Objective
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import DeclarationError, did_you_mean


@dataclass(frozen=True, eq=False, kw_only=True)
class Experiment:
    """An experiment, declared once at the end of its module.

    Importing the module again, elsewhere or another day, must give an equal
    declaration: no clock, no randomness, no environment in it.

    Attributes:
        name: also the file's name and the folder's name in the log directory.
        hparams: axes of the search space, `hp.HParam` or `lab.Axis`.
        metrics: what every run must return or log.
        objective: `lab.maximize(...)` or `lab.minimize(...)` of one of the metrics.
        train: called once a run with a `lab.Run`; returns metric to final value.
        load_data: called once a sweep; its result is `run.data`, which runs share and
            must neither change nor use up. It returns arrays, not tensors: runs are forked from the
            process that loaded them, and TensorFlow does not survive a fork once it
            has run an operation.
        description: Markdown, kept in the `hparams_config`. The question that
            `hparams_lab list` shows is the first line of the module's docstring.
        space: the product of the hparams, as axes; not an argument.

    Raises:
        DeclarationError: if it breaks rules; it names all of them at once.
    """

    name: str
    hparams: Sequence[HParam | Axis]
    metrics: Sequence[Metric]
    objective: Objective
    train: Callable[[Any], Mapping[Any, float]]
    load_data: Callable[[], Any] | None = None
    description: str = ""
    space: SearchSpace = field(init=False, repr=False)

    def __post_init__(self) -> None:
        problems: list[str] = [
            *find_name_problems(self.name),
            *_find_sequence_problems(self),
            *_find_function_problems(self),
        ]
        if isinstance(self.hparams, Iterable):
            object.__setattr__(self, "hparams", tuple(self.hparams))
            try:
                object.__setattr__(self, "space", SearchSpace(self.hparams))
            except DeclarationError as error:
                problems += error.problems
        if isinstance(self.metrics, Iterable):
            metrics = tuple(self.metrics)
            object.__setattr__(self, "metrics", metrics)
            problems += metrics_of.find_problems(metrics) + _find_objective_problems(
                self.objective, metrics
            )
        if problems:
            raise DeclarationError(problems)

    @property
    def metric_keys(self) -> tuple[str, ...]:
        """The keys of the metrics, in declared order."""
        return tuple(metrics_of.key_of(metric) for metric in self.metrics)


def find_name_problems(name: Any) -> list[str]:
    """Return the problems of an experiment's name."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return [f"an experiment must have a printable name; got {name!r}. Name it."]
    if "/" in name or "\\" in name or name[0] in ".-" or name != name.strip():
        return [
            f"an experiment's name is a folder of the log directory, so it must not contain a "
            f"slash, nor begin with '.', '-' or a space; got {name!r}. Rename it."
        ]
    return []


def _find_sequence_problems(experiment: Experiment) -> list[str]:
    return [
        f"the {key} of experiment {experiment.name!r} must be a list; got "
        f"{getattr(experiment, key)!r}. Put them in [...]."
        for key in ("hparams", "metrics")
        if not isinstance(getattr(experiment, key), Iterable)
    ]


def _find_function_problems(experiment: Experiment) -> list[str]:
    problems: list[str] = []
    if not callable(experiment.train):
        problems.append(
            f"train of experiment {experiment.name!r} must be a function of a run; got "
            f"{experiment.train!r}. Pass the function itself."
        )
    if experiment.load_data is not None and not callable(experiment.load_data):
        problems.append(
            f"load_data of experiment {experiment.name!r} must be a function without arguments; "
            f"got {experiment.load_data!r}. Pass the function, not its result."
        )
    return problems


def _find_objective_problems(objective: Any, metrics: Sequence[Any]) -> list[str]:
    if not isinstance(objective, Objective):
        return [
            f"the objective must say what is sought; got {objective!r}. Write "
            "lab.maximize(tag) or lab.minimize(tag)."
        ]
    keys = [metrics_of.key_of(metric) for metric in metrics]
    if objective.tag != objective.metric and objective.tag in keys:
        return [
            f"metric {objective.tag!r} must not be declared, as the objective's best value is "
            "written under that tag. Rename it."
        ]
    if not keys or objective.metric in keys:
        return []
    hint = did_you_mean(objective.metric, keys) or " Declare it or choose one of them."
    return [
        f"the objective must be a declared metric ({', '.join(keys)}); got "
        f"{objective.metric!r}.{hint}"
    ]
