"""From trials to runs and back: what is handed out, and what is reported to the strategy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.events.schema import Ending
from hparams_lab.runs.run import RunSpec
from hparams_lab.stats.interval import summarize
from tests.support.written_schedule import Scheduling, place


def sum_of_place(spec: RunSpec) -> float:
    """Return a value that tells the runs of a sweep apart: 10 x + repeat + fold / 4."""
    return 10.0 * spec.assignment["x"] + spec.dir.repeat + (spec.dir.fold or 0) / 4


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["r00"]),
        ({"repeats": 3}, ["r00", "r01", "r02"]),
        ({"folds": 2}, ["r00f00", "r00f01"]),
        ({"repeats": 2, "folds": 2}, ["r00f00", "r00f01", "r01f00", "r01f01"]),
    ],
    ids=["one", "repeats", "folds", "both"],
)
def test_a_trial_s_runs_come_one_after_the_other(
    changes: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    """Each point of the grid is a trial, whose runs go repeat by repeat and fold by fold."""
    done = Scheduling(tmp_path, **changes).run_all(sum_of_place)

    assert [(x, name) for x in range(4) for name in names] == [place(spec) for spec in done]
    assert [f"000{x}" for x in range(4) for _ in names] == [s.dir.trial_id[:4] for s in done]


def test_runs_have_seeds_of_their_own_and_common_splits(tmp_path: Path) -> None:
    """No two runs share a seed; the runs of one repeat share the split, whatever the trial."""
    done = Scheduling(tmp_path, repeats=2, folds=2).run_all(sum_of_place)
    splits = {(spec.dir.repeat, spec.split_seed) for spec in done}

    assert len(done) == len({spec.seed for spec in done}) == 16
    assert 2 == len(splits) == len({seed for _, seed in splits})


def test_a_run_knows_the_sweep_s_folds_and_subset(tmp_path: Path) -> None:
    """What a run must know to split its data travels with it."""
    (spec,) = Scheduling(tmp_path, folds=3, subset=0.5).begin()

    assert (0, 3, 0.5, False) == (spec.dir.fold, spec.num_folds, spec.subset, spec.prunes)


def test_the_strategy_is_told_the_mean_of_a_trial(tmp_path: Path) -> None:
    """A trial is observed once, when its last run has ended, with the mean of its runs."""
    scheduling = Scheduling(tmp_path, repeats=2, folds=2)
    scheduling.run_all(sum_of_place)

    assert [("observe", x, 10.0 * x + 0.625) for x in range(4)] == scheduling.strategy.told


def test_the_strategy_is_told_what_the_file_says(tmp_path: Path) -> None:
    """Values are of 32 bits, as a resumed sweep will read them."""
    scheduling = Scheduling(tmp_path, limit=1.0, trial_limit=1)
    (spec,) = scheduling.begin()
    scheduling.report(spec, 0.1, 1)
    scheduling.finish(spec, 0.1)
    single = float(np.float32(0.1))

    assert [("report", 0, single, 1), ("observe", 0, single)] == scheduling.strategy.told
    assert single == scheduling.read()[0].last_values["loss"] != 0.1


@pytest.mark.parametrize(
    ("ending", "value"),
    [(Ending.FAILED, math.nan), (Ending.TIMED_OUT, math.nan), (Ending.COMPLETE, math.nan)],
    ids=["failed", "timed_out", "no_value"],
)
def test_a_failed_run_fails_its_trial(ending: Ending, value: float, tmp_path: Path) -> None:
    """A trial with a run that has no value is observed without one, after its other runs."""
    scheduling = Scheduling(tmp_path, repeats=3, trial_limit=1)
    first, second, third = scheduling.begin(3)
    scheduling.finish(first, 0.5)
    scheduling.finish(second, value, ending)

    assert [] == scheduling.strategy.told
    scheduling.finish(third, 0.5)
    assert [("observe", 0, None)] == scheduling.strategy.told


def test_trials_are_observed_as_they_end(tmp_path: Path) -> None:
    """With runs at the same time, trials are observed in the order in which they end."""
    scheduling = Scheduling(tmp_path, trial_limit=3)
    first, second, third = scheduling.begin(3)
    for spec in (second, third, first):
        scheduling.finish(spec, 1.0)

    assert [1, 2, 0] == [x for _, x, _ in scheduling.strategy.told]


def test_a_running_trial_gets_its_runs_before_a_new_one(tmp_path: Path) -> None:
    """Free workers take the runs of trials that have begun before new trials."""
    runs = Scheduling(tmp_path, repeats=2).begin(3)

    assert [(0, "r00"), (0, "r01"), (1, "r00")] == [place(spec) for spec in runs]


def test_siblings_wait_for_the_pilot(tmp_path: Path) -> None:
    """Where runs may be pruned, a trial's other runs begin once its first has come through."""
    scheduling = Scheduling(tmp_path, limit=1.0, repeats=2)
    runs = scheduling.begin(2)
    scheduling.finish(runs[1], 0.5)

    assert [(0, "r00"), (1, "r00")] == [place(spec) for spec in runs]
    assert [(1, "r01"), (2, "r00")] == [place(spec) for spec in scheduling.begin(2)]


def test_only_the_pilot_is_judged(tmp_path: Path) -> None:
    """A trial's first run alone may be stopped early."""
    scheduling = Scheduling(tmp_path, limit=100.0, repeats=2, folds=2, trial_limit=1)
    done = scheduling.run_all(sum_of_place)

    assert [True, False, False, False] == [spec.prunes for spec in done]


