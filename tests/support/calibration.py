"""Pairs of sweeps whose true difference is known: how often does `compare` see one?

Each trial has a level of its own, far apart from the others', and each run its noise, of
standard deviation 1 unless the noise differs from trial to trial. Judged on a split of the
data, all runs on it share the luck of that split, of standard deviation 1, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.compare.verdict import Conclusion
from hparams_lab.analysis.trials.selection import Logged
from tests.support.day_sweeps import log_sweep, put_together

NUM_TRIALS = 10

Noise = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]


def draw_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return standard normal noise."""
    return rng.normal(size=shape)


def draw_skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return exponential noise of mean 0 and standard deviation 1."""
    return rng.exponential(size=shape) - 1


@dataclass(frozen=True)
class Design:
    """How each day's sweeps are run.

    Attributes:
        repeats: of each trial, before and after.
        folds: of each repeat; None without.
        seeds: of the sweeps before, and of those after.
        splits: whether all runs of a sweep without folds share a hold-out.
        noise: of runs.
        spread: of the noise over the trials: that of the last is so many times the first's.
    """

    repeats: tuple[int, int] = (1, 1)
    folds: int | None = None
    seeds: tuple[Sequence[int], Sequence[int]] = ((0,), (1,))
    splits: bool = False
    noise: Noise = draw_normal
    spread: float = 1.0


def simulate(design: Design, effect: float, rng: np.random.Generator) -> Logged:
    """Return sweeps of two days, whose true difference is `effect`, in runs' deviations."""
    levels = rng.normal(scale=5, size=(NUM_TRIALS, 1))
    scales = np.geomspace(1, design.spread, NUM_TRIALS)[:, np.newaxis]
    luck: dict[tuple[int, int], float] = {}
    logs = []
    for day, seeds in enumerate(design.seeds):
        for number, seed in enumerate(seeds):
            num_runs = design.repeats[day] * (design.folds or 1)
            values = levels + scales * design.noise(rng, (NUM_TRIALS, num_runs)) + effect * day
            if design.splits or design.folds:
                # Of each run's rows: with folds each run of a trial has others, else none.
                rows = range(num_runs) if design.folds else [0] * num_runs
                values += [luck.setdefault((seed, row), rng.normal()) for row in rows]
            sweep_id = f"2026-11-{20 + day}_07-00-{number:02d}"
            logs.append(
                log_sweep(sweep_id, values, seed=seed, folds=design.folds, splits=design.splits)
            )
    return put_together(*logs)


def measure_rate(design: Design, effect: float, *, num_pairs: int, seed: int = 0) -> float:
    """Return the share of simulated pairs of days that get a verdict of better or worse."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(num_pairs):
        (pair,) = compare(simulate(design, effect, rng)).pairs
        found += pair.finding.verdict is not Conclusion.NO_EVIDENCE
    return found / num_pairs


def error_of(rate: float, num_pairs: int) -> float:
    """Return the standard error of a rate."""
    return math.sqrt(rate * (1 - rate) / num_pairs)
