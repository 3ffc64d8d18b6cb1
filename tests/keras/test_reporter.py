"""The callback that reports epochs to the strategy, called as Keras calls it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.errors import Pruned
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.run import Ask, Run, RunSpec
from hparams_lab.testing import FakeRunWriter

pytestmark = pytest.mark.slow  # starts TensorFlow

LOGS = [
    {"loss": 2.0, "accuracy": 0.25, "val_loss": 3.0, "val_accuracy": 0.5},
    {"loss": 1.0, "accuracy": 0.5, "val_loss": 2.0, "val_accuracy": 0.75},
]


def train(
    sink: FakeRunWriter,
    objective: Objective,
    logs: Sequence[dict[str, float]] = LOGS,
    *,
    ask: Ask | None = None,
    **options: Any,
) -> None:
    """Have a run's callbacks see epochs with these logs."""
    spec = RunSpec(RunDir(Path()), Assignment({}), 0, 0, "none", prunes=ask is not None)
    keywords = {} if ask is None else {"ask": ask}
    run = Run(spec, None, objective=objective, sink=sink, **keywords)
    callbacks = run.callbacks(**options)
    for epoch, each in enumerate(logs):
        for callback in callbacks:
            callback.on_epoch_end(epoch, each)


@pytest.fixture
def sink() -> FakeRunWriter:
    """A writer that remembers."""
    return FakeRunWriter()


@pytest.mark.parametrize(
    ("objective", "tag", "reported"),
    [
        (maximize("accuracy"), "report/accuracy", [(0, 0.5), (1, 0.75)]),
        (minimize("loss"), "report/loss", [(0, 3.0), (1, 2.0)]),
        (minimize(Metric("loss", group="test")), "report/test/loss", [(0, 3.0), (1, 2.0)]),
    ],
    ids=["accuracy", "loss", "group"],
)
def test_the_objective_s_validation_log_is_reported(
    objective: Objective, tag: str, reported: list[tuple[int, float]], sink: FakeRunWriter
) -> None:
    """By default what is reported is the validation log of the objective's metric."""
    train(sink, objective)

    assert reported == sink.points[tag]


def test_any_log_can_be_reported(sink: FakeRunWriter) -> None:
    """`run.callbacks(report=...)` names the log that the strategy judges by."""
    train(sink, maximize("f1"), report="val_accuracy")

    assert [(0, 0.5), (1, 0.75)] == sink.points["report/f1"]


def test_without_a_validation_log_nothing_is_reported(sink: FakeRunWriter) -> None:
    """A model that is not validated is trained without reports."""
    train(sink, maximize("accuracy"), [{"accuracy": 0.25}])

    assert ["train/accuracy"] == list(sink.points)


def test_a_named_log_must_be_there(sink: FakeRunWriter) -> None:
    """A log that was named and is missing is told with those there are."""
    with pytest.raises(ValueError, match=r"a log 'val_f1' to report; got loss, .*val_accuracy\."):
        train(sink, maximize("f1"), report="val_f1")


def test_a_run_is_pruned_between_epochs(sink: FakeRunWriter) -> None:
    """When the strategy stops a run, fit is left with the epoch's logs written."""
    with pytest.raises(Pruned, match="after 1 reported"):
        train(sink, maximize("accuracy"), ask=lambda value, budget: (True, 1))

    written = {tag: len(points) for tag, points in sink.points.items()}
    assert {"validation/accuracy": 1, "report/accuracy": 1, "epochs_run": 1, "rung": 1}.items() <= (
        written.items()
    )
