"""How much dropout, and how tight a max-norm constraint, should go together?

The 1,797 images of digits that come with scikit-learn: nothing is downloaded. A fifth of them
is trained on, so that a net can learn them by heart. Expected: up to half of the units may be
dropped at no cost, 0.94 to 0.95, if the norm is 2 or more; the more is dropped the looser it
must be, as the units that are left bear it all: with a norm of 1 half costs three points. 0.9
is too much with any norm, 0.77 to 0.84. A run takes about two seconds.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

HP_DROPOUT = hp.HParam("dropout", hp.RealInterval(0.0, 0.9))
HP_MAX_NORM = hp.HParam("max_norm", hp.IntInterval(1, 5))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_LOSS = hp.Metric("loss", display_name="Held-out loss")

NUM_EPOCHS = 30
BATCH_SIZE = 16
NUM_UNITS = 64
NUM_CLASSES = 10
MAX_INTENSITY = 16.0  # pixels of these images are counts from 0 to 16


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return the images, `[1797, 64]` in [0, 1], and their digits, `[1797]`."""
    images, digits = load_digits(return_X_y=True)
    return (images / MAX_INTENSITY).astype("float32"), digits


def build_model(hparams: lab.Assignment) -> keras.Model:
    """Return a net whose hidden units' incoming weights have a norm of at most `max_norm`."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(
                NUM_UNITS,
                activation="relu",
                kernel_constraint=keras.constraints.MaxNorm(hparams[HP_MAX_NORM]),
            ),
            keras.layers.Dropout(hparams[HP_DROPOUT]),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on a fifth of the images and judge by the rest."""
    x, y, *held_out = run.split(*run.data, share=0.8)
    model = build_model(run.hparams)
    lab.keras.fit(
        run, model, x, y, validation_data=held_out, epochs=NUM_EPOCHS, batch_size=BATCH_SIZE
    )
    loss, accuracy = lab.keras.evaluate(model, *held_out)
    return {METRIC_ACCURACY: accuracy, METRIC_LOSS: loss}


EXPERIMENT = lab.Experiment(
    name="regularization",
    hparams=[lab.Axis(HP_DROPOUT, step=0.1), lab.Axis(HP_MAX_NORM, step=1)],
    metrics=[METRIC_ACCURACY, METRIC_LOSS],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
