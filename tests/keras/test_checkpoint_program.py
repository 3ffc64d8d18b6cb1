"""A run that is really killed in mid-training, and what `resume` makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Ending, Status
from tests.support.program import read_sweep, run_program, words_of

pytestmark = pytest.mark.slow  # starts TensorFlow in a process of its own

MODULE = '''"""Does a killed run go on?"""
import os
import signal

import keras
import numpy as np
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab


class Killer(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)


def train(run):
    x = np.linspace(-1.0, 1.0, 60, dtype="float32")[:, None]
    units = run.hparams["units"]
    layers = [keras.layers.Dropout(0.1), keras.layers.Dense(units), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((1,)), *layers])
    model.compile("adam", "mse")
    callbacks = run.callbacks(checkpoint="last")
    if units == 2 and run.dir.name == "r00" and "killed" in str(run.dir):
        callbacks.append(Killer())
    lab.keras.fit(run, model, x, 2 * x, epochs=6, callbacks=callbacks)
    return {"loss": lab.keras.evaluate(model, x, 2 * x)}


EXPERIMENT = lab.Experiment(
    name="line",
    hparams=[hp.HParam("units", hp.Discrete([1, 2]))],
    metrics=[hp.Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
'''


def read_curves(records: list[RunRecord]) -> list[dict[str, tuple[list[int], list[float]]]]:
    """Return the points of each run's scalars."""
    return [
        {tag: (series.steps, series.values) for tag, series in record.curves.items()}
        for record in records
    ]


def test_resume_goes_on_where_a_run_was_killed(tmp_path: Path) -> None:
    """The second attempt at a killed run trains the missing epochs, and ends as if never killed."""
    module = tmp_path / "line.py"
    module.write_text(MODULE)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert 0 == run_program(words_of(module, undisturbed)).returncode
    assert 1 == run_program(words_of(module, killed)).returncode

    endings = [record.ending for record in read_sweep(killed)]
    resume = [sys.executable, "-m", "hparams_lab", "resume", str(module), "--failed"]
    done = run_program([*resume, f"--logdir={killed}"])

    assert [Ending.COMPLETE, Ending.CRASHED] == endings
    assert (0, "") == (done.returncode, done.stderr)
    assert [Status.SUCCESS] * 2 == [record.status for record in read_sweep(killed)]
    assert read_curves(read_sweep(undisturbed)) == read_curves(read_sweep(killed))
