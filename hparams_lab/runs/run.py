"""The handle that a train function gets: its values, its data, and where it reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.metric import key_of
from hparams_lab.declare.objective import Objective
from hparams_lab.runs.logdir import RunDir
from hparams_lab.runs.split import hold_out

# api.proto keeps a step in an int32; a larger one makes the whole dashboard fail.
MAX_STEP = 2**31 - 1


@dataclass(frozen=True)
class RunSpec:
    """All that says what a run is; it travels to the process that executes it.

    Attributes:
        dir: where its files go.
        assignment: its hyperparameters.
        seed: seeds every random generator of the run, in [0, 2**31).
        split_seed: seeds the split of the data, equal for all trials of a sweep.
        commit: the code's short commit, `+` behind it if it was changed since, or `none`.
    """

    dir: RunDir
    assignment: Assignment
    seed: int
    split_seed: int
    commit: str

    @property
    def group_name(self) -> str:
        """What TensorBoard groups a trial's runs by and shows as its Trial ID.

        The sweep is a part of it: the same point of two days is two rows, not the
        silent mean of both. The trial comes first, as the column is 14 characters wide.
        """
        return f"{self.dir.trial_id}@{self.dir.sweep_id}"


class ScalarSink(Protocol):
    """Where scalars go: `events.writer.RunWriter`, or a fake."""

    def write_scalar(self, tag: str, value: float, step: int) -> None:
        """Write one point of a series."""


class Run:
    """One execution of a trial, as its train function sees it.

    Args:
        spec: what is run.
        data: what `load_data` returned; shared, not to be changed.
        objective: what the sweep is after.
        sink: where scalars go.
    """

    def __init__(self, spec: RunSpec, data: Any, *, objective: Objective, sink: ScalarSink) -> None:
        self._spec = spec
        self._sink = sink
        self._objective = objective
        self._last: dict[str, tuple[int, float]] = {}
        self._objective_values: list[float] = []
        self.data = data

    @property
    def hparams(self) -> Assignment:
        """The values of this run, by `hp.HParam` or by name."""
        return self._spec.assignment

    @property
    def seed(self) -> int:
        """This run's seed, in [0, 2**31); Python's, NumPy's and Keras's are set to it."""
        return self._spec.seed

    @property
    def repeat(self) -> int:
        """Which repeat of the trial this is, 0-based."""
        return self._spec.dir.repeat

    @property
    def fold(self) -> int | None:
        """Which fold is held out, 0-based; None without folds."""
        return self._spec.dir.fold

    @property
    def dir(self) -> Path:
        """This run's own directory, for files that should be kept with it."""
        return self._spec.dir.path

    def split(self, x: Any, y: Any, *, share: float = 0.2) -> tuple[Any, Any, Any, Any]:
        """Return `x_train, y_train, x_held_out, y_held_out`, the same for every trial.

        Stratified where `y` holds classes.

        Args:
            x: `[num_rows, ...]`.
            y: `[num_rows, ...]`.
            share: of the rows that are held out, in (0, 1).
        """
        return hold_out(x, y, seed=self._spec.split_seed, share=share)

    def scalar(self, tag: Metric | str, value: Any, step: int) -> None:
        """Write one point of a series; TensorBoard shows it at once.

        Args:
            tag: a metric, or any other tag.
            value: anything that `float` takes; NaN is written as such.
            step: whole, in [0, 2**31), not below the tag's last one. Of two values at
                one step TensorBoard shows the later.

        Raises:
            ValueError: if the step is not whole, out of range or goes back.
        """
        key, number = key_of(tag), float(value)
        last_step = self._last.get(key, (0, 0.0))[0]
        if step != int(step):
            raise ValueError(f"the step of {key!r} must be a whole number; got {step!r}. Round it.")
        step = int(step)
        if not 0 <= step <= MAX_STEP:
            raise ValueError(
                f"the step of {key!r} must lie in [0, 2**31), or the dashboard fails; got {step}. "
                "Count epochs or batches."
            )
        if step < last_step:
            raise ValueError(
                f"the steps of {key!r} must not go back, as TensorBoard then drops what it "
                f"has; got {step} after {last_step}. Go on counting or use another tag."
            )
        self._sink.write_scalar(key, number, step)
        self._last[key] = (step, number)
        if key == self._objective.metric:
            self._objective_values.append(number)

    def report(self, value: Any, step: int) -> None:
        """Write the objective's value so far, and let the strategy end the run early.

        Args:
            value: of the objective's metric.
            step: as for `scalar`.

        Raises:
            Pruned: if the strategy ends this run; let it pass.
            ValueError: as for `scalar`.
        """
        self.scalar(self._objective.metric, value, step)

    def callbacks(self) -> list[Any]:
        """Return Keras callbacks that write each epoch's logs, for `model.fit`."""
        # The Keras tier stands above this module and imports TensorFlow; only those
        # who ask for a Keras callback get it.
        from hparams_lab.keras.callbacks import ScalarLogger

        return [ScalarLogger(self)]

    def last_step(self, tag: Metric | str) -> int:
        """Return the last step written for a tag, 0 if there is none."""
        return self._last.get(key_of(tag), (0, 0.0))[0]

    @property
    def last_values(self) -> dict[str, float]:
        """The last value written of each tag."""
        return {key: value for key, (_, value) in self._last.items()}

    @property
    def objective_value(self) -> float:
        """The objective's value over what was written so far; NaN if nothing was."""
        return self._objective.reduce(self._objective_values)
