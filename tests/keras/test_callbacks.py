from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.runs.logdir import SweepDir
from hparams_lab.runs.run import Run
from hparams_lab.testing import FakeRunWriter, make_run
from hparams_lab.worker import Loaded, execute
from tests.factories import SATURDAY, make_spec
from tests.test_worker import refuse

pytestmark = pytest.mark.slow

HPARAMS = [HParam("x", Discrete([1, 2]))]


def declare(train: Any) -> Experiment:
    return Experiment(
        name="toy",
        hparams=HPARAMS,
        metrics=[Metric("loss")],
        objective=minimize("loss"),
        train=train,
    )


def test_callbacks_write_each_epoch(tmp_path: Path) -> None:
    """An epoch's logs become `train/...`, `validation/...` and a report at its number."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    sink = FakeRunWriter()
    run = make_run(declare(len), {"x": 1}, sink=sink, directory=tmp_path)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    history = model.fit(
        x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=run.callbacks()
    ).history

    assert {
        "train/loss": list(enumerate(history["loss"])),
        "validation/loss": list(enumerate(history["val_loss"])),
        "report/loss": list(enumerate(history["val_loss"])),
    } == sink.points


def draw(run: Run) -> dict[str, float]:
    """Log a number of each generator, and what Keras names its first layer."""
    import keras

    run.scalar("python", random.random(), 0)
    run.scalar("numpy", np.random.random(), 0)
    run.scalar("keras", keras.random.uniform(()), 0)
    run.scalar("initializer", keras.initializers.RandomNormal()((1,))[0], 0)
    run.scalar("first_layer", keras.layers.Dense(1).name == "dense", 0)
    return {"loss": 0.0}


def test_keras_follows_the_run_s_seed(tmp_path: Path) -> None:
    """Runs of one seed draw the same numbers with Keras too, and of another seed others."""
    import keras  # noqa: F401 - as an experiment does before its runs

    specs = [make_spec(SweepDir(tmp_path / f"{SATURDAY[:-1]}{i}"), {"x": 1}) for i in range(2)]
    specs.append(make_spec(SweepDir(tmp_path / SATURDAY), {"x": 2}, index=1))
    loaded = Loaded(declare(draw), None)
    first, again, other = (execute(loaded, spec, refuse).metrics for spec in specs)

    assert 1.0 == first["first_layer"] == other["first_layer"]
    assert first == again
    drawn = ("python", "numpy", "keras", "initializer")
    assert not {first[name] for name in drawn} & {other[name] for name in drawn}
