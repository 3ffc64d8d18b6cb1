"""A train function that forks, and returns in the child as well."""

import os
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.read.reader import read_run
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.sweeps.worker import Loaded, Outcome, execute
from hparams_lab.testing import processes
from hparams_lab.testing.executors import answer_none, run_jobs
from tests.support.factories import SATURDAY, make_spec


def train_twice(run: Run) -> dict[str, float]:
    """Return a loss of 9 in a child, then a loss of 1."""
    if (pid := os.fork()) == 0:
        return {"loss": 9.0}
    os.waitpid(pid, 0)
    return {"loss": 1.0}


def fail_in_child(run: Run) -> dict[str, float]:
    """Fail in a child, then return a loss of 1."""
    if (pid := os.fork()) == 0:
        raise ValueError("a child's own")
    os.waitpid(pid, 0)
    return {"loss": 1.0}


def declare(train: Any) -> Experiment:
    """Return an experiment of that train function."""
    return Experiment(
        name="toy",
        hparams=[HParam("x", Discrete([1, 2]))],
        metrics=[Metric("loss")],
        objective=minimize("loss"),
        train=train,
    )


def execute_in(folder: Path, train: Any) -> Outcome:
    """Execute one run: in a process of its own, as it forks."""
    spec = make_spec(SweepDir(folder / SATURDAY), {"x": 1})
    return execute(Loaded(declare(train), None), spec, lambda message: None)


@pytest.mark.parametrize("train", [train_twice, fail_in_child])
def test_a_child_records_nothing(train: Any, tmp_path: Path) -> None:
    """A child that returns from train, or raises, leaves outcome and record to its parent."""
    with ProcessExecutor(int, processes.call, num_workers=1) as executor:
        executor.start()
        executor.ready()
        ends = run_jobs(executor, [(execute_in, tmp_path, train)], tmp_path, answer=answer_none)
    spec = make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
    record = read_run(spec.dir, declare(train).space)

    assert ("", 1.0) == (ends[0].result.reason, ends[0].result.objective_value)
    assert record is not None
    assert 1.0 == record.last_values["loss"]
    assert not spec.dir.failure_file.exists()
