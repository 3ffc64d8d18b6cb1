"""Which trials count where hyperparameters are judged, and as what they count."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hparams_lab.analysis.effects.factors import Factor, find_factors
from hparams_lab.analysis.trials.goal import MetricGoal
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.domains import Value
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.runs.sweep import Sweep

COPY = "the same run again"
NOT_FINITE = "without a finite value"


@dataclass(frozen=True, eq=False)
class EffectSample:
    """The trials that count, and their values."""

    aim: MetricGoal  # the metric, and which way it is better
    rows: Sequence[TrialRow]  # the trials that count, at least one
    values: NDArray[np.float64]  # `[num_trials]`, of the metric, finite
    # `[num_trials]`, 0-based: trials of one block ran on equal code, equal data and equal hold-
    # outs
    blocks: NDArray[np.intp]
    factors: Sequence[Factor]  # the axes that vary
    fixed: dict[str, Value]  # the values of those that do not
    left_out: dict[str, int]  # how many trials do not count, by the reason

    @property
    def points(self) -> NDArray[np.intp]:
        """`[num_trials]`, 0-based: trials of one point have equal hyperparameters."""
        numbers: dict[object, int] = {}
        for row in self.rows:
            numbers.setdefault(row.assignment, len(numbers))
        return np.array([numbers[row.assignment] for row in self.rows], dtype=np.intp)

    @property
    def num_blocks(self) -> int:
        """How many blocks there are."""
        return int(self.blocks.max()) + 1


def draw_sample(rows: Sequence[TrialRow], sweeps: Sequence[Sweep], aim: MetricGoal) -> EffectSample:
    """Return the trials that count: run to their end, with a finite value, each once.

    Args:
        rows: trials in any order.
        sweeps: that they are of, oldest first.
        aim: what is judged.

    Raises:
        UnknownExperimentError: if no trial counts.
    """
    reasons = _find_reasons(rows, aim)
    counted = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    left_out = dict(Counter(reason for reason in reasons if reason is not None))
    if not counted:
        found = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise UnknownExperimentError(
            f"no trial has been run to its end with a finite {aim.name}; got {found or 'none'}. "
            "Run more, or select others."
        )
    blocks = _find_blocks(counted, sweeps)
    factors, fixed = find_factors(
        [row.assignment for row in counted], sweeps, num_blocks=int(blocks.max()) + 1
    )
    values = np.array([aim.value_of(row) for row in counted])
    return EffectSample(aim, counted, values, blocks, factors, fixed, left_out)


def _find_reasons(rows: Sequence[TrialRow], aim: MetricGoal) -> list[str | None]:
    """Return why each trial does not count, None where it does.

    What was taken over from another sweep, or came out the same with the same seeds, is one
    observation, not two.
    """
    seen: set[object] = set()
    reasons: list[str | None] = []
    for row in rows:
        value = aim.value_of(row)
        seeds = tuple(run.seed for run in row.runs)
        key = (row.assignment, seeds, value)
        if not row.is_complete:
            reasons.append(row.label)
        elif not math.isfinite(value):
            reasons.append(NOT_FINITE)
        elif key in seen and None not in seeds:
            reasons.append(COPY)
        else:
            reasons.append(None)
            seen.add(key)
    return reasons


def _find_blocks(rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> NDArray[np.intp]:
    """Return for each trial on what it ran, numbered from 0."""
    sweep_by_id = {sweep.id: sweep for sweep in sweeps}
    numbers: dict[object, int] = {}
    for row in rows:
        numbers.setdefault(_circumstances(row, sweep_by_id[row.sweep_id]), len(numbers))
    keys = (_circumstances(row, sweep_by_id[row.sweep_id]) for row in rows)
    return np.array([numbers[key] for key in keys], dtype=np.intp)


def _circumstances(row: TrialRow, sweep: Sweep) -> object:
    """Return what makes trials comparable where it is equal: code, data and hold-outs."""
    return (
        frozenset(sweep.code_digests),
        frozenset(run.data_digest for run in row.runs),
        frozenset(run.split_seed for run in row.runs),
        sweep.folds,
        sweep.subset,
    )
