"""Which batch size, number of epochs and width win on MNIST by cross-validation?

Data: keras.datasets, or the file that HPARAMS_LAB_MNIST names (arrays x_train, y_train).
`hparams_lab run mnist_cv --folds=5` holds out each fifth of the training images once; then
`hparams_lab refit mnist_cv` trains the winner on all of them. Expected: 32 units, batches of
32 or 64 and twenty epochs win; published is a mean accuracy of 0.962 of 60,000 images, and
22,699 of them gave 0.950. A run takes three to ten seconds.
"""

import os

import keras
import numpy as np
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

HP_BATCH_SIZE = hp.HParam("batch_size", hp.Discrete([32, 64, 512]))
HP_EPOCHS = hp.HParam("epochs", hp.Discrete([10, 20]))
HP_NUM_UNITS = hp.HParam("num_units", hp.Discrete([8, 16, 32]))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_LOSS = hp.Metric("loss", display_name="Held-out loss")

NUM_CLASSES = 10


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return the training images, `[rows, 784]` in [0, 1], and their digits, `[rows]`."""
    if path := os.environ.get("HPARAMS_LAB_MNIST"):
        with np.load(path) as file:
            images, digits = file["x_train"], file["y_train"]
    else:
        (images, digits), _ = keras.datasets.mnist.load_data()
    return images.reshape(len(images), -1).astype("float32") / 255.0, digits


def build_model(num_units: int) -> keras.Model:
    """Return a net with one hidden layer."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(num_units, activation="relu"),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on all training images but one fold and judge by that."""
    x, y, x_held_out, y_held_out = run.split(*run.data)
    model = build_model(run.hparams[HP_NUM_UNITS])
    lab.keras.fit(
        run,
        model,
        x,
        y,
        validation_data=(x_held_out, y_held_out),
        epochs=run.hparams[HP_EPOCHS],
        batch_size=run.hparams[HP_BATCH_SIZE],
    )
    loss, accuracy = lab.keras.evaluate(model, x_held_out, y_held_out, batch_size=1000)
    return {METRIC_ACCURACY: accuracy, METRIC_LOSS: loss}


EXPERIMENT = lab.Experiment(
    name="mnist_cv",
    hparams=[HP_BATCH_SIZE, HP_EPOCHS, HP_NUM_UNITS],
    metrics=[METRIC_ACCURACY, METRIC_LOSS],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
