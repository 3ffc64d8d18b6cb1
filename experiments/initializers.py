"""Which of Keras's weight initializations suits a net of three relu layers?

The 1,797 images of digits that come with scikit-learn: nothing is downloaded. Expected: what is
scaled by a layer's width reaches 0.91 to 0.95, He's, made for relu, the most. Keras's uniform
and normal ones are so small that ten epochs of SGD hardly move the net, and zeros never do:
0.1 to 0.2, which is chance. A run takes about a second.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

INITIALIZERS = [
    *("uniform", "lecun_uniform", "normal", "zero"),
    *("glorot_normal", "glorot_uniform", "he_normal", "he_uniform"),
]

HP_INITIALIZER = hp.HParam("initializer", hp.Discrete(INITIALIZERS))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_LOSS = hp.Metric("loss", display_name="Held-out loss")

NUM_EPOCHS = 10
BATCH_SIZE = 32
LEARNING_RATE = 0.05
WIDTHS = (32, 32, 32)
NUM_CLASSES = 10
MAX_INTENSITY = 16.0  # pixels of these images are counts from 0 to 16


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return the images, `[1797, 64]` in [0, 1], and their digits, `[1797]`."""
    images, digits = load_digits(return_X_y=True)
    return (images / MAX_INTENSITY).astype("float32"), digits


def build_model(initializer: str) -> keras.Model:
    """Return a net all of whose weights begin so; seeded by the run, as Keras's seed is."""
    hidden = [
        keras.layers.Dense(width, activation="relu", kernel_initializer=initializer)
        for width in WIDTHS
    ]
    last = keras.layers.Dense(NUM_CLASSES, activation="softmax", kernel_initializer=initializer)
    model = keras.Sequential([keras.Input((64,)), *hidden, last])
    # Plain SGD: an optimizer that adapts its steps would make up for a poor start.
    optimizer = keras.optimizers.SGD(LEARNING_RATE)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on four fifths of the images and judge by the rest."""
    x, y, *held_out = run.split(*run.data)
    model = build_model(run.hparams[HP_INITIALIZER])
    lab.keras.fit(
        run, model, x, y, validation_data=held_out, epochs=NUM_EPOCHS, batch_size=BATCH_SIZE
    )
    loss, accuracy = lab.keras.evaluate(model, *held_out)
    return {METRIC_ACCURACY: accuracy, METRIC_LOSS: loss}


EXPERIMENT = lab.Experiment(
    name="initializers",
    hparams=[HP_INITIALIZER],
    metrics=[METRIC_ACCURACY, METRIC_LOSS],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
