"""A sweep's intent, kept in its `sweep.json`: what was to be run, how, and by what code.

It holds no results: those are in the event files alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal, Objective, Reduction
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import LogdirError
from hparams_lab.logdir.atomic import write_whole
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.unreadable import warn_unreadable
from hparams_lab.runs.provenance import Provenance
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import Trial, run_seed, split_seed
from hparams_lab.search.base import Traits

# Raised when an older reader would misread the file. A field that is added needs a
# default here, so that what is logged stays readable, and does not raise it.
_FORMAT = 1

_EXECUTION_0_1 = (
    "run_timeout_secs",
    "memory_limit_mb",
    "retries",
    "runs_per_process",
    "runs_per_gpu",
    "ray_address",
    "cpus_per_run",
    "gpus_per_run",
    "max_failures",
)


@dataclass(frozen=True)
class Resumption:
    """One time that a sweep was resumed."""

    started: str  # local time with its offset, ISO 8601
    provenance: Provenance  # command, code, versions and machine of that time


@dataclass(frozen=True)
class Sweep:
    """One launch of a search over an experiment."""

    experiment: str  # name
    id: str  # local start time, to the second; the directory's name
    started: str  # the same time with its offset, ISO 8601
    source: str  # where the experiment was loaded from: a path, or a dotted module
    description: str  # the experiment's, Markdown
    space: SearchSpace  # as searched, narrowed by `--set`
    metrics: Sequence[Metric]  # in declared order
    objective: Objective  # by which trials are ranked
    strategy: str  # name
    max_trials: int | None  # how many trials there are to be, None if open
    seed: int  # of the sweep
    executor: str  # name
    workers: int  # runs at a time
    provenance: Provenance  # command, code, versions, machine
    trial_limit: int | None = None  # of the user; None: all that the strategy has
    # what the user said of how runs are executed, by option
    execution_options: Mapping[str, Any] = field(default_factory=dict)
    # the words of `--set`, by which the declared space was narrowed; None where they were not
    # recorded
    settings: Sequence[str] | None = None
    tries: Sequence[Assignment] = ()  # points to run first, canonical
    # what the user said of the search, by option
    search_options: Mapping[str, Any] = field(default_factory=dict)
    # of the strategy
    traits: Traits = Traits()  # noqa: RUF009 - frozen
    repeats: int = 1  # runs of each trial with other seeds
    # of the data, each of which is held out by a run of each repeat; None: none
    folds: int | None = None
    subset: float | None = None  # share of the training rows, in (0, 1]; None is all
    racing: bool = False  # whether a trial's runs end once it cannot reach the best
    reuse: bool = False  # whether complete runs of earlier sweeps are taken over
    resumptions: Sequence[Resumption] = ()  # oldest first

    @property
    def runs_per_trial(self) -> int:
        """How many runs a trial has, unless it is stopped early."""
        return self.repeats * (self.folds or 1)

    @property
    def commit_label(self) -> str:
        """The code's short commit, of the latest resumption."""
        return self._stages[-1].commit_label

    @property
    def commit_labels(self) -> set[str]:
        """The commits of all its runs."""
        return {stage.commit_label for stage in self._stages}

    @property
    def code_digests(self) -> set[str]:
        """The digests of the code of all its runs."""
        return {stage.code_digest for stage in self._stages}

    @property
    def _stages(self) -> list[Provenance]:
        return [self.provenance, *(each.provenance for each in self.resumptions)]

    def specify_runs(self, trial: Trial, sweep_dir: SweepDir) -> list[RunSpec]:
        """Return the runs of a trial: repeat by repeat, and in each fold by fold.

        Where runs may be stopped early, the first is the trial's pilot: it is judged by
        what it reports, and the others are run only if it comes through.
        """
        folds = [None] if self.folds is None else list(range(self.folds))
        return [
            RunSpec(
                dir=sweep_dir.run_dir(trial.id, repeat=repeat, fold=fold),
                assignment=trial.assignment,
                seed=run_seed(self.seed, trial.assignment, repeat, fold),
                # Repeats are new seeds on one hold-out, or with folds other folds each.
                split_seed=split_seed(self.seed, repeat if self.folds else 0),
                commit=self.commit_label,
                num_folds=self.folds,
                subset=self.subset,
                prunes=self.traits.prunes and (repeat, fold or 0) == (0, 0),
            )
            for repeat in range(self.repeats)
            for fold in folds
        ]

    @property
    def day(self) -> str:
        """The local date it started on: `2026-11-21`."""
        return self.id[:10]

    @property
    def metric_keys(self) -> tuple[str, ...]:
        """The keys of the metrics, in declared order."""
        return tuple(metrics_of.key_of(metric) for metric in self.metrics)

    def write(self, sweep_dir: SweepDir, *, ended: Mapping[str, Any] | None = None) -> None:
        """Write `sweep.json`, whole or not at all.

        Args:
            sweep_dir: of the sweep.
            ended: how its runs ended, for whoever looks at the file; it is never read. None
                while it runs.

        Raises:
            StorageError: if it cannot be written.
        """
        account = {} if ended is None else {"ended": ended}
        content = json.dumps(self._encode_json() | account, indent=1) + "\n"
        write_whole(sweep_dir.sweep_file, content.encode())

    @staticmethod
    def read(sweep_dir: SweepDir) -> Sweep:
        """Return the sweep of a directory.

        Raises:
            LogdirError: if it has no readable `sweep.json`.
        """
        try:
            data = json.loads(sweep_dir.sweep_file.read_text(encoding="utf-8"))
            if data["format"] != _FORMAT:
                raise ValueError(f"its format is {data['format']}, not {_FORMAT}")
            # A directory that was renamed or copied is a sweep of its own.
            return replace(_decode_json(data), id=sweep_dir.id)
        except OSError as error:
            raise LogdirError(
                f"{sweep_dir.sweep_file} cannot be read: {error.strerror}. Allow it, or move its "
                "directory out of the log directory."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LogdirError(
                f"{sweep_dir.sweep_file} does not describe a sweep: {error!r}. Move its directory "
                "out of the log directory."
            ) from error

    def _encode_json(self) -> dict[str, Any]:
        objective = self.objective
        return {
            "format": _FORMAT,
            "experiment": self.experiment,
            "id": self.id,
            "started": self.started,
            "source": self.source,
            "description": self.description,
            "space": self.space.encode_json(),
            "metrics": [metrics_of.encode_metric(metric) for metric in self.metrics],
            "objective": {
                "metric": objective.metric,
                "goal": objective.goal.value,
                "reduction": objective.reduction.value,
            },
            "strategy": self.strategy,
            "max_trials": self.max_trials,
            "seed": self.seed,
            "executor": self.executor,
            "workers": self.workers,
            "provenance": self.provenance.encode_json(),
            "trial_limit": self.trial_limit,
            "execution_options": dict(self.execution_options),
            "settings": None if self.settings is None else list(self.settings),
            "tries": [dict(assignment) for assignment in self.tries],
            "search_options": dict(self.search_options),
            "traits": asdict(self.traits),
            "repeats": self.repeats,
            "folds": self.folds,
            "subset": self.subset,
            "racing": self.racing,
            "reuse": self.reuse,
            "resumptions": [
                {"started": each.started, "provenance": each.provenance.encode_json()}
                for each in self.resumptions
            ],
        }


def _decode_json(data: dict[str, Any]) -> Sweep:
    objective = data["objective"]
    known = {field.name for field in fields(Sweep)}  # a newer version may have written more
    return Sweep(
        **{key: value for key, value in data.items() if key in known}
        | {
            "space": SearchSpace.decode_json(data["space"]),
            "metrics": tuple(metrics_of.decode_metric(metric) for metric in data["metrics"]),
            "objective": Objective(
                objective["metric"], Goal(objective["goal"]), Reduction(objective["reduction"])
            ),
            "provenance": Provenance.decode_json(data["provenance"]),
            "settings": tuple(data["settings"]) if data.get("settings") is not None else None,
            "execution_options": _decode_execution(data),
            "traits": _decode_traits(data),
            "tries": tuple(Assignment(values) for values in data.get("tries", ())),
            "resumptions": tuple(
                Resumption(each["started"], Provenance.decode_json(each["provenance"]))
                for each in data.get("resumptions", ())
            ),
        }
    )


def _decode_execution(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of execution; version 0.1 recorded each under a key of its own."""
    if "execution_options" in data:
        return dict(data["execution_options"])
    given = {name: data.get(name) for name in _EXECUTION_0_1} | {
        "workers": data.get("worker_limit")
    }
    return {name: value for name, value in given.items() if value is not None}


def _decode_traits(data: Mapping[str, Any]) -> Traits:
    """Return the strategy's traits; of version 0.1 they follow from its name and options."""
    if "traits" in data:
        known = {each.name for each in fields(Traits)}
        return Traits(**{key: value for key, value in data["traits"].items() if key in known})
    name, options = data["strategy"], data.get("search_options", {})
    prunes = data.get("prunes", False)
    return Traits(
        prunes=prunes,
        has_rungs=prunes and options.get("pruner") != "median",
        learns=name in ("one_at_a_time", "bayes", "hyperband", "asha"),
        walks_levels=name in ("grid", "one_at_a_time"),
        may_end_early=name == "one_at_a_time",
    )


def read_sweeps(experiment_dir: ExperimentDir) -> list[Sweep]:
    """Return the sweeps of an experiment that can be read, oldest first."""
    return [*read_readable(experiment_dir.find_sweeps()).values()]


def read_readable(sweep_dirs: Iterable[SweepDir]) -> dict[SweepDir, Sweep]:
    """Return the sweeps that can be read, in order, with a warning for each other."""
    sweeps: dict[SweepDir, Sweep] = {}
    damage: dict[Path, str] = {}
    for sweep_dir in sweep_dirs:
        try:
            sweeps[sweep_dir] = Sweep.read(sweep_dir)
        except LogdirError as error:
            damage[sweep_dir.sweep_file] = str(error).removeprefix(f"{sweep_dir.sweep_file} ")
    warn_unreadable(damage)
    return sweeps


def find_newest(experiment_dir: ExperimentDir) -> SweepDir:
    """Return the newest sweep that can be read; the newest of all if none can.

    Args:
        experiment_dir: that has sweeps.
    """
    there = experiment_dir.find_sweeps()
    readable = (sweep_dir for sweep_dir in reversed(there) if read_readable([sweep_dir]))
    return next(readable, there[-1])
