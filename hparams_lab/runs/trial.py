"""Identity: the ids of trials and the seeds of runs.

Both are functions of what is run, never of the order or the worker it happens to be
run in, so that a sweep gives the same numbers however it is spread.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from hparams_lab.declare.assignment import Assignment

_MIN_INDEX_DIGITS = 4


@dataclass(frozen=True)
class Trial:
    """An assignment within a sweep."""

    id: str  # readable, unique within its sweep, e.g. `0007-3f2a9c1b`.
    index: int  # 0-based place in the order of proposals
    assignment: Assignment  # the point of the space


def make_trial(index: int, assignment: Assignment, *, max_trials: int | None = None) -> Trial:
    """Return the trial of proposal `index`.

    Its id is the index, zero-padded so that all ids of the sweep are equally long and
    sort by index, and the digest of the assignment, by which the same point is
    recognized in another sweep.

    Args:
        index: 0-based.
        assignment: canonical.
        max_trials: how many trials the sweep has at most, if that is known.
    """
    digits = max(_MIN_INDEX_DIGITS, len(str((max_trials or 1) - 1)))
    return Trial(f"{index:0{digits}d}-{assignment.digest}", index, assignment)


def index_of(trial_id: str) -> int:
    """Return the index that a trial's id begins with.

    Example:
        >>> index_of("0007-3f2a9c1b")
        7
    """
    return int(trial_id.partition("-")[0])


def run_seed(sweep_seed: int, assignment: Assignment, repeat: int, fold: int | None) -> int:
    """Return the seed of a run, in [0, 2**31).

    Args:
        sweep_seed: the seed of the whole sweep.
        assignment: what is run.
        repeat: 0-based.
        fold: 0-based, None without folds.
    """
    return _hash_to_seed(sweep_seed, assignment.canonical_json, repeat, fold)


def split_seed(sweep_seed: int, repeat: int) -> int:
    """Return the seed that splits the data: the same for every trial of a sweep.

    Trials are compared with each other, so they must see the same hold-out and folds.
    """
    return _hash_to_seed(sweep_seed, "split", repeat, None)


def _hash_to_seed(*parts: int | str | None) -> int:
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    # 31 bits: what Python, NumPy and TensorFlow all accept as a seed.
    return int.from_bytes(digest[:4], "big") >> 1
