"""The 216 trials of experiments/breast_cancer.py as the HParams tutorial writes such a sweep.

`python benchmarks/peers/breast_cancer_loop.py LOGDIR` prints the best accuracy. As the
experiment does, it validates after each epoch.
"""

import itertools
import sys

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from tensorboard.plugins.hparams import api as hp

HP_NUM_UNITS = hp.HParam("num_units", hp.Discrete([1, 32, 64]))
HP_ACTIVATION = hp.HParam("activation", hp.Discrete(["linear", "relu"]))
HP_DROPOUT = hp.HParam("dropout", hp.Discrete([0.0, 0.3, 0.6]))
HP_BATCH_SIZE = hp.HParam("batch_size", hp.Discrete([4, 16, 32]))
HP_LEARNING_RATE = hp.HParam("learning_rate", hp.Discrete([0.01, 0.1, 0.5, 1.0]))
HPARAMS = [HP_NUM_UNITS, HP_ACTIVATION, HP_DROPOUT, HP_BATCH_SIZE, HP_LEARNING_RATE]
METRICS = ["accuracy", "loss"]
EPOCHS = 25


def train_test_model(hparams, data):
    """Return loss and accuracy on the rows held out."""
    x, x_held_out, y, y_held_out = data
    model = keras.Sequential(
        [
            keras.Input((30,)),
            keras.layers.Dense(hparams[HP_NUM_UNITS], activation=hparams[HP_ACTIVATION]),
            keras.layers.Dropout(hparams[HP_DROPOUT]),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(hparams[HP_LEARNING_RATE]),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        x,
        y,
        validation_data=(x_held_out, y_held_out),
        epochs=EPOCHS,
        batch_size=hparams[HP_BATCH_SIZE],
        class_weight=dict(enumerate(len(y) / (2 * np.bincount(y)))),
        verbose=0,
    )
    return model.evaluate(x_held_out, y_held_out, verbose=0)


def run(run_dir, hparams, data):
    """Write one run."""
    with tf.summary.create_file_writer(run_dir).as_default():
        hp.hparams(hparams)
        loss, accuracy = train_test_model(hparams, data)
        tf.summary.scalar("accuracy", accuracy, step=1)
        tf.summary.scalar("loss", loss, step=1)
    return accuracy


def main(logdir):
    """Run the product of the domains."""
    x, y = load_breast_cancer(return_X_y=True)
    x, x_held_out, y, y_held_out = train_test_split(
        x.astype("float32"), y, test_size=0.2, stratify=y, random_state=0
    )
    mean, std = x.mean(axis=0), x.std(axis=0)
    data = (x - mean) / std, (x_held_out - mean) / std, y, y_held_out
    with tf.summary.create_file_writer(logdir).as_default():
        hp.hparams_config(hparams=HPARAMS, metrics=[hp.Metric(name) for name in METRICS])
    accuracies = [
        run(f"{logdir}/run-{number}", dict(zip(HPARAMS, values, strict=True)), data)
        for number, values in enumerate(
            itertools.product(*(hparam.domain.values for hparam in HPARAMS))
        )
    ]
    print(max(accuracies))


if __name__ == "__main__":
    main(*sys.argv[1:])
