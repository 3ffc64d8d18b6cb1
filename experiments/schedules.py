"""Which course of the learning rate trains SGD with momentum best in sixty epochs?

The 1,797 images of digits that come with scikit-learn; the original has radar data
(ionosphere) that do not. Expected: from a rate of 0.1 all six end within a point of each
other, at 0.97 to 0.98. From 0.01 a rate that falls stops too early: a constant one reaches
0.96 to 0.98, time-based decay a point less, a tenth every twenty epochs four points less.
TensorBoard shows the rate as `learning_rate`. A run takes about two seconds.
"""

import math

import keras
import numpy as np
from keras.optimizers import schedules
from sklearn.datasets import load_digits
from tensorboard.plugins.hparams import api as hp

import hparams_lab as lab

NUM_EPOCHS = 60
BATCH_SIZE = 32
MOMENTUM = 0.8
NUM_CLASSES = 10
MAX_INTENSITY = 16.0  # pixels of these images are counts from 0 to 16

SCHEDULES = ["constant", "time_based", "exponential", "step", "cosine", "warm_restarts"]

HP_SCHEDULE = hp.HParam("schedule", hp.Discrete(SCHEDULES))
HP_LEARNING_RATE = hp.HParam("learning_rate", hp.Discrete([0.01, 0.1]))

METRIC_ACCURACY = hp.Metric("accuracy", display_name="Held-out accuracy")
METRIC_LOSS = hp.Metric("loss", display_name="Held-out loss")


def make_schedule(
    name: str, rate: float, epoch_steps: int
) -> float | schedules.LearningRateSchedule:
    """Return the course of a learning rate that begins at `rate`."""
    if name == "time_based":
        return schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=0.0016)
    if name == "exponential":  # a tenth every twenty epochs
        return schedules.ExponentialDecay(rate, decay_steps=20 * epoch_steps, decay_rate=0.1)
    if name == "step":  # halved every ten epochs
        ends = [epoch * epoch_steps for epoch in range(10, NUM_EPOCHS, 10)]
        return schedules.PiecewiseConstantDecay(
            ends, [rate / 2**number for number in range(len(ends) + 1)]
        )
    if name == "cosine":
        return schedules.CosineDecay(rate, decay_steps=NUM_EPOCHS * epoch_steps)
    if name == "warm_restarts":  # cosines of 4, 8, 16 and 32 epochs, which makes 60
        return schedules.CosineDecayRestarts(rate, first_decay_steps=4 * epoch_steps)
    return rate


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return the images, `[1797, 64]` in [0, 1], and their digits, `[1797]`."""
    images, digits = load_digits(return_X_y=True)
    return (images / MAX_INTENSITY).astype("float32"), digits


def build_model(learning_rate: float | schedules.LearningRateSchedule) -> keras.Model:
    """Return a net with one hidden layer."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(learning_rate, momentum=MOMENTUM)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Train on four fifths of the images and judge by the rest."""
    x, y, *held_out = run.split(*run.data)
    epoch_steps = math.ceil(len(x) / BATCH_SIZE)
    schedule = make_schedule(run.hparams[HP_SCHEDULE], run.hparams[HP_LEARNING_RATE], epoch_steps)
    model = build_model(schedule)
    lab.keras.fit(
        run, model, x, y, validation_data=held_out, epochs=NUM_EPOCHS, batch_size=BATCH_SIZE
    )
    loss, accuracy = lab.keras.evaluate(model, *held_out)
    return {METRIC_ACCURACY: accuracy, METRIC_LOSS: loss}


EXPERIMENT = lab.Experiment(
    name="schedules",
    hparams=[HP_SCHEDULE, HP_LEARNING_RATE],
    metrics=[METRIC_ACCURACY, METRIC_LOSS],
    objective=lab.maximize(METRIC_ACCURACY),
    load_data=load_data,
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
