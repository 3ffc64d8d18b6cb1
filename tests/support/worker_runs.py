"""Runs of a small experiment, executed in this process and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.read.reader import RunRecord, read_run
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.sweeps.worker import Loaded, Outcome, execute

METRICS = (Metric("loss"), Metric("accuracy"))


GOOD = {"loss": 0.5, "accuracy": 0.75}


SOURCE = ExperimentSource(Path("toy.py"))


Train = Callable[[Run], Any]


def declare(train: Train, **keywords: Any) -> Experiment:
    """Return an experiment with the metrics loss and accuracy."""
    hparams = [HParam("x", Discrete([1, 2]))]
    settings = {"hparams": hparams, "metrics": METRICS, "objective": minimize("loss")}
    return Experiment(name="toy", train=train, **{**settings, **keywords})


def refuse(message: Any) -> Any:
    """Take no reports: what runs alone is not judged."""
    raise AssertionError(f"nobody is to be told {message}")


def execute_and_read(train: Train, spec: RunSpec, **keywords: Any) -> tuple[Outcome, RunRecord]:
    """Execute a run and return its outcome and what its event file says."""
    experiment = declare(train, **keywords)
    outcome = execute(Loaded(experiment, None), spec, refuse)
    record = read_run(spec.dir, experiment.space)
    assert record is not None
    return outcome, record


def fail_with(error: BaseException) -> Train:
    """Return a train function that raises."""

    def train(run: Run) -> None:
        raise error

    return train
