"""The 32 trials of experiments/mnist.py as the HParams tutorial writes such a sweep.

`python benchmarks/peers/mnist_loop.py MNIST.npz LOGDIR` prints the best accuracy.
"""

import itertools
import sys

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hp

HP_NUM_UNITS = hp.HParam("num_units", hp.Discrete([16, 32]))
HP_LEARNING_RATE = hp.HParam("learning_rate", hp.RealInterval(0.001, 0.01))
HP_OPTIMIZER = hp.HParam("optimizer", hp.Discrete(["adam", "sgd"]))
HP_SECOND_LAYER = hp.HParam("second_layer", hp.Discrete([False, True]))
HP_DROPOUT = hp.HParam("dropout", hp.RealInterval(0.1, 0.2))
HPARAMS = [HP_NUM_UNITS, HP_LEARNING_RATE, HP_OPTIMIZER, HP_SECOND_LAYER, HP_DROPOUT]
METRICS = ["accuracy", "loss", "mse"]
EPOCHS = 5
BATCH_SIZE = 128


def train_test_model(hparams, data):
    """Return loss, accuracy and mean squared error on the test images."""
    x_train, y_train, x_test, y_test = data
    make_optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    model = keras.Sequential([keras.Input((784,))])
    for _ in range(2 if hparams[HP_SECOND_LAYER] else 1):
        model.add(
            keras.layers.Dense(
                hparams[HP_NUM_UNITS], activation="relu", kernel_initializer="he_normal"
            )
        )
    model.add(keras.layers.Dropout(hparams[HP_DROPOUT]))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=make_optimizer[hparams[HP_OPTIMIZER]](hparams[HP_LEARNING_RATE]),
        loss="categorical_crossentropy",
        metrics=["accuracy", "mse"],
    )
    model.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH_SIZE, verbose=0)
    return model.evaluate(x_test, y_test, batch_size=1000, verbose=0)


def run(run_dir, hparams, data):
    """Write one run."""
    with tf.summary.create_file_writer(run_dir).as_default():
        hp.hparams(hparams)
        loss, accuracy, mse = train_test_model(hparams, data)
        tf.summary.scalar("accuracy", accuracy, step=1)
        tf.summary.scalar("loss", loss, step=1)
        tf.summary.scalar("mse", mse, step=1)
    return accuracy


def main(path, logdir):
    """Run the product of the domains."""
    with np.load(path) as file:
        x_train, y_train, x_test, y_test = (
            file[name] for name in ("x_train", "y_train", "x_test", "y_test")
        )
    one_hot = np.eye(10, dtype="float32")
    data = (
        x_train.reshape(-1, 784).astype("float32") / 255.0,
        one_hot[y_train],
        x_test.reshape(-1, 784).astype("float32") / 255.0,
        one_hot[y_test],
    )
    with tf.summary.create_file_writer(logdir).as_default():
        hp.hparams_config(hparams=HPARAMS, metrics=[hp.Metric(name) for name in METRICS])
    domains = [
        hparam.domain.values
        if isinstance(hparam.domain, hp.Discrete)
        else (hparam.domain.min_value, hparam.domain.max_value)
        for hparam in HPARAMS
    ]
    accuracies = [
        run(f"{logdir}/run-{number}", dict(zip(HPARAMS, values, strict=True)), data)
        for number, values in enumerate(itertools.product(*domains))
    ]
    print(max(accuracies))


if __name__ == "__main__":
    main(*sys.argv[1:])
