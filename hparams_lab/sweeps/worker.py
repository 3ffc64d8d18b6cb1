"""Executing one run, in whatever process this is: seeds, train, scalars, a true end.

What train does wrong becomes a FAILURE with a sentence, not an exception: the sweep
goes on. What kills the process is not seen here; the runner writes that end.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hparams_lab.declare import tags
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.metric import key_of
from hparams_lab.declare.objective import Objective
from hparams_lab.declare.source import ExperimentSource, format_error
from hparams_lab.errors import (
    Diverged,
    ExperimentLoadError,
    HParamsLabError,
    Pruned,
    StorageError,
    did_you_mean,
)
from hparams_lab.events.schema import Ending, Status
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.atomic import storing
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.digest import data_digest
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.text import truncate

# TensorBoard keeps scalars as 32-bit floats; anything larger becomes infinite.
_MAX_METRIC = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Loaded:
    """An experiment and its data, loaded once for many runs."""

    experiment: Experiment  # the declaration
    data: Any  # what its `load_data` returned, None without one
    # of the data, before a run could change it; empty where none can be taken, or there is no
    # data
    data_digest: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    ending: Ending  # how it ended
    metrics: Mapping[str, float] = field(default_factory=dict)  # last value of each tag written
    # the objective's; NaN if there is none, or the run was pruned and so is no match for full
    # ones
    objective_value: float = math.nan
    reason: str = ""  # why it failed, in one line; empty if it did not
    wall_secs: float | None = None  # how long it took, in seconds; None if its process died
    storage_fault: str = ""  # why what it had to record could not be written; empty if it could

    @property
    def status(self) -> Status:
        """SUCCESS or FAILURE."""
        return self.ending.status


def load(source: ExperimentSource) -> Loaded:
    """Import the experiment and load its data.

    Raises:
        DeclarationError: if the declaration breaks rules.
        ExperimentLoadError: if the module or its data cannot be loaded.
    """
    return load_data(source.load(), source)


def load_data(experiment: Experiment, source: ExperimentSource) -> Loaded:
    """Load the data of an experiment that is imported already.

    Raises:
        ExperimentLoadError: if its `load_data` raises.
    """
    if experiment.load_data is None:
        return Loaded(experiment, None, data_digest(None))
    # What `run.split` takes of scikit-learn: a second, which each run would spend anew.
    import sklearn.model_selection  # noqa: F401

    try:
        data = experiment.load_data()
    except HParamsLabError:
        raise
    except (Exception, SystemExit) as error:
        place = format_error(error, source.path)
        raise ExperimentLoadError(
            f"cannot load the data of experiment {experiment.name!r}: {place}"
        ) from error
    return Loaded(experiment, data, data_digest(data))


def execute(loaded: Loaded, spec: RunSpec, ask: Callable[[Any], Any]) -> Outcome:
    """Execute one run and write its event file, from session start to session end.

    Args:
        loaded: the experiment and its data.
        spec: what is run.
        ask: given a reported value and how many have been, returns whether to stop, and
            the rung.

    Returns:
        How it ended. One whose files cannot be written is interrupted, also where train
        lets that error go: it has no end yet, and is made again when the sweep is resumed.

    Raises:
        KeyboardInterrupt: as train was interrupted; the end is written.
    """
    try:
        return _execute(loaded, spec, ask)
    except StorageError as error:
        return Outcome(Ending.INTERRUPTED, reason=str(error), storage_fault=str(error))


def _execute(loaded: Loaded, spec: RunSpec, ask: Callable[[Any], Any]) -> Outcome:
    began = time.monotonic()
    with RunWriter.create(spec.dir) as writer:
        writer.write_start(spec, data_digest=loaded.data_digest)
        run = Run(
            spec,
            loaded.data,
            objective=loaded.experiment.objective,
            sink=writer,
            ask=lambda value, budget: ask((value, budget)),
        )
        try:
            failure = train(loaded.experiment, run, spec.dir)
            ending = Ending.FAILED if failure else Ending.COMPLETE
            if failure:  # it would fail again, or go on with what other code has begun
                with storing(spec.dir.path):
                    spec.dir.forget_training()
        except Pruned:
            _unset_objective(loaded.experiment.objective, run)
            ending, failure = Ending.PRUNED, ""
        except KeyboardInterrupt:
            writer.write_end(Ending.INTERRUPTED, reason="the run was interrupted")
            raise
        writer.write_end(ending, split_seed=run.split_seed, reason=failure)
    return Outcome(
        ending=ending,
        metrics=run.last_values,
        objective_value=math.nan if ending is Ending.PRUNED else run.objective_value,
        reason=failure,
        wall_secs=time.monotonic() - began,
    )


def train(experiment: Experiment, run: Run, run_dir: RunDir) -> str:
    """Call an experiment's train, from a blank random state, and write what it returns.

    Args:
        experiment: whose train function it is.
        run: the handle that it gets.
        run_dir: gets the traceback if it raises.

    Returns:
        Why it failed, in one line; empty if it did not.

    Raises:
        Pruned: if the strategy ended the run.
        StorageError: if what is recorded of the run cannot be written. An `OSError` of
            train's own is a failure.
        KeyboardInterrupt: if it was interrupted.
    """
    _seed_generators(run.seed)
    try:
        with _ending_children():
            returned = experiment.train(run)
    except (Pruned, StorageError):
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, Diverged) and error.value is not None:
            _record_divergence(error.value, experiment, run)
            return ""
        run_dir.make()  # train may have removed it
        with storing(run_dir.failure_file):
            trace = _format_traceback(error)
            run_dir.failure_file.write_text(trace, "utf-8", "backslashreplace")
        return _describe(error, experiment)
    problems = [*_record(returned, experiment, run), *run.unused_options]
    return " ".join(problems)


@contextlib.contextmanager
def _ending_children() -> Iterator[None]:
    """End a child that train forks where it leaves train: what follows is its parent's."""
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != pid:
            if sys.exc_info()[0] is not None:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(0)


