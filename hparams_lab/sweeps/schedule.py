"""Which run comes next, and what a trial's runs come to: between strategy and runner.

A strategy thinks in trials, an executor in runs. The schedule makes a trial's runs
(repeats, folds), reports one value a trial to the strategy, and gives up early what the
strategy or the race has given up.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence

import numpy as np

from hparams_lab.declare import tags
from hparams_lab.declare.assignment import Assignment
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import write_spread
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial, make_trial
from hparams_lab.search.base import Strategy
from hparams_lab.search.race import Race
from hparams_lab.sweeps.history import PastTrial


class Schedule:
    """Hands out the runs of a sweep, each once.

    Args:
        sweep: what is intended.
        sweep_dir: where it goes.
        strategy: says what to try.
    """

    def __init__(self, sweep: Sweep, sweep_dir: SweepDir, strategy: Strategy) -> None:
        self._sweep = sweep
        self._sweep_dir = sweep_dir
        self._strategy = strategy
        self._race = None
        if sweep.racing:
            self._race = Race(sweep.objective, sweep.runs_per_trial, sweep.folds)
        self._tries = deque(sweep.tries)
        self._open: dict[str, _OpenTrial] = {}
        self._indices: set[int] = set()
        self._next_index = 0
        self._num_ended = 0

    def replay(self, past: Sequence[PastTrial], *, redo: Collection[Ending]) -> None:
        """Go on from what has been done, before any run is handed out.

        Handed out again, for a new directory, are runs without an end and those that ended
        for a reason in `redo`; and for the first time, runs that their trials lack.

        Args:
            past: the trials that have begun, in the order of their proposals.
            redo: the endings that do not count.
        """
        begun = [self._recall(each, redo) for each in past]
        for trial in begun:
            self._enter_race(trial)
        for trial, each in zip(begun, past, strict=True):
            self._indices.add(trial.trial.index)
            self._open[trial.trial.id] = trial
            self._strategy.take(trial.trial.assignment)
            for budget, value in enumerate(self._list_reports(each, trial), start=1):
                self._strategy.report(trial.trial.assignment, value, budget)
            self._settle(trial)
        known = {each.trial.assignment for each in past}
        self._tries = deque(wanted for wanted in self._tries if wanted not in known)

    @property
    def sweep(self) -> Sweep:
        """What is intended."""
        return self._sweep

    @property
    def num_ended(self) -> int:
        """How many runs have ended, earlier ones that count included."""
        return self._num_ended

    def next_run(self) -> tuple[Trial, RunSpec] | None:
        """Return a run to begin with; None if there is none before another has ended."""
        trial = next((each for each in self._open.values() if each.may_begin), None)
        if trial is None:
            assignment = self._next_assignment()
            if assignment is None:
                return None
            trial = self._open_trial(assignment)
        return trial.trial, trial.hand_out()

    def report(self, spec: RunSpec, value: float, budget: int) -> tuple[bool, int | None]:
        """Return whether a run is to end, and how many rungs it has completed."""
        verdict = self._strategy.report(spec.assignment, _as_logged(value), budget)
        return verdict.stop, verdict.rung

    def finish(self, spec: RunSpec, ending: Ending, value: float) -> None:
        """Take note of how a run ended.

        Args:
            spec: as it was handed out.
            ending: why it ended.
            value: the objective's, NaN without one.
        """
        trial = self._open[spec.dir.trial_id]
        trial.finish(spec.dir, ending, value)
        self._num_ended += 1
        self._settle(trial)

    def _recall(self, past: PastTrial, redo: Collection[Ending]) -> _OpenTrial:
        specs = self._sweep.specify_runs(past.trial, self._sweep_dir)
        trial = _OpenTrial(past.trial, specs)
        for spec in specs:
            record = past.find(spec)
            if record and record.ending is not None and record.ending not in redo:
                trial.recall(spec)
                self._num_ended += 1
                value = record.last_values.get(self._sweep.objective.tag, math.nan)
                trial.finish(record.dir, record.ending, value)
        if past.is_concluded(self._sweep.objective.tag):
            trial.is_concluded = True
            trial.give_up()
        return trial

    def _list_reports(self, past: PastTrial, trial: _OpenTrial) -> Sequence[float]:
        """What the trial's pilot reported, if it need not run again."""
        pilot = past.find(trial.specs[0])
        if not self._strategy.traits.prunes or pilot is None or trial.pilot_is_open:
            return ()
        series = pilot.curves.get(tags.reported(self._sweep.objective.metric))
        return series.values if series else ()

    def _next_assignment(self) -> Assignment | None:
        limit = self._sweep.trial_limit
        if limit is not None and len(self._indices) >= limit:
            return None
        if self._tries:
            self._strategy.take(self._tries[0])
            return self._tries.popleft()
        return self._strategy.propose()

    def _open_trial(self, assignment: Assignment) -> _OpenTrial:
        # The first free index: a resumed sweep gives a point that had been proposed but not
        # begun the id that it would have had.
        while self._next_index in self._indices:
            self._next_index += 1
        self._indices.add(self._next_index)
        trial = make_trial(self._next_index, assignment, max_trials=self._sweep.max_trials)
        specs = self._sweep.specify_runs(trial, self._sweep_dir)
        self._open[trial.id] = _OpenTrial(trial, specs)
        return self._open[trial.id]

    def _settle(self, trial: _OpenTrial) -> None:
        """Conclude a trial that has no more to run."""
        if trial.is_decided or (trial.is_waiting and self._is_lost(trial)):
            trial.give_up()
        if trial.is_busy:
            return
        del self._open[trial.trial.id]
        self._enter_race(trial)
        if len(trial.values) > 1 and not trial.has_failed and not trial.is_concluded:
            assert trial.last_dir is not None
            values, tag = list(trial.values.values()), self._sweep.objective.tag
            write_spread(trial.last_dir, tag, values, num_folds=self._sweep.folds)
        mean = _mean(trial.values.values()) if trial.values else None
        value = None if trial.has_failed or trial.is_pruned else mean
        self._strategy.observe(trial.trial.assignment, value, pruned=trial.is_pruned)

    def _is_lost(self, trial: _OpenTrial) -> bool:
        return self._race is not None and self._race.is_lost(trial.values)

    def _enter_race(self, trial: _OpenTrial) -> None:
        if self._race and len(trial.values) == len(trial.specs):
            self._race.enter(trial.values)


