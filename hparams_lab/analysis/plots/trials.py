"""The trials that pictures show, and by which measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hparams_lab.analysis.trials.goal import MetricGoal
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.errors import UsageError
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import count

if TYPE_CHECKING:
    from hparams_lab.analysis.effects.effects import Effects


@dataclass(frozen=True)
class Trials:
    """Trials to be shown."""

    rows: Sequence[TrialRow]  # best first
    sweeps: Sequence[Sweep]  # that they are of, oldest first, at least one
    measure: MetricGoal  # by which they are shown

    @property
    def experiment(self) -> str:
        """The name of the experiment."""
        return self.sweeps[-1].experiment

    @property
    def values(self) -> list[float]:
        """The value of each row; NaN where it was not run in full, or has none."""
        return [self.measure.read(row) for row in self.rows]

    @cached_property
    def full(self) -> list[TrialRow]:
        """The rows that have a finite value, in their order.

        Raises:
            UsageError: if none has.
        """
        found = [row for row in self.rows if math.isfinite(self.measure.read(row))]
        if not found:
            raise UsageError(
                f"a picture needs a trial that was run in full and has a value of "
                f"{self.measure.name!r}; none of {len(self.rows)} has. Run some, or select others."
            )
        return found

    @cached_property
    def varied(self) -> list[str]:
        """The hyperparameters of which they have more than one value.

        The newest sweep's come first, in declared order.
        """
        names = dict.fromkeys(axis.name for sweep in reversed(self.sweeps) for axis in sweep.space)
        return [
            name
            for name in names
            if len({row.assignment[name] for row in self.rows if name in row.assignment}) > 1
        ]

    @cached_property
    def effects(self) -> Effects:
        """What their hyperparameters did; a second or two of work, done once."""
        from hparams_lab.analysis.effects.effects import describe_effects  # imports Optuna

        return describe_effects(self.rows, self.sweeps, self.measure.word)

    def describe(self) -> list[str]:
        """Return what a picture's notes say of them: how many, of when, and which are left out."""
        num_full = sum(math.isfinite(value) for value in self.values)
        sweeps = sorted({row.sweep_id for row in self.rows})
        first, last = sweeps[0][:10], sweeps[-1][:10]
        span = first if first == last else f"{first} to {last}"
        notes = [f"{count(num_full, 'trial')} of {count(len(sweeps), 'sweep')}, {span}"]
        if left_out := len(self.rows) - num_full:
            notes.append(f"{left_out} failed, unfinished or without a value left out")
        return notes
