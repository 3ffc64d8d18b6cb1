"""Sweeps and runs made by hand, for tests that need no process and no train function."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import Objective, maximize
from hparams_lab.declare.space import SearchSpace
from hparams_lab.events.read.reader import RunRecord, Types
from hparams_lab.events.read.scan import Scan, Summary
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import Clock, RunWriter
from hparams_lab.logdir.layout import ExperimentDir, RunDir, SweepDir
from hparams_lab.runs.provenance import GitState, Provenance
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import make_trial
from hparams_lab.search.base import Traits

FRIDAY = "2026-11-20_18-00-00"
SATURDAY = "2026-11-21_07-34-05"

HPARAMS = (HParam("units", Discrete([8, 16])), HParam("rate", RealInterval(0.1, 0.5)))
METRICS = (Metric("accuracy"), Metric("loss"))


def make_sweep(
    sweep_id: str = SATURDAY,
    *,
    hparams: Sequence[Any] = HPARAMS,
    metrics: Sequence[Metric] = METRICS,
    objective: Objective | None = None,
    commit: str = "0123abcd",
    **changes: Any,
) -> Sweep:
    """Return a sweep as `launch` would describe it, with some fields changed."""
    git = GitState(root="/somewhere", commit=commit, branch="main", dirty=False)
    sweep = Sweep(
        experiment="toy",
        id=sweep_id,
        started=f"{sweep_id[:10]}T07:34:05+01:00",
        source="toy.py",
        description="A **toy**.",
        space=SearchSpace(hparams),
        metrics=tuple(metrics),
        objective=objective or maximize(metrics[0]),
        strategy="grid",
        traits=Traits(walks_levels=True),
        max_trials=None,
        seed=0,
        executor="inline",
        workers=1,
        provenance=Provenance(("run",), "/somewhere", git, "3.11", {}, "host", "Linux", 2),
    )
    return replace(sweep, **changes)


def add_sweep(home: ExperimentDir, sweep: Sweep) -> SweepDir:
    """Write a sweep without runs into an experiment's directory."""
    sweep_dir = SweepDir(home.path / sweep.id)
    sweep_dir.path.mkdir(parents=True, exist_ok=True)
    sweep.write(sweep_dir)
    return sweep_dir


def make_spec(sweep_dir: SweepDir, values: Mapping[str, Any], *, index: int = 0) -> RunSpec:
    """Return the spec of trial `index`, whose values must be canonical; its sweep is there."""
    sweep_dir.path.mkdir(parents=True, exist_ok=True)
    assignment = Assignment(values)
    run_dir = sweep_dir.run_dir(make_trial(index, assignment).id)
    return RunSpec(run_dir, assignment, seed=17 + index, split_seed=3, commit="0123abcd")


def write_run(
    spec: RunSpec,
    scalars: Mapping[str, Sequence[float]],
    *,
    ending: Ending | None = Ending.COMPLETE,
    clock: Clock | None = None,
) -> None:
    """Write a run: its start, its series by step, and its end if it has one."""
    spec.dir.path.parent.parent.mkdir(parents=True, exist_ok=True)  # the sweep's
    with RunWriter.create(spec.dir, clock=clock or ticking()) as writer:
        writer.write_start(spec)
        for tag, values in scalars.items():
            for step, value in enumerate(values):
                writer.write_scalar(tag, value, step)
        if ending is not None:
            writer.write_end(ending)


def make_record(
    run_dir: RunDir,
    hparams: Mapping[str, Value],
    values: Mapping[str, float],
    *,
    ending: Ending | None = Ending.COMPLETE,
    seed: int = 0,
    split_seed: int | None = None,
    space: SearchSpace | None = None,
) -> RunRecord:
    """Return the record of a run that took two seconds, as a reader would, without any file.

    Args:
        run_dir: of the run.
        hparams: numbers as floats.
        values: last value by tag.
        ending: why it ended, None if it has not.
        seed: of the run.
        split_seed: by which it chose rows.
        space: of its sweep; by default one of just these values.
    """
    outcome = {} if ending is None else {"ending": ending.value, "split_seed": split_seed}
    scan = Scan(
        hparams={**hparams, "day": run_dir.sweep_id[:10], "sweep": run_dir.sweep_id},
        group_name=f"{run_dir.trial_id}@{run_dir.sweep_id}",
        start_time_secs=1.0,
        identity={"seed": seed},
        status="" if ending is None else ending.status.value,
        end_time_secs=None if ending is None else 3.0,
        outcome=outcome,
        summaries={
            tag: Summary(2, value, 1, min(0.0, value), value) for tag, value in values.items()
        },
    )
    axes = [HParam(name, Discrete([value])) for name, value in hparams.items()]
    return RunRecord(run_dir, scan, Types(space or SearchSpace(axes)))


def ticking(start: float = 1_800_000_000.0) -> Clock:
    """Return a clock that goes on by a quarter of a second whenever it is read."""
    ticks: Iterator[float] = itertools.count(start, 0.25)
    return lambda: next(ticks)


def decode_config(value: summary_pb2.Summary.Value) -> api_pb2.Experiment:
    """Return the experiment of an `hparams_config` summary, as TensorBoard parses it."""
    return metadata.parse_experiment_plugin_data(value.metadata.plugin_data.content)
