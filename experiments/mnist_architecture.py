"""Which of 16,384 architectures suits MNIST, at which dropout and learning rate?

Too many for a grid: `--search=random --trials=5 --repeats=3`, `--search=hyperband --trials=30`
or `--search=bayes --trials=30`. Data: keras.datasets, or the file that HPARAMS_LAB_MNIST names
(arrays x_train, y_train, x_test, y_test). Expected: published is a best test accuracy of 0.971
to 0.975 of 60,000 images; the random search above reached 0.957 with 22,699 of them. A run
takes about eight seconds.
"""

import os

import keras
import numpy as np
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

HP_ACTIVATION = hp.HParam("activation", hp.Discrete(["relu", "tanh"]))
HP_UNITS = hp.HParam("units_1", hp.IntInterval(32, 512))
HP_FURTHER_UNITS = [hp.HParam(f"units_{layer}", hp.IntInterval(8, 64)) for layer in (2, 3, 4)]
HP_DROPOUT = hp.HParam("dropout", hp.RealInterval(0.0, 0.1))
HP_LEARNING_RATE = hp.HParam("learning_rate", hp.RealInterval(1e-4, 1e-2))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_TEST_ACCURACY = hp.Metric("test_accuracy", display_name="Test accuracy")

NUM_EPOCHS = 8
BATCH_SIZE = 64
NUM_CLASSES = 10


def load_data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return images `[rows, 784]` in [0, 1] and digits `[rows]`, to train on and to test on."""
    if path := os.environ.get("HPARAMS_LAB_MNIST"):
        with np.load(path) as file:
            arrays = [file[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    else:
        train_part, test_part = keras.datasets.mnist.load_data()
        arrays = [*train_part, *test_part]
    x_train, y_train, x_test, y_test = arrays
    return _flatten(x_train), y_train, _flatten(x_test), y_test


def _flatten(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype("float32") / 255.0


def build_model(hparams: lab.Assignment) -> keras.Model:
    """Return a net with four hidden layers, dropout before the last."""
    widths = [hparams[hparam] for hparam in (HP_UNITS, *HP_FURTHER_UNITS)]
    model = keras.Sequential(
        [
            keras.Input((784,)),
            *(keras.layers.Dense(width, activation=hparams[HP_ACTIVATION]) for width in widths),
            keras.layers.Dropout(hparams[HP_DROPOUT]),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(hparams[HP_LEARNING_RATE])
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on four fifths of the training images; the rest guides the search, not the test."""
    x_train, y_train, x_test, y_test = run.data
    x, y, x_held_out, y_held_out = run.split(x_train, y_train)
    model = build_model(run.hparams)
    lab.keras.fit(
        run,
        model,
        x,
        y,
        validation_data=(x_held_out, y_held_out),
        epochs=NUM_EPOCHS,
        batch_size=BATCH_SIZE,
    )
    _, accuracy = lab.keras.evaluate(model, x_held_out, y_held_out, batch_size=1000)
    _, test_accuracy = lab.keras.evaluate(model, x_test, y_test, batch_size=1000)
    return {METRIC_ACCURACY: accuracy, METRIC_TEST_ACCURACY: test_accuracy}


EXPERIMENT = lab.Experiment(
    name="mnist_architecture",
    hparams=[
        HP_ACTIVATION,
        lab.Axis(HP_UNITS, step=32),
        *(lab.Axis(hparam, step=8) for hparam in HP_FURTHER_UNITS),
        HP_DROPOUT,
        lab.Axis(HP_LEARNING_RATE, scale="log"),
    ],
    metrics=[METRIC_ACCURACY, METRIC_TEST_ACCURACY],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
