"""Small models of every kind that users train, each with data that suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A model and what it is trained on.

    Attributes:
        make: returns the model, compiled.
        x: inputs.
        y: targets.
        arguments: of fit.
    """

    make: Callable[[], Any]
    x: Any
    y: Any
    arguments: dict[str, Any] = field(default_factory=dict)


NUM_ROWS = 75  # not a multiple of any batch size here
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(NUM_ROWS, 8)).astype("float32")
IMAGES = RANDOM.normal(size=(NUM_ROWS, 8, 8, 1))  # float64: Keras makes it float32
STEPS = RANDOM.normal(size=(64, 5, 4)).astype("float32")
SIGNS = (ROWS[:, :1] > 0).astype("float32")
CLASSES = RANDOM.integers(0, 3, NUM_ROWS)
SUMS = STEPS.sum(axis=(1, 2))
WEIGHTS = RANDOM.random(NUM_ROWS)


def make_dense(**options: Any) -> Any:
    """Dropout, batch normalization, a regularizer, a constraint, stateful metrics."""
    import keras

    layers = [
        keras.Input((8,)),
        keras.layers.Dense(8, "relu", kernel_regularizer="l2", kernel_constraint="unit_norm"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.3, seed=3),
        keras.layers.Dense(1, "sigmoid"),
    ]
    metrics = ["accuracy", keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision")]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy", metrics=metrics, **options)
    return model


def make_unbuilt() -> Any:
    """Its first batch says how wide its input is."""
    import keras

    model = keras.Sequential([keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def make_convolutional() -> Any:
    """Logits over sparse classes."""
    import keras

    layers = [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("rmsprop", loss, metrics=["accuracy"])
    return model


def make_recurrent() -> Any:
    """Dropout within the recurrence."""
    import keras

    layers = [keras.Input((5, 4)), keras.layers.LSTM(4, dropout=0.2, seed=1), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    return model


def make_stateful() -> Any:
    """Its layers remember the batch before, and so ask for full batches."""
    import keras

    layers = [
        keras.Input(batch_shape=(32, 5, 4)),
        keras.layers.GRU(4, stateful=True),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    return model


def make_branching() -> Any:
    """Two named inputs, two named outputs, weighted losses."""
    import keras

    left, right = keras.Input((8,), name="left"), keras.Input((3,), name="right")
    hidden = keras.layers.Dense(6, "tanh")(keras.layers.Concatenate()([left, right]))
    number = keras.layers.Dense(1, name="number")(hidden)
    label = keras.layers.Dense(3, "softmax", name="label")(hidden)
    model = keras.Model({"left": left, "right": right}, {"number": number, "label": label})
    model.compile(
        "adam",
        {"number": "mse", "label": "sparse_categorical_crossentropy"},
        metrics={"number": ["mae"], "label": ["accuracy"]},
        loss_weights={"number": 1.0, "label": 0.5},
    )
    return model


def make_scheduled() -> Any:
    """A schedule, and an average of the weights that takes over in the end."""
    import keras

    schedule = keras.optimizers.schedules.CosineDecayRestarts(0.1, 5)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(schedule, momentum=0.8, use_ema=True), "mse")
    return model


def make_custom() -> Any:
    """A train step of its own, which returns a metric and what is none."""
    import keras
    import tensorflow as tf

    class Custom(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(1)
            self.tracker = keras.metrics.Mean(name="tracked")

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.tracker.update_state(loss)
            return {"tracked": self.tracker.result(), "last": loss}

    model = Custom()
    model.compile("adam", "mse")
    return model


INPUTS = {"left": ROWS, "right": RANDOM.normal(size=(NUM_ROWS, 3))}
TARGETS = {"number": SIGNS, "label": CLASSES}

CASES = {
    "dense": Case(make_dense, ROWS, SIGNS, {"validation_data": (ROWS[:20], SIGNS[:20])}),
    "class weights": Case(make_dense, ROWS, SIGNS, {"class_weight": {0: 1.0, 1: 3.0}}),
    "sample weights": Case(
        make_dense, ROWS, SIGNS, {"sample_weight": WEIGHTS, "validation_split": 0.2}
    ),
    "weighted validation": Case(
        make_dense, ROWS, SIGNS, {"validation_data": (ROWS, SIGNS, WEIGHTS), "validation_freq": 2}
    ),
    "unbuilt": Case(make_unbuilt, ROWS, SIGNS),
    "convolutional": Case(make_convolutional, IMAGES, CLASSES, {"validation_split": 0.1}),
    "recurrent": Case(make_recurrent, STEPS, SUMS),
    "stateful": Case(make_stateful, STEPS, SUMS),
    "branching": Case(make_branching, INPUTS, TARGETS, {"validation_data": (INPUTS, TARGETS)}),
    "scheduled": Case(make_scheduled, ROWS, SIGNS),
    "custom step": Case(make_custom, ROWS, SIGNS, {"validation_data": (ROWS, SIGNS)}),
}
