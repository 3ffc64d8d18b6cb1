"""A run that crashed and is tried again goes on from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run
from tests.support.deaths import Death, Sweeping, attempt_of
from tests.support.factories import SATURDAY
from tests.support.models import ROWS, SIGNS, make_dense

pytestmark = [
    pytest.mark.slow,  # starts TensorFlow
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]

NUM_EPOCHS, DIES_IN = 5, 3


def train(run: Run) -> dict[str, float]:
    """Train with a checkpoint; the first attempt dies as the fourth epoch begins."""
    import keras

    class Killer(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            (run.dir / f"epoch-{epoch}").touch()
            if epoch == DIES_IN and attempt_of(run) == 0:
                raise Death

    callbacks = [Killer(), *run.callbacks(checkpoint="last")]
    model = make_dense()
    model.fit(ROWS, SIGNS, epochs=NUM_EPOCHS, callbacks=callbacks, verbose=0)
    return {"loss": model.history.history["loss"][-1]}


def test_a_retry_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    """The second attempt trains only the epochs that the first had not ended, and has all."""
    (tmp_path / SATURDAY).mkdir()
    sweeping = Sweeping(SweepDir(tmp_path / SATURDAY), trial_limit=1)
    result = sweeping.run(train, retries=1)
    (run,) = sweeping.read()

    assert {Ending.COMPLETE: 1} == result.endings
    assert ["epoch-3", "epoch-4"] == sorted(path.name for path in run.dir.path.glob("epoch-*"))
    assert list(range(NUM_EPOCHS)) == run.curves["train/loss"].steps
