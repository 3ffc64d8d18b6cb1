"""Writing the results of another tool as a sweep of ours.

It is a sweep like any other to those who read; what only running one can know (code,
seeds of the runs) it does not claim. Nothing that is there is overwritten.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import experiment as experiments
from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare import tags
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import DeclarationError, LogdirError, UsageError
from hparams_lab.events import schema
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.events.write.writer import RunWriter, write_spread
from hparams_lab.interop.columns import HParamColumn, rename_columns
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, experiment_dir
from hparams_lab.remote.opened import opened
from hparams_lab.runs.provenance import collect_provenance
from hparams_lab.runs.run import MAX_STEP, RunSpec
from hparams_lab.runs.sweep import Sweep, read_sweeps
from hparams_lab.runs.trial import make_trial

Points = Sequence[tuple[int, float]]
"""Step and value of each point of a series, steps ascending; TensorBoard holds 31 bits."""


@dataclass(frozen=True)
class ImportedRun:
    """One execution by another tool."""

    # why it ended. One that is complete, but whose objective is not finite, is written as
    # failed.
    ending: Ending
    scalars: Mapping[str, Points]  # points by tag
    start_time_secs: float | None = None  # since the epoch; None where it is not known
    wall_secs: float = 0.0  # how long it took, in seconds; 0 where it is not known
    failure: str = ""  # why it failed; empty if it did not


@dataclass(frozen=True)
class ImportedTrial:
    """A point that another tool tried."""

    index: int  # 0-based place in the order of its proposals
    values: Mapping[str, Any]  # by name, as the other tool has them
    runs: Sequence[ImportedRun]  # repeat by repeat, and in each fold by fold
    # what else is known of it, for its run cards
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportedSearch:
    """What another tool found."""

    name: str  # of the experiment that it becomes
    tool: str  # its distribution, as `scikit-learn`
    strategy: str  # the tool's own name of the search
    # the parameters, conditions named after those that they ask for
    columns: Sequence[HParamColumn]
    trials: Sequence[ImportedTrial]  # those that have ended, by index
    metrics: Sequence[str]  # tags
    objective: Objective  # one of them
    repeats: int = 1  # runs of each trial, of each fold where there are any
    folds: int | None = None  # of the data; None: none
    seed: int = 0  # of the search; 0 where it is not known
    start: datetime | None = None  # local time of its start; None where it is not known

    @property
    def origin(self) -> str:
        """What made it, in words."""
        return f"{self.tool}, {self.strategy}"


def write_sweep(
    search: ImportedSearch, logdir: Path | str, *, now: Callable[[], datetime] = datetime.now
) -> Path:
    """Write a search as a new sweep and return the sweep's directory.

    The sweep bears the time of the search, or where that is not known the present one.

    Args:
        search: what was found.
        logdir: folder of the experiments' log directories.
        now: the local time.

    Raises:
        DeclarationError: if a name of the experiment, of a parameter or of a metric is none
            that a declaration could use.
        LogdirError: if the log directory cannot be written, has a sweep of the same second
            as the search, or has sweeps of that name whose columns have other types.
        UsageError: if there is nothing to show: no trial, or no parameter.
    """
    with opened(logdir, writes=True) as folder:
        return _write_sweep(search, folder, now)


def _write_sweep(search: ImportedSearch, logdir: Path, now: Callable[[], datetime]) -> Path:
    intended = _describe(search)
    home = experiment_dir(logdir.expanduser(), search.name)
    # Would contradict the sweeps that are there? Better now than with a directory made.
    schema.encode_config([*read_sweeps(home), intended])
    sweep_dir = home.create_sweep(now if search.start is None else _once(search.start, home))
    sweep = replace(intended, id=sweep_dir.id, started=sweep_dir.start_time.isoformat())
    try:
        for trial in search.trials:
            _write_trial(trial, search, sweep, sweep_dir, now().timestamp())
        sweep.write(sweep_dir)  # what makes it a sweep, so that one that is there is whole
        write_config(home)
    except BaseException as error:
        shutil.rmtree(sweep_dir.path, ignore_errors=True)  # made above, so all in it is ours
        if isinstance(error, OSError) and not isinstance(error, LogdirError):
            raise LogdirError(
                f"cannot write to the log directory: {error}. Choose another logdir."
            ) from error
        raise
    return sweep_dir.path


def _once(start: datetime, home: ExperimentDir) -> Callable[[], datetime]:
    """Return a clock that stands, and that refuses to be asked again: its second is taken."""
    answers = iter([start])

    def clock() -> datetime:
        for answer in answers:
            return answer
        raise LogdirError(
            f"a search is imported once; {home.path} has a sweep of {start:%Y-%m-%d %H:%M:%S}, "
            "when this one began. Move that sweep's directory away to import it again."
        )

    return clock


def _describe(search: ImportedSearch) -> Sweep:
    """Return the sweep that the search becomes; it has no id and no time yet."""
    if not search.trials:
        raise UsageError(f"{search.origin} must have a trial that has ended; got none. Run it.")
    if not search.columns:
        raise UsageError(f"{search.origin} must vary a parameter; got none. Search over one.")
    metrics = [Metric(tag) for tag in search.metrics]
    problems = experiments.find_name_problems(search.name) + metrics_of.find_problems(metrics)
    if problems:
        raise DeclarationError(problems)
    if any(run.ending is Ending.PRUNED for trial in search.trials for run in trial.runs):
        # Theirs is no full result, and so no value of the objective.
        tag = tags.reported(search.objective.metric)
        metrics.append(Metric(tag, description="the last value reported, of pruned runs too"))
    return Sweep(
        experiment=search.name,
        id="",
        started="",
        source="",  # of no module: it was not run here
        description=f"Imported from {search.origin}.",
        space=SearchSpace([column.axis for column in search.columns]),
        metrics=tuple(metrics),
        objective=search.objective,
        strategy=search.strategy,
        max_trials=len(search.trials),
        seed=search.seed,
        executor=search.tool,
        workers=1,
        provenance=collect_provenance((), ()),  # of the import: where it ran is not known
        repeats=search.repeats,
        folds=search.folds,
    )


def _write_trial(
    trial: ImportedTrial,
    search: ImportedSearch,
    sweep: Sweep,
    sweep_dir: SweepDir,
    now_secs: float,
) -> None:
    columns = {column.axis.name: column for column in search.columns}
    given = {rename_columns(name): value for name, value in trial.values.items()}
    assignment = Assignment(
        {name: column.encode(given[name]) for name, column in columns.items() if name in given}
    )
    last_index = search.trials[-1].index
    ours = make_trial(trial.index, assignment, max_trials=last_index + 1)
    notes = {"imported from": search.origin, **trial.notes}
    values = []
    # A trial that failed may lack runs.
    for spec, run in zip(sweep.specify_runs(ours, sweep_dir), trial.runs, strict=False):
        judged = _judge(run, search.objective)
        _write_run(spec, judged, notes, now_secs)
        if judged.ending is Ending.COMPLETE:
            values.append(_last_value(run, search.objective))
        last_dir = spec.dir
    if len(values) > 1 and len(values) == len(trial.runs):
        write_spread(last_dir, sweep.objective.tag, values, num_folds=sweep.folds)


def _judge(run: ImportedRun, objective: Objective) -> ImportedRun:
    """Return the run, failed where it should have a result and has none."""
    if run.ending is not Ending.COMPLETE or math.isfinite(_last_value(run, objective)):
        return run
    failure = run.failure or f"metric {objective.metric!r} is not a finite number."
    return replace(run, ending=Ending.FAILED, failure=failure)


def _last_value(run: ImportedRun, objective: Objective) -> float:
    """Return the objective's value as the event file has it, NaN if there is none."""
    points = run.scalars.get(objective.tag, ())
    with np.errstate(over="ignore"):
        return float(np.float32(points[-1][1])) if points else math.nan


def _write_run(spec: RunSpec, run: ImportedRun, notes: Mapping[str, str], now_secs: float) -> None:
    start_secs = run.start_time_secs
    if start_secs is None:
        start_secs = now_secs - run.wall_secs
    times = [start_secs]
    with RunWriter.create(spec.dir, clock=lambda: times[-1]) as writer:
        writer.write_start(spec, is_seed_known=False, notes=notes)
        times.append(start_secs + run.wall_secs)  # when each point was made is not known
        for tag, step, value in _list_points(run.scalars):
            writer.write_scalar(tag, value, min(step, MAX_STEP))
        writer.write_end(run.ending, reason=run.failure.strip().rpartition("\n")[2])
    if run.failure:
        spec.dir.failure_file.write_text(f"{run.failure.rstrip()}\n", "utf-8", "backslashreplace")


def _list_points(scalars: Mapping[str, Points]) -> Iterator[tuple[str, int, float]]:
    for tag, points in scalars.items():
        yield from ((tag, step, value) for step, value in points)
