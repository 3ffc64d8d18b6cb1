"""How many epochs does early stopping need for what random search reaches on real curves?

    python benchmarks/digits_curves.py --seeds=20

The images of experiments/digits.py and nets of one hidden layer, trained by scikit-learn,
which does an epoch in a hundredth of a second. Random search trains 40 nets for 27 epochs
each; the share of their epochs is told that a search needs until the net which it names
best is as good as the one that random names best. A net is named by the accuracy that its
own run measured, and judged by the mean of five runs with other seeds.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import statistics
import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import Goal
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.catalog import make_strategy

NUM_EPOCHS = 27
NUM_FULL_RUNS = 40
NUM_JUDGES = 5
MAX_SHARE = 1.5
SEARCHES = ("hyperband", "asha")
SPACE = SearchSpace(
    [
        Axis(HParam("num_units", IntInterval(2, 64)), scale="log"),
        Axis(HParam("learning_rate", RealInterval(1e-4, 1.0)), scale="log"),
        HParam("batch_size", Discrete([32, 64, 128, 256])),
    ]
)


@functools.cache
def load_split() -> tuple[np.ndarray, ...]:
    """Return images and digits to train on and to judge by."""
    images, digits = load_digits(return_X_y=True)
    x, x_held_out, y, y_held_out = train_test_split(
        images / 16.0, digits, test_size=0.2, random_state=0, stratify=digits
    )
    return x, y, x_held_out, y_held_out


def train(point: Assignment, seed: int) -> Iterator[float]:
    """Yield the held-out accuracy after each epoch."""
    x, y, x_held_out, y_held_out = load_split()
    net = MLPClassifier(
        [point["num_units"]],
        learning_rate_init=point["learning_rate"],
        batch_size=point["batch_size"],
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (ConvergenceWarning, RuntimeWarning))
        for _ in range(NUM_EPOCHS):
            net.partial_fit(x, y, classes=range(10))
            yield float(net.score(x_held_out, y_held_out))


@functools.cache
def judge(point: Assignment) -> float:
    """Return the mean accuracy of other runs of the same point."""
    return statistics.mean([*train(point, seed)][-1] for seed in range(10_000, 10_000 + NUM_JUDGES))


def follow(search: str, seed: int) -> Iterator[tuple[int, Assignment]]:
    """Yield the epochs spent and the point named best, after each full run."""
    strategy = make_strategy(search, SPACE, goal=Goal.MAXIMIZE, seed=seed)
    num_epochs, highest, best = 0, -1.0, None
    while (point := strategy.propose()) is not None:
        accuracy = 0.0
        for epoch, accuracy in enumerate(train(point, num_epochs), start=1):
            num_epochs += 1
            if strategy.report(point, accuracy, epoch).stop:
                strategy.observe(point, None, pruned=True)
                break
        else:
            strategy.observe(point, accuracy)
            if accuracy > highest:
                highest, best = accuracy, point
            assert best is not None
            yield num_epochs, best


def find_shares(seed: int) -> dict[str, float]:
    """Return the share of random's epochs that each search needs to be as good."""
    full_runs = follow("random", seed)
    *_, (num_random, named) = (next(full_runs) for _ in range(NUM_FULL_RUNS))
    shares = {}
    for search in SEARCHES:
        for num_epochs, best in follow(search, seed):
            shares[search] = num_epochs / num_random
            if shares[search] > MAX_SHARE or judge(best) >= judge(named):
                break
    return shares


def main() -> None:
    """Measure and print a line a search."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    num_seeds = parser.parse_args().seeds
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        shares = pool.map(find_shares, range(num_seeds), chunksize=1)
    print(f"share of random's epochs until as good, median (quartiles) of {num_seeds} seeds")
    for search in SEARCHES:
        own = sorted(each[search] for each in shares)
        low, middle, high = statistics.quantiles(own, n=4)
        within = sum(share <= 1 / 3 for share in own)
        print(
            f"{search:10} {middle:.2f} ({low:.2f} to {high:.2f})  "
            f"within a third: {within}/{num_seeds}"
        )


if __name__ == "__main__":
    main()
