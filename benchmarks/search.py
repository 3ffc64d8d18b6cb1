"""Is a search worth its trials? Model against chance, and early stopping against full runs.

    python benchmarks/search.py --seeds=20

First: five functions, bayes after 60 trials beside random after 120. What counts is the
true value at the point that the search names best, less the optimum.
Then: simulated learning curves. How many epochs does a search that stops runs early
need until its best full run is as good as the best of random's?

Strategies are driven directly, one trial after the other; nothing is written.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import multiprocessing.pool
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
from search_functions import CURVE_SPACE, FUNCTIONS, loss_after

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import Goal
from hparams_lab.search.catalog import make_strategy

NUM_BAYES, NUM_RANDOM = 60, 120
NUM_EPOCHS = 81
NUM_FULL_RUNS = 60
CURVE_NOISE = 0.01
EARLY = {
    "hyperband": ("hyperband", {}),
    "hyperband --sampler=random": ("hyperband", {"sampler": "random"}),
    "asha --min_budget=3": ("asha", {"min_budget": 3}),
    "asha --sampler=random": ("asha", {"sampler": "random"}),
}


def find_regret(function_name: str, search: str, num_trials: int, seed: int) -> float:
    """Return how far above the optimum the point lies that a search names best."""
    function = FUNCTIONS[function_name]
    strategy = make_strategy(search, function.space, goal=Goal.MINIMIZE, seed=seed)
    rng = np.random.default_rng(1000 + seed)
    observed: dict[Assignment, float] = {}
    for _ in range(num_trials):
        point = strategy.propose()
        assert point is not None
        observed[point] = function.observe(point, rng)
        strategy.observe(point, observed[point])
    best = min(observed, key=lambda point: observed[point])
    return function.true_value(best) - function.optimum


def follow(search: str, options: dict[str, Any], seed: int) -> Iterator[tuple[int, float]]:
    """Yield epochs spent and the true final loss of the best full run, after each full run."""
    strategy = make_strategy(search, CURVE_SPACE, goal=Goal.MINIMIZE, seed=seed, options=options)
    rng = np.random.default_rng(1000 + seed)
    num_epochs, least, best = 0, math.inf, math.inf
    while (point := strategy.propose()) is not None:
        for epoch in range(1, NUM_EPOCHS + 1):
            loss = loss_after(point, epoch) + CURVE_NOISE * float(rng.normal())
            num_epochs += 1
            if strategy.report(point, loss, epoch).stop:
                strategy.observe(point, None, pruned=True)
                break
        else:
            strategy.observe(point, loss)
            if loss < least:
                least, best = loss, loss_after(point, NUM_EPOCHS)
            yield num_epochs, best


def find_share(name: str, seed: int) -> float:
    """Return the share of random's epochs that a search needs to be as good."""
    *_, (num_random, goal) = itertools.islice(follow("random", {}, seed), NUM_FULL_RUNS)
    search, options = EARLY[name]
    for num_epochs, best in follow(search, options, seed):
        if best <= goal or num_epochs > 3 * num_random:
            return num_epochs / num_random
    raise AssertionError("an infinite space has no end")


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    num_seeds = parser.parse_args().seeds
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print_functions(pool, num_seeds)
        print_curves(pool, num_seeds)


def print_functions(pool: multiprocessing.pool.Pool, num_seeds: int) -> None:
    """Print the regret of bayes and of random on each function."""
    columns = {"bayes": NUM_BAYES, "random": NUM_RANDOM}
    jobs = [
        (function, search, num_trials, seed)
        for function in FUNCTIONS
        for search, num_trials in columns.items()
        for seed in range(num_seeds)
    ]
    regrets = dict(zip(jobs, pool.starmap(find_regret, jobs, chunksize=1), strict=True))
    print(f"regret of the named best, median (quartiles) of {num_seeds} seeds")
    print(f"{'':16} {f'bayes, {NUM_BAYES}':>28} {f'random, {NUM_RANDOM}':>28}  bayes better")
    for function in FUNCTIONS:
        bayes, random = (
            [regrets[function, search, num_trials, seed] for seed in range(num_seeds)]
            for search, num_trials in columns.items()
        )
        wins = sum(b < r for b, r in zip(bayes, random, strict=True))
        print(f"{function:16} {spread(bayes):>28} {spread(random):>28}  {wins}/{num_seeds}")


def print_curves(pool: multiprocessing.pool.Pool, num_seeds: int) -> None:
    """Print how soon each early-stopping search is as good as random."""
    jobs = [(name, seed) for name in EARLY for seed in range(num_seeds)]
    shares = dict(zip(jobs, pool.starmap(find_share, jobs, chunksize=1), strict=True))
    print(
        f"\nepochs until as good as {NUM_FULL_RUNS} random runs of {NUM_EPOCHS}, as a share of "
        f"their epochs, median (quartiles) of {num_seeds} seeds"
    )
    for name in EARLY:
        own = [shares[name, seed] for seed in range(num_seeds)]
        within = sum(share <= 1 / 3 for share in own)
        print(f"{name:28} {spread(own):>28}  within a third: {within}/{num_seeds}")


def spread(values: list[float]) -> str:
    """Return the median and the quartiles in brackets."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{statistics.median(values):.3g} ({low:.3g} to {high:.3g})"


if __name__ == "__main__":
    main()
