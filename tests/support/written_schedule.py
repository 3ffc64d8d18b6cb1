"""Sweeps whose runs are not executed: what a schedule hands out is written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.search.base import Strategy, Traits, Verdict
from hparams_lab.search.grid import grid_search
from hparams_lab.sweeps.history import read_history
from hparams_lab.sweeps.schedule import Schedule
from tests.support.factories import SATURDAY, make_sweep, write_run

NUM_POINTS = 4
SPACE_OF_X = [HParam("x", Discrete(list(range(NUM_POINTS))))]


class NotingStrategy(Strategy):
    """A grid that notes what it is told, and stops what reports more than a limit.

    Attributes:
        told: each call's name and arguments, in order; points by their x.
    """

    def __init__(self, limit: float = math.inf) -> None:
        self._limit = limit
        self._grid = grid_search(make_sweep(hparams=SPACE_OF_X).space)
        self.traits = Traits(prunes=limit < math.inf)
        self.told: list[tuple[Any, ...]] = []

    @property
    def max_trials(self) -> int | None:
        return self._grid.max_trials

    def propose(self) -> Assignment | None:
        return self._grid.propose()

    def take(self, assignment: Assignment) -> None:
        self.told.append(("take", assignment["x"]))
        self._grid.take(assignment)

    def report(self, assignment: Assignment, value: float, budget: int) -> Verdict:
        self.told.append(("report", assignment["x"], value, budget))
        return Verdict(value > self._limit, budget)

    def observe(self, assignment: Assignment, value: float | None, *, pruned: bool = False) -> None:
        self.told.append(("observe", assignment["x"], "pruned" if pruned else value))


class Scheduling:
    """A sweep over x = 0, 1, 2, 3 that minimizes loss.

    Args:
        folder: gets the sweep.
        changes: fields of the sweep.

    Attributes:
        strategy: of the schedule, which notes what is reported to it.
        dir: of the sweep.
    """

    def __init__(self, folder: Path, *, limit: float = math.inf, **changes: Any) -> None:
        self._limit = limit
        self.sweep = make_sweep(
            hparams=SPACE_OF_X,
            metrics=[Metric("loss")],
            objective=changes.pop("objective", minimize("loss")),
            traits=Traits(prunes=limit < math.inf),
            **changes,
        )
        self.dir = SweepDir(folder / "toy" / SATURDAY)
        self.dir.path.mkdir(parents=True, exist_ok=True)
        self._restart()

    def _restart(self) -> None:
        self.strategy = NotingStrategy(self._limit)
        self._schedule = Schedule(self.sweep, self.dir, self.strategy)

    def resume(self, redo: Collection[Ending] = (Ending.INTERRUPTED,)) -> int:
        """Go on from the event files with a new strategy; return how many runs count as ended."""
        self._restart()
        self._schedule.replay(read_history(self.sweep, self.dir), redo=redo)
        return self._schedule.num_ended

    def begin(self, count: int = 1) -> list[RunSpec]:
        """Return the next runs, each of which has begun; fewer if there are no more.

        As the runner does, take earlier attempts at them out of sight.
        """
        handed_out: list[RunSpec] = []
        while len(handed_out) < count and (found := self._schedule.next_run()):
            handed_out.append(found[1])
            found[1].dir.path.mkdir(parents=True, exist_ok=True)
            found[1].dir.supersede()
        return handed_out

    def report(self, spec: RunSpec, value: float, budget: int) -> tuple[bool, int | None]:
        """Report a value of a run that has begun."""
        return self._schedule.report(spec, value, budget)

    def finish(
        self, spec: RunSpec, value: float, ending: Ending = Ending.COMPLETE, *reports: float
    ) -> None:
        """Write a run with its value and what it reported, and tell the schedule its end."""
        scalars = {"report/loss": reports} if reports else {}
        if ending is Ending.COMPLETE:
            scalars["loss"] = (value,)
        write_run(spec, scalars, ending=ending)
        self._schedule.finish(spec, ending, value)

    def run_all(self, value_of: Callable[[RunSpec], float]) -> list[RunSpec]:
        """Run what is left, one run at a time, and return it in order."""
        done: list[RunSpec] = []
        while begun := self.begin():
            self.finish(begun[0], value_of(begun[0]))
            done += begun
        return done

    def read(self) -> list[RunRecord]:
        """Return the runs as their event files have them."""
        return read_runs(self.dir, self.sweep.space)


def place(run: RunSpec | RunRecord) -> tuple[Any, str]:
    """Return a run's x and the name of its directory."""
    run_dir: RunDir = run.dir
    return run.assignment["x"], run_dir.path.name
