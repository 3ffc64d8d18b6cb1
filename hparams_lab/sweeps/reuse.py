"""Taking over complete runs of earlier sweeps instead of executing them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hparams_lab.declare import tags
from hparams_lab.declare.objective import Objective
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import copy_run
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep, read_readable
from hparams_lab.sweeps.worker import Outcome

_Key = tuple[str, int, int | None]
"""What a run is in any sweep of the same code and seed: its point, repeat and fold."""


@dataclass(frozen=True)
class TakenOver:
    """A run of this sweep that another sweep has executed."""

    spec: RunSpec  # says where its results come from
    outcome: Outcome  # how it ended there
    reports: Sequence[float]  # what it reported on the way


class Reuse:
    """Runs that would come out as they did.

    Args:
        records: complete runs.
        objective: of the sweep that takes them over; None without records.
    """

    def __init__(
        self, records: Iterable[RunRecord] = (), objective: Objective | None = None
    ) -> None:
        self._records: Mapping[_Key, RunRecord] = {
            (record.assignment.canonical_json, record.dir.repeat, record.dir.fold): record
            for record in records
        }
        self._objective = objective

    def take_over(self, spec: RunSpec) -> TakenOver | None:
        """Write a run's results as another sweep has them; None if none has.

        Raises:
            OSError: if it cannot be written.
        """
        record = self._records.get((spec.assignment.canonical_json, spec.dir.repeat, spec.dir.fold))
        if record is None or self._objective is None:
            return None
        source = record.dir.path.relative_to(record.dir.path.parents[2])
        spec = replace(spec, reused_from=record.reused_from or source.as_posix())
        copy_run(record, spec, without=tags.spread(self._objective.tag))
        outcome = Outcome(
            ending=Ending.COMPLETE,
            metrics=record.last_values,
            objective_value=record.last_values[self._objective.tag],
            wall_secs=record.wall_secs,
        )
        reports = record.curves.get(tags.reported(self._objective.metric))
        return TakenOver(spec, outcome, reports.values if reports else ())


def find_reusable(sweep: Sweep, home: ExperimentDir) -> Reuse:
    """Return the runs of other sweeps that would come out the same in this one.

    Those are the complete runs of sweeps with the same code, package versions, seed,
    folds and subset.

    Args:
        sweep: that runs are taken over into.
        home: directory of the experiment.
    """
    others = read_readable(home.find_sweeps())
    records = (
        record
        for sweep_dir, other in others.items()
        if other.id != sweep.id and _would_repeat(other, sweep)
        for record in read_runs(sweep_dir, other.space)
        if record.ending is Ending.COMPLETE and sweep.objective.tag in record.metrics
    )
    return Reuse(records, sweep.objective)


def _would_repeat(other: Sweep, sweep: Sweep) -> bool:
    """Return whether the runs of one sweep would come out the same in the other."""
    # Of one code all through; and older sweeps have not taken it down.
    is_of_one_code = len(other.code_digests) == 1 and other.provenance.code_digest != ""
    return is_of_one_code and _what_counts(other) == _what_counts(sweep)


def _what_counts(sweep: Sweep) -> tuple[object, ...]:
    made_by = sweep.resumptions[-1].provenance if sweep.resumptions else sweep.provenance
    code = (made_by.code_digest, made_by.python, dict(made_by.versions))
    return (*code, sweep.seed, sweep.folds, sweep.subset, sweep.objective)
