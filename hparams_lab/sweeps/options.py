"""What a user may ask of a sweep: checked ranges, and text turned into values."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, UsageError, did_you_mean
from hparams_lab.search.options import SearchOptions
from hparams_lab.search.race import MIN_RUNS

EXECUTORS = ("process", "inline", "ray")
DEFAULT_EXECUTOR = "process"

# By option: the executors that it suits, and what these have.
_NEEDS = {
    "run_timeout_secs": (("process", "ray"), "processes that can be stopped"),
    "memory_limit_mb": (("process", "ray"), "processes that can be stopped"),
    "retries": (("process", "ray"), "processes of their own"),
    "runs_per_process": (("process", "ray"), "processes of their own"),
    "runs_per_gpu": (("process",), "processes of this machine"),
    "ray_address": (("ray",), "a Ray cluster"),
    "cpus_per_run": (("ray",), "a Ray cluster"),
    "gpus_per_run": (("ray",), "a Ray cluster"),
}


def keep_suitable(executor: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some options that suit an executor, by name."""
    return {
        name: value
        for name, value in given.items()
        if name not in _NEEDS or executor in _NEEDS[name][0]
    }


@dataclass(frozen=True, kw_only=True)
class ExecutionOptions:
    """How runs are to be executed, of a new sweep as of one that is gone on with.

    Attributes:
        max_trials: upper limit of trials, None for no other than the strategy's.
        executor: `process`, `inline` or `ray`; None: `process`, or as the sweep began.
        num_workers: runs at a time, None for as many as there is room for.
        run_timeout_secs: how long a run may take; None: any time.
        memory_limit_mb: resident memory that a run and what it starts may have together,
            in units of 2**20 bytes; None: any.
        retries: how often a run is tried again that crashed or timed out; None: never.
        runs_per_process: how many runs a process does, one after the other; None: one.
        runs_per_gpu: how many runs share a GPU, where there are any; None: one.
        ray_address: of the Ray cluster, as `ray.init` takes it; None: the one this process
            is in, or a new one on this machine.
        cpus_per_run: of the Ray cluster, for each run; None: one.
        gpus_per_run: of the Ray cluster, for each run, fractions too; None: none.
        time_budget_secs: after so long no more runs begin; None: never.
        max_failures: after so many failures in a row no more runs begin; None: any.
        command: the words of the command line, for the record.
    """

    max_trials: int | None = None
    executor: str | None = None
    num_workers: int | None = None
    run_timeout_secs: float | None = None
    memory_limit_mb: float | None = None
    retries: int | None = None
    runs_per_process: int | None = None
    runs_per_gpu: int | None = None
    ray_address: str | None = None
    cpus_per_run: float | None = None
    gpus_per_run: float | None = None
    time_budget_secs: float | None = None
    max_failures: int | None = None
    command: Sequence[str] = ()

    def check(self) -> None:
        """Refuse what is out of range.

        Raises:
            UsageError: if an option is.
        """
        _at_least("--trials", self.max_trials, 1)
        _at_least("--workers", self.num_workers, 1)
        _at_least("--runs_per_process", self.runs_per_process, 1)
        _at_least("--runs_per_gpu", self.runs_per_gpu, 1)
        _at_least("--max_failures", self.max_failures, 1)
        _at_least("--retries", self.retries, 0)
        _at_least("--gpus_per_run", self.gpus_per_run, 0)
        _above_zero("--run_timeout_secs", self.run_timeout_secs, "seconds")
        _above_zero("--time_budget_secs", self.time_budget_secs, "seconds")
        _above_zero("--memory_limit_mb", self.memory_limit_mb, "megabytes")
        _above_zero("--cpus_per_run", self.cpus_per_run, "processors")
        if self.executor == "inline" and (self.num_workers or 1) > 1:
            raise UsageError(
                f"--executor=inline runs one run at a time; got --workers={self.num_workers}. "
                "Drop one of the two."
            )
        executor = self.executor or DEFAULT_EXECUTOR
        if executor not in EXECUTORS:
            hint = did_you_mean(executor, EXECUTORS) or f" Choose of {', '.join(EXECUTORS)}."
            raise UsageError(f"--executor must name an executor; got {executor!r}.{hint}")
        for name, (executors, need) in _NEEDS.items():
            if getattr(self, name) is not None and executor not in executors:
                raise UsageError(
                    f"--{name} needs {need}; got --executor={executor}. Drop one of the two."
                )