def test_reports_are_answered_by_the_strategy(tmp_path: Path) -> None:
    """A run is told to stop, and how many rungs it has completed, by the strategy."""
    scheduling = Scheduling(tmp_path, limit=1.0)
    (spec,) = scheduling.begin()

    assert (False, 1) == scheduling.report(spec, 0.5, 1)
    assert (True, 2) == scheduling.report(spec, 1.5, 2)


def test_a_pruned_pilot_ends_its_trial(tmp_path: Path) -> None:
    """The siblings of a pruned run are not run, and the strategy is told that it was pruned."""
    scheduling = Scheduling(tmp_path, limit=1.0, repeats=3, trial_limit=2)
    (pilot,) = scheduling.begin()
    scheduling.finish(pilot, math.nan, Ending.PRUNED, 1.5)

    assert [("observe", 0, "pruned")] == scheduling.strategy.told
    assert [(1, "r00"), (1, "r01"), (1, "r02")] == [
        place(spec) for spec in scheduling.run_all(lambda spec: 0.5)
    ]


@pytest.mark.parametrize("folds", [None, 2])
def test_spread_is_written_once_a_trial(folds: int | None, tmp_path: Path) -> None:
    """Std, n and interval are in one run of each trial, and are those of what is logged."""
    scheduling = Scheduling(tmp_path, repeats=2, folds=folds, trial_limit=2)
    scheduling.run_all(lambda spec: sum_of_place(spec) / 7)
    for x in range(2):
        runs = [run for run in scheduling.read() if run.assignment["x"] == x]
        logged = summarize([run.last_values["loss"] for run in runs], num_folds=folds)
        (told,) = [run.last_values for run in runs if "n/loss" in run.curves]
        names = ("std/loss", "n/loss", "ci95_low/loss", "ci95_high/loss")
        expected = (logged.std, logged.count, logged.low, logged.high)

        assert expected == pytest.approx(tuple(told[name] for name in names), rel=1e-6)


@pytest.mark.parametrize("ending", [Ending.FAILED, Ending.PRUNED])
def test_no_spread_of_a_trial_without_a_value(ending: Ending, tmp_path: Path) -> None:
    """A trial that failed or was pruned has no mean to be sure of."""
    scheduling = Scheduling(tmp_path, limit=1.0, repeats=2, trial_limit=1)
    (pilot,) = scheduling.begin()
    scheduling.finish(pilot, math.nan, ending)
    scheduling.run_all(lambda spec: 0.5)

    assert not [run for run in scheduling.read() if "n/loss" in run.curves]


def test_a_lone_run_has_no_spread(tmp_path: Path) -> None:
    """A trial of one run writes nothing about its spread."""
    scheduling = Scheduling(tmp_path, trial_limit=1)
    scheduling.run_all(sum_of_place)

    assert ["loss"] == list(scheduling.read()[0].curves)


def test_no_more_trials_than_the_limit(tmp_path: Path) -> None:
    """A limit of trials ends the sweep though the strategy has more."""
    scheduling = Scheduling(tmp_path, repeats=2, trial_limit=3)

    assert 6 == len(scheduling.run_all(sum_of_place))


def test_tries_are_run_first(tmp_path: Path) -> None:
    """Points that the user names are the first trials, of which the strategy learns."""
    tries = [Assignment({"x": 2}), Assignment({"x": 1})]
    scheduling = Scheduling(tmp_path, tries=tries)
    done = scheduling.run_all(sum_of_place)

    assert [2, 1, 0, 3] == [spec.assignment["x"] for spec in done]
    assert [("take", 2), ("observe", 2, 20.0), ("take", 1)] == scheduling.strategy.told[:3]


def test_tries_count_as_trials(tmp_path: Path) -> None:
    """The limit of trials holds for the points that the user names too."""
    scheduling = Scheduling(tmp_path, tries=[Assignment({"x": 2})], trial_limit=2)

    assert [2, 0] == [spec.assignment["x"] for spec in scheduling.run_all(sum_of_place)]


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["minimize", "maximize"])
def test_a_race_that_is_lost_saves_runs(sign: float, tmp_path: Path) -> None:
    """A trial that is worse than the best in three runs gets no more, and has its spread."""
    objective = minimize("loss") if sign > 0 else maximize("loss")
    scheduling = Scheduling(tmp_path, objective=objective, repeats=6, racing=True, trial_limit=2)
    done = scheduling.run_all(lambda spec: sign * sum_of_place(spec))
    spreads = [run.last_values["n/loss"] for run in scheduling.read() if "n/loss" in run.curves]

    assert 6 + 3 == len(done)
    assert [6.0, 3.0] == spreads


def test_a_lost_trial_is_observed_as_worse(tmp_path: Path) -> None:
    """What lost the race is told to the strategy with the mean of the runs it had."""
    scheduling = Scheduling(tmp_path, repeats=6, racing=True, trial_limit=2)
    scheduling.run_all(sum_of_place)

    assert [("observe", 0, 2.5), ("observe", 1, 11.0)] == scheduling.strategy.told


def test_a_spec_is_handed_out_as_it_will_be_written(tmp_path: Path) -> None:
    """A first attempt goes to the directory that the sweep names for the run."""
    scheduling = Scheduling(tmp_path)
    (spec,) = scheduling.begin()

    assert scheduling.dir.run_dir(spec.dir.trial_id) == spec.dir
