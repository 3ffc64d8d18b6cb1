"""The experiments of this repository, swept in this process on a small budget."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.options import LaunchOptions, make_options
from tests.support.program import read_sweep

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHARED_MNIST = EXPERIMENTS.parents[1] / "shared" / "data" / "mnist.npz"


@dataclass(frozen=True)
class Results:
    """The runs of a sweep, none of which failed."""

    records: list[RunRecord]

    def of(self, **values: Any) -> list[RunRecord]:
        """Return the runs whose hparams have these values."""
        return [
            record
            for record in self.records
            if all(record.assignment.get(name) == value for name, value in values.items())
        ]

    def mean(self, metric: str = "accuracy", **values: Any) -> float:
        """Return the mean of a metric over the runs whose hparams have these values."""
        return statistics.mean(record.last_values[metric] for record in self.of(**values))


Sweep = Callable[..., Results]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Return a function that sweeps the experiment of a name, given settings and options."""

    def run(name: str, *settings: str, **options: Any) -> Results:
        result = launch(
            ExperimentSource(EXPERIMENTS / f"{name}.py"),
            make_options(
                LaunchOptions, logdir=tmp_path, executor="inline", settings=settings, **options
            ),
        )
        assert [] == [run.outcome.reason for run in result.failures]
        return Results(read_sweep(tmp_path))

    return run


@pytest.fixture
def _mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the experiments read MNIST from a file; without one, skip."""
    if "HPARAMS_LAB_MNIST" in os.environ:
        return
    if not SHARED_MNIST.exists():
        pytest.skip("HPARAMS_LAB_MNIST names no file of the images")
    monkeypatch.setenv("HPARAMS_LAB_MNIST", str(SHARED_MNIST))
