"""The handle that a train function gets: its values, its data, and where it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import tags
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.metric import key_of
from hparams_lab.declare.objective import Objective
from hparams_lab.errors import Pruned
from hparams_lab.logdir.layout import RunDir
from hparams_lab.runs.split import fold_out, hold_out, take_subset

# api.proto keeps a step in an int32; a larger one makes the whole dashboard fail.
MAX_STEP = 2**31 - 1

Ask = Callable[[float, int], tuple[bool, int | None]]
"""Takes a reported value and the number of values reported so far; returns whether the run
is to end now, and the rung it has completed, None where there are none."""


def never_stop(value: float, budget: int) -> tuple[bool, int | None]:
    """Let every run go on."""
    return False, None


@dataclass(frozen=True)
class RunSpec:
    """All that says what a run is; it travels to the process that executes it."""

    dir: RunDir  # where its files go
    assignment: Assignment  # its hyperparameters
    seed: int  # seeds every random generator of the run, in [0, 2**31)
    split_seed: int  # seeds the split of the data, equal for all trials of a sweep
    commit: str  # the code's short commit, `+` behind it if it was changed since, or `none`
    num_folds: int | None = None  # of which `dir.fold` is held out; None without folds
    # share of the training rows that is trained on, in (0, 1]; None is all
    subset: float | None = None
    prunes: bool = False  # whether what it reports is judged
    # path of the run, relative to the experiment's directory, whose results these are; empty if
    # it was executed
    reused_from: str = ""
    # whether all rows are trained on, those held out too, and the model is kept
    refit: bool = False

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
        ask: judges what the run reports; by default it never ends one.
    """

    def __init__(
        self,
        spec: RunSpec,
        data: Any,
        *,
        objective: Objective,
        sink: ScalarSink,
        ask: Ask = never_stop,
    ) -> None:
        self._spec = spec
        self._sink = sink
        self._objective = objective
        self._ask = ask
        self._last: dict[str, tuple[int, float]] = {}
        self._objective_values: list[float] = []
        self._reported_values: list[float] = []
        self._uses_fold = False
        self._uses_subset = False
        self._chooses_rows = False
        self._num_checkpoints = 0
        self._model: Any = None
        self._trained_on: tuple[Any, ...] = ()
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
        """Which fold is held out, 0-based; None without folds. See `use_fold`."""
        return self._spec.dir.fold

    @property
    def num_folds(self) -> int | None:
        """How many folds there are; None without folds."""
        return self._spec.num_folds

    @property
    def dir(self) -> Path:
        """This run's own directory, for files that should be kept with it."""
        return self._spec.dir.path

    def split(
        self, x: Any, y: Any, *, share: float = 0.2, groups: Any = None
    ) -> tuple[Any, Any, Any, Any]:
        """Return `x_train, y_train, x_held_out, y_held_out`, the same for every trial.

        With `--folds` this run's fold is held out, else a share of the rows. Stratified
        where `y` holds classes. With `--subset` only that share of what is left is trained
        on. A refit trains on all rows, in their order, those held out too.

        Args:
            x: `[num_rows, ...]`.
            y: `[num_rows, ...]`.
            share: of the rows that are held out, in (0, 1); folds have their own.
            groups: `[num_rows]`, labels; rows of one label are never on both sides.

        Raises:
            ValueError: if the rows cannot be split so.
        """
        self._uses_fold = self._chooses_rows = True
        seed, fold, num_folds = self._spec.split_seed, self._spec.dir.fold, self._spec.num_folds
        if fold is None or num_folds is None:
            x_train, y_train, *held_out = hold_out(x, y, seed=seed, share=share, groups=groups)
        else:
            x_train, y_train, *held_out = fold_out(
                x, y, seed=seed, fold=fold, num_folds=num_folds, groups=groups
            )
        if self._spec.refit:
            x_train, y_train = x, y
        return (*self.subset(x_train, y_train), *held_out)

    def use_fold(self) -> int | None:
        """Return `fold`, for a train that holds it out by itself instead of by `split`.

        With `--folds` a run that calls neither fails: its folds would be the same run again.
        """
        self._uses_fold = True
        self._chooses_rows |= self.fold is not None
        return self.fold

    def subset(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return the rows that are trained on: all, or with `--subset` a share of them.

        `split` does it by itself; this is for data that comes split. Stratified where `y`
        holds classes, and the same for every trial. A refit trains on all rows.

        Args:
            x: `[num_rows, ...]`.
            y: `[num_rows, ...]`.

        Raises:
            ValueError: if the rows cannot be chosen so.
        """
        self._uses_subset = True
        self._chooses_rows |= self._spec.subset is not None
        if self._spec.refit:
            self._trained_on = (x, y)
        if self._spec.subset is None or self._spec.refit:
            return x, y
        return take_subset(x, y, seed=self._spec.split_seed, share=self._spec.subset)

    def keep_model(self, model: Any) -> None:
        """Take note of the model that is being trained: the last one is what a refit saves.

        `lab.keras.fit` and `run.callbacks()` do it by themselves.
        """
        self._model = model

    @property
    def model(self) -> Any:
        """The last model that was trained; None if there is none."""
        return self._model

    @property
    def trained_on(self) -> tuple[Any, ...]:
        """The `x, y` that a refit was given to train on; empty if it asked for none."""
        return self._trained_on

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

        It is written as `report/<metric>`, and counts as a value of the metric where the
        objective is the best of them. Report as often as the run may be judged: with
        `--pruner`, budgets are counted in reports.

        Args:
            value: of the objective's metric.
            step: as for `scalar`.

        Raises:
            Pruned: if the strategy ends this run; let it pass.
            ValueError: as for `scalar`.
        """
        tag = tags.reported(self._objective.metric)
        self.scalar(tag, value, step)
        _, number = self._last[tag]
        self._reported_values.append(number)
        if not self._spec.prunes:
            return
        stop, rung = self._ask(number, self.budget)
        self.scalar(tags.BUDGET, self.budget, self.budget)
        if rung is not None:
            self.scalar(tags.RUNG, rung, self.budget)
        if stop:
            raise Pruned(f"stopped by the search after {self.budget} reported values")

    def callbacks(
        self,
        *,
        report: str | None = None,
        checkpoint: str | None = None,
        diverged: float | None = None,
    ) -> list[Any]:
        """Return Keras callbacks that write each epoch's logs, for `model.fit`.

        `lab.keras.fit` has them by itself. The loss going to NaN or infinity ends the run.

        Args:
            report: name of the log that is reported to the strategy after each epoch; by
                default `val_<metric>` of the objective's metric, if it is logged.
            checkpoint: `"last"` saves the model after each epoch, and a run that was
                killed goes on from there when it is resumed; `"best"` moreover saves the
                epoch with the best `report`, and sets the model to it in the end.
            diverged: the objective's value for a run whose loss is no finite number any
                more; by default such a run fails.

        Raises:
            ValueError: if checkpoint is neither.
        """
        # The Keras tier stands above this module and imports TensorFlow; only those
        # who ask for a Keras callback get it.
        from hparams_lab.keras.callbacks import EpochLogger

        log = report or f"val_{self._objective.metric.rpartition('/')[2]}"
        logger = EpochLogger(self, report=log, must_report=bool(report), diverged=diverged)
        if checkpoint is None:
            return [logger]
        if checkpoint not in ("last", "best"):
            raise ValueError(
                f"checkpoint must be 'last' or 'best'; got {checkpoint!r}. Name one of them."
            )
        from hparams_lab.keras.checkpoint import Checkpoint

        number = self._num_checkpoints
        self._num_checkpoints += 1
        rank = self._objective.rank
        saver = Checkpoint(
            self._spec.dir.checkpoint_dir(number),
            earlier=[run_dir.checkpoint_dir(number) for run_dir in self._spec.dir.earlier_attempts],
            best=log if checkpoint == "best" else None,
            is_better=lambda value, other: rank(value) < rank(other),
            replay=[logger],
        )
        return [logger, saver]

    @property
    def budget(self) -> int:
        """How many values were reported so far."""
        return len(self._reported_values)

    @property
    def split_seed(self) -> int | None:
        """By which rows were chosen to train on or to hold out; None if none were so far."""
        return self._spec.split_seed if self._chooses_rows else None

    @property
    def unused_options(self) -> list[str]:
        """One sentence for each option of the sweep that train has not used so far."""
        problems = []
        if self._spec.num_folds is not None and not self._uses_fold:
            problems.append("with --folds train must call run.split or run.use_fold. Do so.")
        if self._spec.subset is not None and not self._uses_subset:
            problems.append("with --subset train must call run.split or run.subset. Do so.")
        if self._spec.prunes and not self.budget:
            problems.append(
                "with a pruner train must call run.report, or pass run.callbacks() and "
                "validation_data to fit. Do so, or search without one."
            )
        return problems

    def last_step(self, tag: Metric | str) -> int:
        """Return the last step written for a tag, 0 if there is none."""
        return self._last.get(key_of(tag), (0, 0.0))[0]

    @property
    def last_values(self) -> dict[str, float]:
        """The last value written of each tag."""
        return {key: value for key, (_, value) in self._last.items()}

    @property
    def objective_value(self) -> float:
        """The objective's value over what was written so far; NaN if nothing was.

        The last is the last of the metric itself, and of what was reported only where
        there is no other.
        """
        return self._objective.reduce([*self._reported_values, *self._objective_values])
