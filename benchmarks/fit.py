"""`lab.keras.fit` beside `model.fit`: an epoch, a whole run, and the memory that it takes.

`python benchmarks/fit.py [MNIST.npz]`. The two take turns in one process, memory in a
process each. The file has `x_train` and `y_train`; without it the images are noise, which
takes the same time.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

import hparams_lab as lab
from hparams_lab.keras import program

NUM_ROUNDS = 7
MEMORY_ROWS = 200_000  # of 784 numbers: 630 MB
LOOPS = ("model.fit", "lab.keras.fit")


@dataclass
class SilentRun:
    """A run that logs nothing: both loops do the same work."""

    seed: int = 1

    def callbacks(self) -> list[Any]:
        """Return none."""
        return []


@dataclass
class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Times epochs.

    Attributes:
        secs: of each epoch.
    """

    secs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop it."""
        self.secs.append(time.perf_counter() - self._began)


@dataclass(frozen=True)
class Net:
    """A model and its data.

    Attributes:
        make: returns the model, compiled.
        x: inputs.
        y: targets.
        batch_size: rows in a batch.
        epochs: of a whole run.
    """

    make: Callable[[], Any]
    x: Any
    y: Any
    batch_size: int
    epochs: int


def main() -> None:
    """Measure and print a line for each figure."""
    if sys.argv[1:2] == ["--memory"]:
        print(measure_memory(sys.argv[2]))
        return
    images, digits = load_images(sys.argv[1] if len(sys.argv) > 1 else None)
    for name, net in list_nets(images, digits).items():
        print_ratio(f"{name}, an epoch", time_epochs(net), "ms", 1e3)
        if net.epochs:
            print_ratio(f"{name}, a run of {net.epochs} epochs", time_runs(net), "s", 1.0)
    rows_mb = MEMORY_ROWS * 784 * 4 / 1e6
    peaks = {
        loop: float(subprocess.check_output([sys.executable, __file__, "--memory", loop]))
        for loop in LOOPS
    }
    shown = ", ".join(f"{loop} {peak:.0f} MB" for loop, peak in peaks.items())
    print(f"peak memory beyond that of the data, which is {rows_mb:.0f} MB: {shown}")


def load_images(path: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return images `[rows, 784]` and one-hot digits."""
    if path is None:
        random = np.random.default_rng(0)
        images, digits = random.random((22_699, 784)), random.integers(0, 10, 22_699)
    else:
        with np.load(path) as file:
            images, digits = file["x_train"] / 255.0, file["y_train"]
    return images.reshape(len(images), -1).astype("float32"), np.eye(10, dtype="float32")[digits]


def list_nets(images: np.ndarray, digits: np.ndarray) -> dict[str, Net]:
    """Return the nets that are timed."""
    cells, benign = load_breast_cancer(return_X_y=True)
    cells = ((cells - cells.mean(axis=0)) / cells.std(axis=0)).astype("float32")
    pictures = images[:2560].reshape(-1, 28, 28, 1)
    return {
        "mnist": Net(make_mnist, images, digits, 128, 5),
        "breast_cancer, batches of 4": Net(make_breast_cancer, cells[:455], benign[:455], 4, 25),
        "convolutional": Net(make_convolutional, pictures, digits[:2560], 128, 0),
    }


def make_mnist() -> Any:
    """Return the net of experiments/mnist.py."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy", "mse"])
    return model


def make_breast_cancer() -> Any:
    """Return the net of experiments/breast_cancer.py."""
    model = keras.Sequential(
        [
            keras.Input((30,)),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def make_convolutional() -> Any:
    """Return a net whose arithmetic dominates."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def train(loop: str, net: Net, model: Any, epochs: int) -> list[float]:
    """Train by one of the loops; return the seconds of each epoch."""
    clock = Clock()
    options = {"batch_size": net.batch_size, "epochs": epochs, "callbacks": [clock], "verbose": 0}
    if loop == "model.fit":
        model.fit(net.x, net.y, **options)
    else:
        lab.keras.fit(SilentRun(), model, net.x, net.y, **options)
    return clock.secs


def time_epochs(net: Net) -> dict[str, list[float]]:
    """Return the seconds of epochs after the first, which traces."""
    models = {loop: net.make() for loop in LOOPS}
    secs: dict[str, list[float]] = {loop: [] for loop in LOOPS}
    for _ in range(NUM_ROUNDS):
        for loop, model in models.items():
            secs[loop] += train(loop, net, model, 3)[1:]
    return secs


def time_runs(net: Net) -> dict[str, list[float]]:
    """Return the seconds of whole runs: making the model, tracing, training."""
    secs: dict[str, list[float]] = {loop: [] for loop in LOOPS}
    for _ in range(NUM_ROUNDS):
        for loop in LOOPS:
            keras.utils.clear_session(free_memory=False)
            program.clear()
            began = time.perf_counter()
            train(loop, net, net.make(), net.epochs)
            secs[loop].append(time.perf_counter() - began)
    return secs


def print_ratio(what: str, secs: dict[str, list[float]], unit: str, scale: float) -> None:
    """Print medians, the range between the quartiles, and how many times faster ours is."""
    shown = []
    for loop in LOOPS:
        low, median, high = statistics.quantiles([scale * value for value in secs[loop]], n=4)
        shown.append(f"{loop} {median:.3g} {unit} ({low:.3g} to {high:.3g})")
    ratio = statistics.median(secs[LOOPS[0]]) / statistics.median(secs[LOOPS[1]])
    print(f"{what}: {', '.join(shown)}: {ratio:.1f} x", flush=True)


def measure_memory(loop: str) -> float:
    """Return by how many MB the process grew at its peak while it trained on much data."""
    random = np.random.default_rng(0)
    x = random.random((MEMORY_ROWS, 784), dtype="float32")
    y = np.eye(10, dtype="float32")[random.integers(0, 10, MEMORY_ROWS)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    train(loop, Net(make_mnist, x, y, 512, 1), make_mnist(), 2)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3


if __name__ == "__main__":
    main()