def _seed_generators(seed: int) -> None:
    """Seed every generator in use, and give Keras the blank state of a new process."""
    # Keras imports it, perhaps within train, and its import draws from `random`.
    import rich.style  # noqa: F401

    random.seed(seed)
    np.random.seed(seed)
    if (keras := sys.modules.get("keras")) is not None:
        policy = keras.config.dtype_policy()  # the user's, which is no state of a run
        # Without the collection of garbage, which takes 0.15 s with TensorFlow loaded.
        keras.utils.clear_session(free_memory=False)
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(seed)


def _describe(error: BaseException, experiment: Experiment) -> str:
    if isinstance(error, SystemExit):
        return f"train called sys.exit({error.code!r}); return the metrics instead."
    # The user's own line says more than the library's that it led to.
    code = getattr(experiment.train, "__code__", None)
    return format_error(error, Path(code.co_filename) if code else None)


def _format_traceback(error: BaseException) -> str:
    # Without the frame of this module: the user's code begins below it.
    below = error.__traceback__.tb_next if error.__traceback__ else None
    return "".join(traceback.format_exception(type(error), error, below))


def _record(returned: Any, experiment: Experiment, run: Run) -> list[str]:
    """Write the returned values. Return one sentence for each rule they break.

    All that can be written is written, also where something else is wrong: a long run
    is not lost over a misspelt name.
    """
    if returned is None:
        returned = {}
    if not isinstance(returned, Mapping):
        return [
            f"train must return a dict of metric to number; got {_shorten(returned)}. "
            "Return {tag: value}."
        ]
    problems = []
    unreadable = set()
    for metric, value in returned.items():
        key = key_of(metric)
        try:
            number = float(value)
        except Exception:  # a tensor of two elements raises what its library likes
            unreadable.add(key)
            problems.append(
                f"metric {key!r} must be a number; got {_shorten(value)}. Return one number."
            )
            continue
        if run.last_values.get(key) != number:
            run.scalar(key, number, run.last_step(key))
        if key not in experiment.metric_keys:
            hint = did_you_mean(key, experiment.metric_keys) or " Declare it or drop it."
            problems.append(f"train returned metric {key!r}, which is not declared.{hint}")
    _record_reported(experiment.objective, run)
    for key in experiment.metric_keys:
        value = run.last_values.get(key)
        if value is None:
            if key not in unreadable:
                problems.append(f"train neither returned nor logged metric {key!r}. Return it.")
        elif not math.isfinite(value):
            problems.append(
                f"metric {key!r} must be finite; got {value}. Lower the learning rate or narrow "
                "the space."
            )
        elif abs(value) > _MAX_METRIC:
            problems.append(f"metric {key!r} must fit 32-bit floats; got {value}. Scale it down.")
    _record_objective(experiment, run)
    return problems


def _record_divergence(value: float, experiment: Experiment, run: Run) -> None:
    """Write the value that a run which cannot go on was promised; other metrics have none."""
    metric = experiment.objective.metric
    run.scalar(metric, value, run.last_step(metric))
    _record_objective(experiment, run)


def _record_reported(objective: Objective, run: Run) -> None:
    """Write the last reported value as the objective's, where train gave no other."""
    tag = tags.reported(objective.metric)
    if tag in run.last_values and objective.metric not in run.last_values:
        run.scalar(objective.metric, run.last_values[tag], run.last_step(tag))


def _unset_objective(objective: Objective, run: Run) -> None:
    """Keep what a pruned run logged as its objective from looking like a full run's result."""
    for tag in {objective.tag, objective.metric} & {*run.last_values}:
        run.scalar(tag, math.nan, run.last_step(tag))


def _record_objective(experiment: Experiment, run: Run) -> None:
    """Write the value that stands for the run, where it has a tag of its own."""
    objective = experiment.objective
    if objective.tag != objective.metric and not math.isnan(run.objective_value):
        run.scalar(objective.tag, run.objective_value, run.last_step(objective.metric))


def _shorten(value: Any) -> str:
    return truncate(repr(value), 60)
