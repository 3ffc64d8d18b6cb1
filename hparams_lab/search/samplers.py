"""Optuna's samplers by the name that `--sampler` takes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, TPESampler

from hparams_lab.errors import UsageError


def make_tpe(seed: int) -> BaseSampler:
    """Return a tree-structured Parzen estimator; for every kind of axis and condition."""
    # benchmarks/search.py: one model of all axes together is better than one for each.
    return TPESampler(seed=seed, multivariate=True, constant_liar=True)


def make_gp(seed: int) -> BaseSampler:
    """Return a Gaussian process; conditional axes are drawn at random."""
    return GPSampler(seed=seed, warn_independent_sampling=False)


def make_cmaes(seed: int) -> BaseSampler:
    """Return CMA-ES over numeric axes; words and conditional axes are drawn at random."""
    return CmaEsSampler(seed=seed, warn_independent_sampling=False)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": make_tpe,
    "gp": make_gp,
    "cmaes": make_cmaes,
}

# What each sampler needs beside Optuna, and what installs it.
_NEEDS = {
    "gp": ("torch", "pip install 'hparams_lab[gp]'"),
    "cmaes": ("cmaes", "pip install cmaes"),
}


def find_sampler(name: str) -> Callable[[int], BaseSampler]:
    """Return what makes a sampler from a seed.

    Args:
        name: a key of `SAMPLERS`.

    Raises:
        UsageError: if it needs a package that is not installed.
    """
    package, command = _NEEDS.get(name, ("optuna", ""))
    if importlib.util.find_spec(package) is None:
        raise UsageError(
            f"--sampler={name} needs the package {package!r}, which is not installed. "
            f"Run: {command}"
        )
    return SAMPLERS[name]