class _OpenTrial:
    """A trial with runs that are waiting or running.

    Args:
        trial: which.
        specs: all its runs, the pilot first.

    Attributes:
        values: the objective's value of each complete run, by repeat and fold.
        has_failed: whether a run has.
        is_pruned: whether its pilot was.
        is_concluded: whether it is on record what its runs come to together.
        last_dir: of the run that ended last.
    """

    def __init__(self, trial: Trial, specs: Sequence[RunSpec]) -> None:
        self.trial = trial
        self.specs = specs
        self.values: dict[tuple[int, int | None], float] = {}
        self.has_failed = False
        self.is_pruned = False
        self.is_concluded = False
        self.last_dir: RunDir | None = None
        self._waiting = deque(specs)
        self._running: set[tuple[int, int | None]] = set()

    @property
    def is_decided(self) -> bool:
        """Whether the pilot failed or was pruned, which decides the trial."""
        pilot_is_over = self.specs[0].prunes and not self.pilot_is_open
        return self.is_pruned or (pilot_is_over and self.has_failed and not self.values)

    @property
    def is_waiting(self) -> bool:
        """Whether a run is waiting."""
        return bool(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether runs are waiting or running."""
        return bool(self._waiting or self._running)

    @property
    def pilot_is_open(self) -> bool:
        """Whether the pilot has not ended."""
        pilot = self.specs[0]
        return pilot in self._waiting or _place_of(pilot.dir) in self._running

    @property
    def may_begin(self) -> bool:
        """Whether a run may be handed out now: where there is a pilot, it ends first."""
        held = self.specs[0].prunes and _place_of(self.specs[0].dir) in self._running
        return bool(self._waiting) and not held

    def hand_out(self) -> RunSpec:
        """Return the next run, which is running from now on."""
        spec = self._waiting.popleft()
        self._running.add(_place_of(spec.dir))
        return spec

    def recall(self, spec: RunSpec) -> None:
        """Take a run as handed out, as it was earlier."""
        self._waiting.remove(spec)
        self._running.add(_place_of(spec.dir))

    def finish(self, run_dir: RunDir, ending: Ending, value: float) -> None:
        """Take note of how a run ended."""
        self._running.remove(_place_of(run_dir))
        self.last_dir = run_dir
        if ending is Ending.PRUNED:
            self.is_pruned = True
        elif ending is Ending.COMPLETE and not math.isnan(value):
            self.values[_place_of(run_dir)] = _as_logged(value)
        else:
            self.has_failed = True

    def give_up(self) -> None:
        """Hand out no more runs."""
        self._waiting.clear()


def _place_of(run_dir: RunDir) -> tuple[int, int | None]:
    return run_dir.repeat, run_dir.fold


def _as_logged(value: float) -> float:
    """Return a value as it is in the event file, from which a resumed sweep has it."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _mean(values: Collection[float]) -> float:
    return sum(values) / len(values)
