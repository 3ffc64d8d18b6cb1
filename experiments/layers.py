"""How many hidden layers, and how wide ones, do handwritten digits need?

The 1,797 images that come with scikit-learn: nothing is downloaded. The widths of layers that
a net does not have do not exist, so `--search=random --trials=20 --folds=3 --subset=0.2` tries
no net twice. Expected: one layer of 64 units reaches 0.94 on 240 images, and a second or third
adds nothing; a layer of 4 units is a bottleneck wherever it stands, and costs 6 points or more.
A run takes about two seconds.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

HP_NUM_LAYERS = hp.HParam("num_layers", hp.IntInterval(1, 3))
HP_UNITS_1 = hp.HParam("units_1", hp.Discrete([4, 16, 64]))
HP_UNITS_2 = hp.HParam("units_2", hp.Discrete([4, 16, 64]))
HP_UNITS_3 = hp.HParam("units_3", hp.Discrete([4, 16, 64]))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_LOSS = hp.Metric("loss", display_name="Held-out loss")

NUM_EPOCHS = 40
BATCH_SIZE = 16  # a fifth of two thirds of the images is 240 rows: 15 batches
LEARNING_RATE = 0.01
NUM_CLASSES = 10
MAX_INTENSITY = 16.0  # pixels of these images are counts from 0 to 16


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return the images, `[1797, 64]` in [0, 1], and their digits, `[1797]`."""
    images, digits = load_digits(return_X_y=True)
    return (images / MAX_INTENSITY).astype("float32"), digits


def build_model(widths: list[int]) -> keras.Model:
    """Return a net with a hidden layer of each width."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            *(keras.layers.Dense(width, activation="relu") for width in widths),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on all images but one fold and judge by that."""
    x, y, *held_out = run.split(*run.data)
    widths = [
        run.hparams[units] for units in (HP_UNITS_1, HP_UNITS_2, HP_UNITS_3) if units in run.hparams
    ]
    model = build_model(widths)
    lab.keras.fit(
        run, model, x, y, validation_data=held_out, epochs=NUM_EPOCHS, batch_size=BATCH_SIZE
    )
    loss, accuracy = lab.keras.evaluate(model, *held_out)
    return {METRIC_ACCURACY: accuracy, METRIC_LOSS: loss}


EXPERIMENT = lab.Experiment(
    name="layers",
    hparams=[
        lab.Axis(HP_NUM_LAYERS, step=1),
        HP_UNITS_1,
        lab.Axis(HP_UNITS_2, when={HP_NUM_LAYERS: [2, 3]}),
        lab.Axis(HP_UNITS_3, when={HP_NUM_LAYERS: 3}),
    ],
    metrics=[METRIC_ACCURACY, METRIC_LOSS],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
