"""Keras callbacks that report to a run."""

from __future__ import annotations

from typing import Any, Protocol

import keras

_VALIDATION_PREFIX = "val_"


class ScalarTarget(Protocol):
    """What takes the scalars: a `lab.Run`, which stands below this module."""

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Write one point of a series."""


class ReportTarget(Protocol):
    """What takes the reports: a `lab.Run`."""

    def report(self, value: Any, step: int) -> None:
        """Write the objective's value so far, which may end the run."""


class ScalarLogger(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Writes each epoch's logs as scalars `train/<name>` and `validation/<name>`.

    The tags differ from the metrics that train returns, so that an epoch's value is
    never taken for a final one.

    Args:
        run: that is being trained.
    """

    def __init__(self, run: ScalarTarget) -> None:
        super().__init__()
        self._run = run

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the epoch's logs at step `epoch`, 0-based."""
        for name, value in (logs or {}).items():
            if name.startswith(_VALIDATION_PREFIX):
                tag = f"validation/{name.removeprefix(_VALIDATION_PREFIX)}"
            else:
                tag = f"train/{name}"
            self._run.scalar(tag, value, epoch)


class Reporter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Reports one of each epoch's logs to the strategy, which may end the run by it.

    Args:
        run: that is being trained.
        log: name of what is reported, e.g. `val_accuracy`.
        must_exist: whether it is an error if no such log is there, instead of nothing.
    """

    def __init__(self, run: ReportTarget, log: str, *, must_exist: bool) -> None:
        super().__init__()
        self._run = run
        self._log = log
        self._must_exist = must_exist

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the epoch's log at step `epoch`, 0-based.

        Raises:
            Pruned: if the strategy ends the run.
            ValueError: if there is no such log, and there must be.
        """
        logs = logs or {}
        if self._log in logs:
            self._run.report(logs[self._log], epoch)
        elif self._must_exist:
            known = ", ".join(logs)
            raise ValueError(f"there must be a log {self._log!r} to report; got {known}. Name one.")