@dataclass(frozen=True, kw_only=True)
class Options(ExecutionOptions):
    """How a new sweep is to be run.

    Attributes:
        logdir: folder of the experiments' log directories.
        search: name of the strategy.
        search_options: what else the strategy is to be told.
        seed: of the sweep, at least 0.
        settings: `AXIS=VALUE,...` each: axes narrowed to some of their values.
        tries: `AXIS=VALUE,AXIS=VALUE,...` each: points to run first.
        repeats: runs of a trial with other seeds, at least 1.
        folds: of the data, at least 2; None: none.
        subset: share of the training rows, in (0, 1]; None is all.
        racing: whether a trial's runs end once it cannot reach the best.
        reuse: whether complete runs of earlier sweeps are taken over.
    """

    logdir: Path = Path("logs")
    search: str = "grid"
    search_options: SearchOptions = field(default_factory=SearchOptions)
    seed: int = 0
    settings: Sequence[str] = ()
    tries: Sequence[str] = ()
    repeats: int = 1
    folds: int | None = None
    subset: float | None = None
    racing: bool = False
    reuse: bool = False

    def check(self) -> None:
        """Refuse what is out of range.

        Raises:
            UsageError: if an option is.
        """
        super().check()
        _at_least("--seed", self.seed, 0)
        _at_least("--repeats", self.repeats, 1)
        _at_least("--folds", self.folds, 2)
        # Two digits in a run's name, so that none begins with another's whole name.
        _at_most("--repeats", self.repeats, 100)
        _at_most("--folds", self.folds, 100)
        if self.subset is not None and not 0.0 < self.subset <= 1.0:
            raise UsageError(f"--subset must lie in (0, 1]; got {self.subset}. Give a share.")
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
    """How a sweep is to be gone on with.

    Attributes:
        failed: whether runs that failed are run again.
        extensions: `AXIS=VALUE,...` each: axes with more values than they had.
    """

    failed: bool = False
    extensions: Sequence[str] = ()


def _at_least(flag: str, number: float | None, least: int) -> None:
    if number is not None and not least <= number < math.inf:
        raise UsageError(f"{flag} must be at least {least}; got {number}. Raise it.")


def _at_most(flag: str, number: int | None, most: int) -> None:
    if number is not None and number > most:
        raise UsageError(f"{flag} must be at most {most}; got {number}. Lower it.")


def _above_zero(flag: str, number: float | None, unit: str) -> None:
    if number is not None and not 0.0 < number < math.inf:
        raise UsageError(f"{flag} must be a number of {unit} above 0; got {number}. Raise it.")


def parse_settings(space: SearchSpace, settings: Sequence[str]) -> dict[str, list[Value]]:
    """Return axis name to values, of the types of their domains.

    Args:
        space: that has the axes.
        settings: `AXIS=VALUE,...` each; a value with a comma stands in double quotes.

    Raises:
        AssignmentError: if an axis is unknown or a value outside its domain.
        UsageError: if a setting is of another form or names an axis again.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> parse_settings(SearchSpace([HParam("units", Discrete([8, 16]))]), ["units=8,16"])
        {'units': [8, 16]}
    """
    choices = split_settings("--set", settings)
    return {name: [space[name].parse(word) for word in words] for name, words in choices.items()}


def split_settings(flag: str, settings: Sequence[str]) -> dict[str, list[str]]:
    """Return axis name to the words of its values.

    Raises:
        UsageError: if a setting is of another form or names an axis again.
    """
    choices: dict[str, list[str]] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not text:
            raise UsageError(f"{flag} takes AXIS=VALUE,...; got {setting!r}. Write it so.")
        if name in choices:
            raise UsageError(f"{flag} must name an axis once; got {name!r} again. Join its values.")
        choices[name] = _split_words(flag, "AXIS=VALUE,...", setting, text)
    return choices


def parse_tries(space: SearchSpace, tries: Sequence[str]) -> tuple[Assignment, ...]:
    """Return the points that are to be run first, each once.

    Args:
        space: that they lie in.
        tries: `AXIS=VALUE,AXIS=VALUE,...` each; what holds a comma stands in double
            quotes, name and all. An axis with one value need not be named.

    Raises:
        AssignmentError: if one is no point of the space.
        UsageError: if one is of another form.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> space = SearchSpace([HParam("units", Discrete([8, 16]))])
        >>> parse_tries(space, ["units=16"])
        (Assignment({'units': 16}),)
    """
    return tuple(dict.fromkeys(_parse_try(space, text) for text in tries))


def _parse_try(space: SearchSpace, text: str) -> Assignment:
    form = "AXIS=VALUE,AXIS=VALUE,..."
    values: dict[str, Value] = {}
    for word in _split_words("--try", form, text, text):
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--try takes {form}; got {text!r}. Write it so.")
        if name in values:
            raise UsageError(f"--try must name an axis once; got {name!r} again. Drop one.")
        try:
            values[name] = space[name].parse(value)
        except AssignmentError as error:
            raise AssignmentError(f"--try {text}: {error}") from None
    for axis in space:
        is_there = all(values.get(name) in allowed for name, allowed in axis.conditions.items())
        if len(axis.levels) == 1 and axis.name not in values and is_there:
            values[axis.name] = axis.levels[0]
    try:
        return space.validate(values)
    except AssignmentError as error:
        told = str(error).replace("\n", " ")
        raise AssignmentError(f"--try {text}: {told}") from None


def _split_words(flag: str, form: str, setting: str, text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise UsageError(
            f"{flag} takes {form} with double quotes in pairs; got {setting!r} ({error}). "
            "Quote the value."
        ) from None
