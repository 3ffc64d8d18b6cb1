"""A sweep as it was when some of its runs began: resumed with other code, or not yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from hparams_lab.events.read.reader import RunRecord
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.provenance import Provenance
from hparams_lab.runs.sweep import Sweep


@dataclass(frozen=True)
class Stage:
    """A sweep as it was when the last of some of its runs began.

    Attributes:
        sweep: as it was launched and resumed.
        sweep_dir: of the sweep.
        records: those runs; empty for the sweep as it was resumed last.
    """

    sweep: Sweep
    sweep_dir: SweepDir
    records: Sequence[RunRecord]

    @cached_property
    def number(self) -> int:
        """0 from the beginning on, n from the nth resumption on."""
        if not self.records or not self.sweep.resumptions:
            return len(self.sweep.resumptions)
        return max(self._number_of(record) for record in self.records)

    def _number_of(self, record: RunRecord) -> int:
        if record.reused_from:  # it began in another sweep
            labels = [each.commit_label for each in self._provenances]
            label = record.labels.get("commit")
            return max((n for n, each in enumerate(labels) if each == label), default=0)
        starts = [datetime.fromisoformat(each.started) for each in self.sweep.resumptions]
        return sum(start.timestamp() <= record.start_time_secs for start in starts)

    @property
    def provenance(self) -> Provenance:
        """Command, code, versions and machine of that time."""
        return self._provenances[self.number]

    @property
    def source_file(self) -> Path:
        """The archive of the code, which need not exist."""
        # A resumption has one of its own only where it brought code that was not there yet.
        digests = [each.code_digest for each in self._provenances]
        return self.sweep_dir.source_file(digests.index(digests[self.number]))

    @property
    def data_digests(self) -> list[str]:
        """The digests of the data that the runs saw, sorted; empty if none is known."""
        return sorted({record.data_digest for record in self.records} - {""})

    @property
    def split_seeds(self) -> list[int]:
        """The seeds by which the runs chose rows of it, sorted; empty if none is known."""
        seeds = {record.split_seed for record in self.records}
        return sorted(seed for seed in seeds if seed is not None)

    @property
    def is_imported(self) -> bool:
        """Whether another tool ran it, so that nothing is known of where."""
        return bool(self.records) and all(record.seed is None for record in self.records)

    @property
    def _provenances(self) -> list[Provenance]:
        return [self.sweep.provenance, *(each.provenance for each in self.sweep.resumptions)]
