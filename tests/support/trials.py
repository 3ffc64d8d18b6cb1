"""Sweeps in memory, whose trials' metrics follow from their hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.declare.space import SearchSpace
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import make_trial
from tests.support.factories import SATURDAY, make_record, make_sweep

Metrics = Callable[[Mapping[str, Any]], Mapping[str, float]]
"""What a trial comes to, given its hyperparameters."""

Swept = tuple[Sweep, list[RunRecord]]


def sweep_trials(
    hparams: Sequence[Any],
    metrics: Metrics,
    *,
    points: Iterable[Mapping[str, Any]] | None = None,
    endings: Mapping[int, Ending | None] | None = None,
    split_seed: int | None = None,
    sweep_id: str = SATURDAY,
    **changes: Any,
) -> Swept:
    """Return a sweep and the records of its runs, one a trial.

    Args:
        hparams: of the sweep; axes, or bare hparams.
        metrics: of each trial.
        points: hyperparameters of the trials; the whole grid if not given.
        endings: of trials by number, that were not run to their end.
        split_seed: of all runs.
        sweep_id: also its time.
        **changes: fields of the sweep.
    """
    sweep = make_sweep(sweep_id, hparams=hparams, **changes)
    space = SearchSpace(hparams)
    listed = [*points] if points is not None else [space.at(i) for i in range(space.size)]
    sweep_dir = SweepDir(Path("/logs/toy") / sweep_id)
    records = [
        make_record(
            sweep_dir.run_dir(make_trial(index, space.validate(point)).id),
            point,
            metrics(point),
            ending=(endings or {}).get(index, Ending.COMPLETE),
            split_seed=split_seed,
            space=space,
        )
        for index, point in enumerate(listed)
    ]
    return sweep, records


def rank_all(*swept: Swept) -> tuple[list[TrialRow], list[Sweep]]:
    """Return the trials of sweeps, best first by the last one's objective, and the sweeps."""
    sweeps = [sweep for sweep, _ in swept]
    return rank_trials([record for _, records in swept for record in records], sweeps), sweeps
