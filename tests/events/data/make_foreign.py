"""Makes the event files of other writers that lie beside this file, each with the writer itself.

    python make_foreign.py TOOL...      with the tool installed; a tool's folder is made anew

Tools: hp_api, hp_keras and keras_tuner (TensorFlow), tensorboardx, pytorch, ray_tune. The host's
name, which writers put into file names, is replaced afterwards.
"""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def make_hp_api(root: Path) -> None:
    """As in TensorBoard's tutorial: one config above, and runs with scalars of their own."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api as hp

    units = hp.HParam("num_units", hp.Discrete([16, 32]))
    dropout = hp.HParam("dropout", hp.RealInterval(0.0, 1.0))
    bias = hp.HParam("bias", hp.Discrete([False, True]))
    optimizer = hp.HParam("optimizer", hp.Discrete(["adam", "sgd"]))
    with tf.summary.create_file_writer(str(root)).as_default():
        hp.hparams_config(
            hparams=[units, dropout, bias, optimizer],
            metrics=[hp.Metric("accuracy", display_name="Accuracy")],
        )
    points = [(16, 0.0, True, "adam", 0.5), (32, 1.0, False, "sgd", 0.75)]
    for index, (width, rate, has_bias, name, accuracy) in enumerate(points):
        with tf.summary.create_file_writer(str(root / f"run-{index}")).as_default():
            hp.hparams({units: width, dropout: rate, bias: has_bias, optimizer: name})
            for step in (1, 2):
                tf.summary.scalar("accuracy", accuracy + step / 8, step=step)
            tf.summary.scalar("epochs", tf.constant(2, tf.int64), step=2)
            tf.summary.text("note", "no scalar", step=0)


def make_hp_keras(root: Path) -> None:
    """Keras's TensorBoard callback and the HParams callback: metrics lie in sub-runs."""
    import keras
    import numpy as np
    from tensorboard.plugins.hparams import api as hp

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(
        *(np.ones((4, 2)), np.ones((4, 1))),
        validation_data=(np.ones((4, 2)), np.ones((4, 1))),
        epochs=2,
        verbose=0,
        callbacks=[
            keras.callbacks.TensorBoard(str(root / "run"), write_graph=False),
            hp.KerasCallback(str(root / "run"), {"units": 1, "rate": 0.01}, trial_id="first"),
        ],
    )


def make_keras_tuner(root: Path) -> None:
    """Keras Tuner with a TensorBoard callback: `<trial>/execution0/{train,validation}`."""
    import keras
    import keras_tuner
    import numpy as np

    def build(hyperparameters: keras_tuner.HyperParameters) -> keras.Model:
        model = keras.Sequential([keras.Input((2,))])
        model.add(keras.layers.Dense(hyperparameters.Int("units", 1, 2)))
        model.add(keras.layers.Dense(1, use_bias=hyperparameters.Boolean("bias")))
        rate = hyperparameters.Float("rate", 1e-3, 1e-1, sampling="log")
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    with tempfile.TemporaryDirectory() as scratch:
        tuner = keras_tuner.RandomSearch(
            build, "val_loss", max_trials=2, seed=1, directory=scratch, project_name="project"
        )
        tuner.search(
            *(np.ones((4, 2)), np.ones((4, 1))),
            validation_data=(np.ones((4, 2)), np.ones((4, 1))),
            epochs=2,
            verbose=0,
            callbacks=[keras.callbacks.TensorBoard(str(root), write_graph=False)],
        )


def make_tensorboardx(root: Path) -> None:
    """`add_hparams` of tensorboardX: a timestamped sub-run beside the training's curves."""
    from tensorboardX import SummaryWriter

    for index, rate in enumerate((0.1, 0.01)):
        with SummaryWriter(str(root / f"run{index}")) as writer:
            for step in range(3):
                writer.add_scalar("loss", 1 / (step + 1) + rate, step)
            writer.add_hparams(
                {"rate": rate, "layers": 2, "bias": index == 0, "decay": None, "sizes": [8, 16]},
                {"hparam/loss": 1 / 3 + rate},
                global_step=2,
            )


def make_pytorch(root: Path) -> None:
    """`add_hparams` of PyTorch: with a sub-run, in the run itself, and with no curves at all."""
    import torch
    from torch.utils.tensorboard import SummaryWriter

    values = {"rate": 0.1, "layers": 2, "bias": True, "momentum": None, "act": "relu"}
    for name, keywords in (("default", {}), ("same", {"run_name": "."})):
        with SummaryWriter(str(root / name)) as writer:
            for step in range(3):
                writer.add_scalar("loss", 1 / (step + 1), step)
                writer.add_scalar("exact", 0.1, step, new_style=True, double_precision=True)
            writer.add_scalars("split", {"train": 0.5, "test": 0.25}, 2)
            writer.add_hparams(
                values, {"hparam/loss": torch.tensor(0.25)}, {"layers": [2, 3]}, **keywords
            )
    with SummaryWriter(str(root / "loop")) as writer:
        for layers in (2, 3):
            writer.add_hparams({"rate": float("nan"), "layers": layers}, {"hparam/loss": 0.5})


def make_ray_tune(root: Path) -> None:
    """Ray Tune's TensorBoardX logger: curves and session in one directory, nested parameters."""
    from ray import tune

    def train(config: dict[str, object]) -> None:
        for step in range(3):
            tune.report({"loss": 1 / (step + 1), "nested": {"accuracy": step / 4}})

    with tempfile.TemporaryDirectory() as scratch:
        tune.Tuner(
            train,
            param_space={
                "rate": tune.grid_search([0.1, 0.01]),
                "net": {"layers": tune.choice([2]), "bias": tune.choice([True])},
            },
            run_config=tune.RunConfig(name="experiment", storage_path=scratch),
        ).fit()
        for index, events in enumerate(sorted(Path(scratch).glob("experiment/*/events.*"))):
            folder = root / "experiment" / f"train_{index}"
            folder.mkdir(parents=True)
            shutil.copy(events, folder)


def _replace_host(root: Path) -> None:
    for path in sorted(root.rglob("*tfevents*")):
        path.rename(path.with_name(path.name.replace(socket.gethostname(), "host")))


MAKERS = {
    name.removeprefix("make_"): make
    for name, make in list(globals().items())
    if name.startswith("make_")
}

if __name__ == "__main__":
    for tool in sys.argv[1:]:
        shutil.rmtree(HERE / tool, ignore_errors=True)
        MAKERS[tool](HERE / tool)
        _replace_host(HERE / tool)
