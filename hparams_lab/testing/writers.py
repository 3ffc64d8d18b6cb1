"""A writer that remembers instead of writing, and the contract it shares with the real one.

With the fake, a train function is tested without a process, an event file or TensorBoard.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.experiment import Experiment
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.run import MAX_STEP, Ask, Run, RunSpec, ScalarSink, never_stop

Points = Sequence[tuple[int, float]]
"""The points of one tag: step and value, in the order written."""


class FakeRunWriter:
    """Keeps scalars in memory, at full precision.

    Attributes:
        points: tag to steps and values, in order of first appearance.

    Example:
        >>> writer = FakeRunWriter()
        >>> writer.write_scalar("loss", 0.5, 0)
        >>> writer.write_scalar("loss", 0.25, 1)
        >>> writer.points
        {'loss': [(0, 0.5), (1, 0.25)]}
        >>> writer.last_values
        {'loss': 0.25}
    """

    def __init__(self) -> None:
        self.points: dict[str, list[tuple[int, float]]] = {}

    def write_scalar(self, tag: str, value: float, step: int) -> None:
        """Keep one point of a series."""
        self.points.setdefault(tag, []).append((step, value))

    @property
    def last_values(self) -> dict[str, float]:
        """The last value of each tag: what TensorBoard's table would show."""
        return {tag: points[-1][1] for tag, points in self.points.items()}


def make_run(
    experiment: Experiment,
    values: Mapping[Any, Any],
    *,
    sink: ScalarSink,
    directory: Path,
    data: Any = None,
    seed: int = 0,
    fold: int | None = None,
    num_folds: int | None = None,
    subset: float | None = None,
    ask: Ask | None = None,
) -> Run:
    """Return a run, to call the train function of an experiment with.

    Args:
        experiment: whose train function is tested.
        values: of its hparams, by `hp.HParam` or by name.
        sink: where scalars go: a `FakeRunWriter`.
        directory: an existing folder, which becomes `run.dir`.
        data: becomes `run.data`.
        seed: becomes `run.seed` and splits the data; the caller seeds the generators.
        fold: that is held out, 0-based; None without folds.
        num_folds: how many there are, where there is a fold.
        subset: share of the training rows, as with `--subset`.
        ask: judges what is reported, as a pruner; takes value and budget, returns whether to
            stop, and a rung or None.

    Raises:
        AssignmentError: if the values are no point of the experiment's space.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric
        >>> from hparams_lab.declare.objective import minimize
        >>> def train(run):
        ...     run.scalar("loss", 9.0, step=0)
        ...     return {"loss": run.hparams["x"] ** 2}
        >>> experiment = Experiment(
        ...     name="square",
        ...     hparams=[HParam("x", Discrete([1, 2]))],
        ...     metrics=[Metric("loss")],
        ...     objective=minimize("loss"),
        ...     train=train,
        ... )
        >>> writer = FakeRunWriter()
        >>> train(make_run(experiment, {"x": 2}, sink=writer, directory=Path()))
        {'loss': 4}
        >>> writer.points
        {'loss': [(0, 9.0)]}
    """
    assignment = experiment.space.validate(values)
    spec = RunSpec(
        RunDir(directory, fold=fold),
        assignment,
        seed=seed,
        split_seed=seed,
        commit="none",
        num_folds=num_folds,
        subset=subset,
        prunes=ask is not None,
    )
    return Run(spec, data, objective=experiment.objective, sink=sink, ask=ask or never_stop)


class ScalarSinkContract(ABC):
    """What every `ScalarSink` does, as tests that its own test class inherits."""

    @abstractmethod
    def make_sink(self, directory: Path) -> ScalarSink:
        """Return a new sink, which may write into an empty directory."""

    @abstractmethod
    def read_points(self, sink: Any, directory: Path) -> Mapping[str, Points]:
        """Return what a sink of `make_sink` was given so far, by tag; it stays open."""

    def test_nothing_written_is_nothing_read(self, tmp_path: Path) -> None:
        """A new sink holds no series."""
        sink = self.make_sink(tmp_path)

        assert {} == dict(self.read_points(sink, tmp_path))

    def test_point_is_there_at_once(self, tmp_path: Path) -> None:
        """Each point can be read as soon as it is written."""
        sink = self.make_sink(tmp_path)
        for step in range(3):
            sink.write_scalar("loss", 1.0 - step, step)

            assert (step, 1.0 - step) == self.read_points(sink, tmp_path)["loss"][-1]

    def test_points_keep_their_order(self, tmp_path: Path) -> None:
        """Points come back in the order written, also two of one step."""
        sink = self.make_sink(tmp_path)
        written = [(0, 0.5), (1, 0.25), (1, 0.125), (7, 4.0)]
        for step, value in written:
            sink.write_scalar("loss", value, step)

        assert written == list(self.read_points(sink, tmp_path)["loss"])

    def test_tags_do_not_mix(self, tmp_path: Path) -> None:
        """Each tag has its own series, in order of first appearance."""
        sink = self.make_sink(tmp_path)
        for tag, value in [("loss", 1.0), ("accuracy", 2.0), ("loss", 3.0)]:
            sink.write_scalar(tag, value, 0)
        points = self.read_points(sink, tmp_path)

        assert [("loss", [(0, 1.0), (0, 3.0)]), ("accuracy", [(0, 2.0)])] == [
            (tag, list(series)) for tag, series in points.items()
        ]

    @pytest.mark.parametrize("tag", ["best/loss", "a tag", "'\"\\", "Größe 🙂", "x\ny"])
    def test_any_text_is_a_tag(self, tag: str, tmp_path: Path) -> None:
        """Slashes, spaces, quotes, line ends and any script are kept as they are."""
        sink = self.make_sink(tmp_path)
        sink.write_scalar(tag, 1.0, 0)

        assert [tag] == list(self.read_points(sink, tmp_path))

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 1e-30, 1e30, 0.1])
    def test_any_number_is_a_value(self, value: float, tmp_path: Path) -> None:
        """Numbers come back to 32-bit precision, NaN and the infinities as themselves."""
        sink = self.make_sink(tmp_path)
        sink.write_scalar("loss", value, 0)
        ((_, read),) = self.read_points(sink, tmp_path)["loss"]

        assert pytest.approx(value, rel=2**-23, abs=0.0, nan_ok=True) == read
        assert math.copysign(1.0, value) == math.copysign(1.0, read)

    def test_largest_step_is_a_step(self, tmp_path: Path) -> None:
        """The largest step that TensorBoard's table bears comes back whole."""
        sink = self.make_sink(tmp_path)
        sink.write_scalar("loss", 1.0, MAX_STEP)

        assert [(MAX_STEP, 1.0)] == list(self.read_points(sink, tmp_path)["loss"])
