"""Keras callbacks that report to a run."""

from __future__ import annotations

from typing import Any, Protocol

import keras

_VALIDATION_PREFIX = "val_"


class ScalarTarget(Protocol):
    """What takes the scalars: a `lab.Run`, which stands below this module."""

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Write one point of a series."""


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
