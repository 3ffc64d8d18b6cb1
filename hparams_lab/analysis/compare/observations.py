"""What is compared of the runs of matched trials: a value, and the rows it was judged on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from hparams_lab.analysis.compare.pairs import Match
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import split_seed

Split = tuple[Hashable, ...]
"""What says which rows a run was judged on: seed of the split, data, and with folds which.

The seed is None where the run took its rows from no split of ours.
"""


@dataclass(frozen=True)
class Observation:
    """What counts of one run.

    Attributes:
        trial: index of its match.
        value: of the objective.
        split: which rows it was judged on, as far as that is known.
        num_folds: one of which it held out; None without folds.
        run_seed: by which runs of one split are told apart.
        sweep_seed: of its sweep.
        origin: the run that was executed: its path below the experiment's directory.
    """

    trial: int
    value: float
    split: Split
    num_folds: int | None
    run_seed: Hashable
    sweep_seed: int
    origin: str


def observe(
    matches: Sequence[Match], sweeps: Mapping[str, Sweep], tag: str
) -> tuple[list[Observation], list[Observation]]:
    """Return what counts of the runs of both groups, each oldest sweep first.

    Args:
        matches: their matched trials.
        sweeps: that these are of, by id.
        tag: of the objective; a run without it is passed over.
    """
    sides = ([match.before for match in matches], [match.after for match in matches])
    digests = {run.data_digest for side in sides for rows in side for run in _runs_of(rows)}
    tells_data = "" not in digests  # else data that is not known may be the same
    before, after = (
        [
            _observe(run, trial, sweeps[run.dir.sweep_id], tag, tells_data)
            for trial, rows in enumerate(side)
            for run in _runs_of(rows)
            if tag in run.metrics
        ]
        for side in sides
    )
    return before, after


def _runs_of(rows: Sequence[TrialRow]) -> list[RunRecord]:
    return [run for row in rows for run in row.runs]


def _observe(run: RunRecord, trial: int, sweep: Sweep, tag: str, tells_data: bool) -> Observation:
    data = run.data_digest if tells_data else ""
    split: Split = (None, data)  # who splits other data by himself may judge by other rows
    if sweep.folds is not None:
        # Older files do not say by which seed, but folds are always those of the sweep's.
        seed = split_seed(sweep.seed, run.dir.repeat) if run.split_seed is None else run.split_seed
        split = (seed, data, run.dir.fold)
    elif run.split_seed is not None:
        split = (run.split_seed, data)
    return Observation(
        trial=trial,
        value=run.metrics[tag].last,
        split=split,
        num_folds=sweep.folds,
        run_seed=("repeat", run.dir.repeat) if run.seed is None else run.seed,
        sweep_seed=sweep.seed,
        origin=run.reused_from or "/".join(run.dir.path.parts[-3:]),
    )
