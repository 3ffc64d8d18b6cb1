"""The Keras callback that reports a training to its run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import keras
import numpy as np

from hparams_lab.errors import Diverged

LEARNING_RATE = "learning_rate"
_VALIDATION_PREFIX = "val_"


class RunHandle(Protocol):
    """What the training is reported to: a `lab.Run`, which stands below this module."""

    @property
    def last_values(self) -> Mapping[str, float]:
        """The last value written of each tag."""

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Write one point of a series."""

    def last_step(self, tag: str) -> int:
        """Return the last step written for a tag."""

    def report(self, value: Any, step: int) -> None:
        """Write the objective's value so far, which may end the run."""

    def keep_model(self, model: Any) -> None:
        """Take note of the model that is trained."""


class EpochLogger(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Writes each epoch's logs, and reports one of them to the strategy.

    They are `train/<name>`, `validation/<name>` and `learning_rate`, the rate of the next
    update: other tags than the metrics that train returns, so that an epoch's value is
    never taken for a final one. Their step is the epoch, 0-based; a second training of
    the run goes on counting where the first has ended.

    Args:
        run: that is being trained.
        report: name of the log that is reported, e.g. `val_accuracy`.
        must_report: whether it is an error if no such log is there, instead of nothing.
        diverged: the objective's value for a run whose loss is no finite number any more;
            None if such a run fails.
    """

    def __init__(
        self, run: RunHandle, *, report: str, must_report: bool, diverged: float | None
    ) -> None:
        super().__init__()
        self._run = run
        self._report = report
        self._must_report = must_report
        self._diverged = diverged
        self._first_step: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Report to the run which model it trains."""
        self._run.keep_model(self.model)
        self._first_step = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report an epoch to the run.

        Raises:
            Diverged: if a loss is NaN or infinite.
            Pruned: if the strategy ends the run.
            ValueError: if there is no such log as is to be reported, and there must be.
        """
        logs = {name: value for name, value in (logs or {}).items() if np.ndim(value) == 0}
        values = {_name_tag(name): value for name, value in logs.items() if name != LEARNING_RATE}
        if (rate := logs.get(LEARNING_RATE, _read_learning_rate(self.model))) is not None:
            values[LEARNING_RATE] = rate
        step = self._number(epoch, values)
        for tag, value in values.items():
            self._run.scalar(tag, value, step)
        self._check_losses(epoch, logs)
        if self._report in logs:
            self._run.report(logs[self._report], step)
        elif self._must_report:
            known = ", ".join(logs)
            raise ValueError(
                f"there must be a log {self._report!r} to report; got {known}. Name one."
            )

    def _number(self, epoch: int, values: Mapping[str, Any]) -> int:
        """Return the step of an epoch."""
        if self._first_step is None:
            written = [self._run.last_step(tag) for tag in values if tag in self._run.last_values]
            self._first_step = max(0, max(written, default=-1) + 1 - epoch)
        return self._first_step + epoch

    def _check_losses(self, epoch: int, logs: Mapping[str, Any]) -> None:
        for name in ("loss", f"{_VALIDATION_PREFIX}loss"):
            if name in logs and not math.isfinite(logs[name]):
                raise Diverged(
                    f"{name} is {float(logs[name])} in epoch {epoch}, counted from 0. Lower the "
                    "learning rate, narrow the space, or give such runs a value with "
                    "run.callbacks(diverged=...).",
                    self._diverged,
                )


def _name_tag(log: str) -> str:
    if log.startswith(_VALIDATION_PREFIX):
        return f"validation/{log.removeprefix(_VALIDATION_PREFIX)}"
    return f"train/{log}"


def _read_learning_rate(model: keras.Model) -> float | None:
    """Return the optimizer's rate, by its schedule if it has one; None without optimizer."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return None
    return float(keras.ops.convert_to_tensor(optimizer.learning_rate))
