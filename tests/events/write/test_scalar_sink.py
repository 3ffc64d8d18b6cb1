"""The event file and the fake that users test with keep one contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

import hparams_lab as lab
from hparams_lab.events.read.reader import read_events
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.run import ScalarSink
from hparams_lab.testing.writers import FakeRunWriter, Points, ScalarSinkContract, make_run


class TestFakeRunWriter(ScalarSinkContract):
    """The writer that ships for users' tests."""

    def make_sink(self, directory: Path) -> ScalarSink:
        """Return one."""
        return FakeRunWriter()

    def read_points(self, sink: FakeRunWriter, directory: Path) -> Mapping[str, Points]:
        """Return what it was given."""
        return sink.points


class TestRunWriter(ScalarSinkContract):
    """The writer of event files."""

    def make_sink(self, directory: Path) -> ScalarSink:
        """Return one."""
        return RunWriter.create(RunDir(directory))

    def read_points(self, sink: RunWriter, directory: Path) -> Mapping[str, Points]:
        """Return what it was given."""
        points: dict[str, list[tuple[int, float]]] = {}
        (file,) = RunDir(directory).event_files
        for event in read_events(file):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
        return points


def train(run: lab.Run) -> dict[str, float]:
    """Log the data, step by step, and return its product with x."""
    for step, value in enumerate(run.data):
        run.scalar("loss", value, step)
    return {"loss": run.hparams["x"] * sum(run.data)}


EXPERIMENT = lab.Experiment(
    name="product",
    hparams=[HParam("x", Discrete([1, 2]))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)


def test_train_function_runs_on_the_fake(tmp_path: Path) -> None:
    """A train function is called with a made run, its data and a fake writer."""
    writer = FakeRunWriter()
    run = make_run(EXPERIMENT, {"x": 2}, sink=writer, directory=tmp_path, data=[3.0, 4.0])

    assert {"loss": 14.0} == EXPERIMENT.train(run)
    assert {"loss": [(0, 3.0), (1, 4.0)]} == writer.points
    assert {"loss": 4.0} == writer.last_values
    assert tmp_path == run.dir


def test_made_run_is_a_point_of_the_space(tmp_path: Path) -> None:
    """Values outside the experiment's space are refused."""
    with pytest.raises(lab.AssignmentError, match="'x' must be one of 1, 2; got 3"):
        make_run(EXPERIMENT, {"x": 3}, sink=FakeRunWriter(), directory=tmp_path)
