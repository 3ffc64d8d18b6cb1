"""What a user may ask of a sweep; the options of its executor and search are their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hparams_lab.catalog.option import Options, list_options, option
from hparams_lab.catalog.registry import Registry
from hparams_lab.errors import UsageError
from hparams_lab.executors.catalog import DEFAULT_EXECUTOR, EXECUTORS
from hparams_lab.search.catalog import DEFAULT_SEARCH, STRATEGIES
from hparams_lab.search.race import MIN_RUNS

# Two digits in a run's name, so that none begins with another's whole name.
_MAX_RUNS_OF_A_KIND = 100


@dataclass(frozen=True, kw_only=True)
class ExecutionOptions(Options):
    """How runs are executed, of a new sweep as of one that is resumed.

    Raises:
        UsageError: if an option is out of range, or the executor does not have it.
    """

    trials: int | None = option(
        "run at most so many trials, those done included", at_least=1, is_kept=False
    )
    executor: str | None = option(
        "where to run", choices=EXECUTORS, unset="as before", is_kept=False
    )
    workers: int | None = option("runs at a time", at_least=1, unset="one a usable processor")
    time_budget_secs: float | None = option(
        "begin no more runs after so long", above=0, unit="seconds", is_kept=False
    )
    # after so many failures in a row no more runs begin; None: any
    max_failures: int | None = option(
        "begin no more runs after so many failures in a row",
        at_least=1,
        label="limit of failures",
    )
    # of the executor, by name; None is not given
    executor_options: Mapping[str, Any] = field(default_factory=dict)
    command: Sequence[str] = ()  # the words of the command line, for the record

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.executor_options.items():
            EXECUTORS.options[name].check(value)
        if self.executor is not None:
            EXECUTORS.make_options(self.executor, self.executor_options)

    @property
    def kept(self) -> dict[str, Any]:
        """What was given of execution that holds when the sweep is resumed, by option."""
        own = [each.name for each in list_options(ExecutionOptions) if each.is_kept]
        given = {name: getattr(self, name) for name in own} | dict(self.executor_options)
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(ExecutionOptions):
    """How a new sweep is run."""

    logdir: Path = Path("logs")  # folder of the experiments' log directories
    executor: str = option("where to run", default=DEFAULT_EXECUTOR, choices=EXECUTORS)
    search: str = option("how to search", default=DEFAULT_SEARCH, choices=STRATEGIES)
    # of the strategy, by name; None is not given
    search_options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = option("of the sweep; each run's seed follows from it", default=0, at_least=0)
    settings: Sequence[str] = option(
        "AXIS=V1,V2: narrow an axis to these values", default=(), flag="set", is_repeated=True
    )
    tries: Sequence[str] = option(
        "AXIS=V,AXIS=V,...: run this point first", default=(), flag="try", is_repeated=True
    )
    repeats: int = option(
        "runs of each trial with other seeds", default=1, at_least=1, at_most=_MAX_RUNS_OF_A_KIND
    )
    folds: int | None = option(
        "cross-validate: hold each fold of the data out once",
        at_least=2,
        at_most=_MAX_RUNS_OF_A_KIND,
    )
    subset: float | None = option("train on this share of the training rows", above=0, at_most=1)
    racing: bool = option(
        "spend no more runs on a trial whose mean cannot reach the best", default=False
    )
    reuse: bool = option(
        "take over complete runs of earlier sweeps with the same code and seed", default=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.racing and self.runs_per_trial <= MIN_RUNS:
            raise UsageError(
                f"--racing needs more than {MIN_RUNS} runs a trial; got {self.runs_per_trial}. "
                "Raise --repeats or --folds, or drop it."
            )

    @property
    def runs_per_trial(self) -> int:
        """How many runs a trial has, unless it is stopped early."""
        return self.repeats * (self.folds or 1)


@dataclass(frozen=True, kw_only=True)
class ResumeOptions(ExecutionOptions):
    """How a sweep is resumed."""

    failed: bool = option("run again what failed", default=False)
    extensions: Sequence[str] = option(
        "AXIS=V1,V2: add values to an axis; an interval is widened to them",
        default=(),
        flag="extend",
        is_repeated=True,
    )
    take_over: bool = option(
        "go on with a sweep that another machine holds, which is dead or stopped", default=False
    )


SomeOptions = TypeVar("SomeOptions", bound=ExecutionOptions)

_OPTIONS_OF: dict[str, Registry[Any]] = {
    "executor_options": EXECUTORS,
    "search_options": STRATEGIES,
}


def make_options(kind: type[SomeOptions], /, **given: Any) -> SomeOptions:
    """Return options from values by name, those of executors and searches among them.

    Args:
        kind: class of the options.
        given: fields of the class, and options of any executor or search.

    Raises:
        UsageError: if a value is out of range.
        TypeError: if there is no option of a name.
    """
    own = kind.__dataclass_fields__.keys()
    values = {name: value for name, value in given.items() if name in own}
    others = {name: value for name, value in given.items() if name not in own}
    if stray := others.keys() - EXECUTORS.options.keys() - STRATEGIES.options.keys():
        raise TypeError(f"{kind.__name__} has no option {', '.join(sorted(stray))}")
    for field_name, registry in _OPTIONS_OF.items():
        if field_name in own:
            has = {name: value for name, value in others.items() if name in registry.options}
            values.setdefault(field_name, {k: v for k, v in has.items() if v not in (None, ())})
    return kind(**values)
