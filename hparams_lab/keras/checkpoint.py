"""Checkpoints of a run: to be judged by its best epoch, to go on where it was killed.

    <run>/checkpoint/last.keras        the model after the last epoch
    <run>/checkpoint/best.keras        the model after the best one, if asked for
    <run>/checkpoint/training.json     how far training has come, and every epoch's logs

Each file is written aside and renamed, the models before the record that counts on them:
a run that is killed at any instant leaves a state to go on from.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from hparams_lab.keras import keras_internals
from hparams_lab.logdir.atomic import replacing, storing, write_whole

_LAST = "last.keras"
_BEST = "best.keras"
_PROGRESS = "training.json"


@dataclass(frozen=True)
class Progress:
    """How far training has come."""

    logs: Sequence[dict[str, float]] = field(default_factory=list)  # of each epoch, from the first
    # values of the model's variables that are no weights, such as the state of random
    # generators, which Keras does not save
    states: Sequence[Any] = field(default_factory=list)
    best_epoch: int | None = None  # 0-based; None if the best is not asked for
    is_done: bool = False  # whether it has ended, be it early

    def write(self, folder: Path) -> None:
        """Write it at one stroke.

        Raises:
            StorageError: if it cannot be written.
        """
        write_whole(folder / _PROGRESS, json.dumps(asdict(self)).encode())

    @classmethod
    def find(cls, folder: Path) -> Progress | None:
        """Return what was written to a folder, None if there is nothing to go on from."""
        if not ((folder / _PROGRESS).exists() and (folder / _LAST).exists()):
            return None
        return cls(**json.loads((folder / _PROGRESS).read_text("utf-8")))


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Saves the model after each epoch; goes on from what an earlier attempt has saved.

    Training that goes on has the weights, the optimizer's state and the random state of
    its layers, and the history of the epochs before; with `lab.keras.fit` it ends with
    the numbers of training that was never interrupted. Other callbacks begin anew, as in
    Keras itself.

    Args:
        folder: where to save; made if it is not there.
        earlier: the folders of earlier attempts at this run, latest last.
        best: name of the log whose best epoch the model is set to in the end; None to
            leave it at the last epoch.
        is_better: whether a value of that log is better than another.
        replay: callbacks that get the epochs of an earlier attempt.
    """

    def __init__(
        self,
        folder: Path,
        *,
        earlier: Sequence[Path],
        best: str | None,
        is_better: Callable[[float, float], bool],
        replay: Sequence[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self._folder = folder
        self._earlier = earlier
        self._best = best
        self._is_better = is_better
        self._replay = replay
        self._progress = Progress()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Go on where an earlier attempt was, if there is one."""
        self._progress = Progress()
        self._folder.mkdir(exist_ok=True)  # where the run's own is gone, the run fails
        for folder in reversed(self._earlier):
            if (progress := Progress.find(folder)) is not None:
                self._go_on(folder, progress)
                return

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the model.

        Raises:
            StorageError: if it cannot be written.
            ValueError: if there is no such log as the best is to be chosen by.
        """
        numbers = {name: float(it) for name, it in (logs or {}).items() if np.ndim(it) == 0}
        best_epoch = self._progress.best_epoch
        if self._best is not None and self._is_best(numbers):
            best_epoch = epoch
            _save(self.model, self._folder / _BEST)
        _save(self.model, self._folder / _LAST)
        states = [variable.numpy().tolist() for variable in _list_states(self.model)]
        self._progress = Progress([*self._progress.logs, numbers], states, best_epoch)
        self._progress.write(self._folder)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Set the model to its best epoch, if that is asked for, and complete the history."""
        keras_internals.set_first_epoch(self.model, None)
        self._complete_history()
        if not self._progress.logs:
            return
        self._progress = replace(self._progress, is_done=True)
        self._progress.write(self._folder)
        if self._progress.best_epoch is not None:
            self.model.load_weights(self._folder / _BEST)

    def _is_best(self, logs: dict[str, float]) -> bool:
        if self._best not in logs:
            raise ValueError(
                f"the best epoch is chosen by the log {self._best!r}; got {', '.join(logs)}. Pass "
                "validation_data, or name a log with run.callbacks(report=...)."
            )
        best_epoch = self._progress.best_epoch
        if best_epoch is None:
            return True
        return self._is_better(logs[self._best], self._progress.logs[best_epoch][self._best])

    def _go_on(self, folder: Path, progress: Progress) -> None:
        model = self.model
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(folder / _LAST)
        for variable, value in zip(_list_states(model), progress.states, strict=True):
            variable.assign(value)
        for saved in (_LAST, _BEST):  # now this attempt's own, from which a third may go on
            if (folder / saved).exists():
                shutil.copyfile(folder / saved, self._folder / saved)
        progress.write(self._folder)
        self._progress = progress
        # Training that has ended has no epoch left.
        epoch = sys.maxsize if progress.is_done else len(progress.logs)
        keras_internals.set_first_epoch(model, epoch)
        for epoch, logs in enumerate(progress.logs):
            for callback in self._replay:
                callback.on_epoch_end(epoch, dict(logs))

    def _complete_history(self) -> None:
        """Put the epochs of earlier attempts into the history, which Keras has emptied since."""
        history = self.model.history
        if len(history.epoch) < len(self._progress.logs):
            history.epoch = list(range(len(self._progress.logs)))
            history.history = {}
            for logs in self._progress.logs:
                for name, value in logs.items():
                    history.history.setdefault(name, []).append(value)


def _list_states(model: keras.Model) -> list[keras.Variable]:
    saved = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in saved]


def _save(model: keras.Model, path: Path) -> None:
    aside = path.with_name(f"part.{path.name}")  # Keras takes the format from the suffix
    path.parent.stat()  # as above
    with storing(path), replacing(path, aside=aside):
        model.save(aside)
