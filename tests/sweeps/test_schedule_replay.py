"""Going on with a sweep from its event files: nothing twice, nothing left out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.events.schema import Ending
from hparams_lab.runs.run import RunSpec
from tests.support.factories import write_run
from tests.support.written_schedule import Scheduling, place

REDO_FAILED = (Ending.INTERRUPTED, Ending.FAILED, Ending.TIMED_OUT)


def tenth_of_place(spec: RunSpec) -> float:
    """Return a value that tells the runs of a sweep apart: x + (repeat + fold) / 10."""
    return spec.assignment["x"] + (spec.dir.repeat + (spec.dir.fold or 0)) / 10


def test_what_is_complete_is_not_run_again(tmp_path: Path) -> None:
    """After two of four trials the other two are run, and all four count as ended."""
    scheduling = Scheduling(tmp_path)
    for _ in range(2):
        scheduling.finish(scheduling.begin()[0], 0.5)
    num_ended = scheduling.resume()

    assert 2 == num_ended
    assert [2, 3] == [spec.assignment["x"] for spec in scheduling.run_all(tenth_of_place)]


def test_a_finished_sweep_has_nothing_left(tmp_path: Path) -> None:
    """Resuming a sweep that is over runs nothing and changes no file."""
    scheduling = Scheduling(tmp_path, repeats=2)
    scheduling.run_all(tenth_of_place)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    scheduling.resume()

    assert [] == scheduling.begin()
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_the_history_is_told_in_order(tmp_path: Path) -> None:
    """Each trial is taken, its reports repeated and its end observed, trial by trial."""
    scheduling = Scheduling(tmp_path, limit=1.0)
    first, second, third = scheduling.begin(3)
    scheduling.finish(second, math.nan, Ending.PRUNED, 0.5, 1.5)
    scheduling.finish(first, 0.25, Ending.COMPLETE, 0.75)
    write_run(third, {"report/loss": [0.5]}, ending=None)
    scheduling.resume()

    assert scheduling.strategy.told == [
        *[("take", 0), ("report", 0, 0.75, 1), ("observe", 0, 0.25)],
        *[("take", 1), ("report", 1, 0.5, 1), ("report", 1, 1.5, 2), ("observe", 1, "pruned")],
        ("take", 2),
    ]


@pytest.mark.parametrize("ending", [Ending.INTERRUPTED, None], ids=["interrupted", "killed"])
def test_a_half_run_is_run_again(ending: Ending | None, tmp_path: Path) -> None:
    """A run without a true end does not count and is run again, with its seed."""
    scheduling = Scheduling(tmp_path)
    (half,) = scheduling.begin()
    write_run(half, {"loss": [9.0]}, ending=ending)

    assert 0 == scheduling.resume()
    assert [half] == scheduling.begin()
    assert [("take", 0)] == scheduling.strategy.told


@pytest.mark.parametrize("ending", [Ending.FAILED, Ending.TIMED_OUT])
def test_a_failure_stays_one_unless_asked(ending: Ending, tmp_path: Path) -> None:
    """A failed run is run again only where the user wants that."""
    scheduling = Scheduling(tmp_path, trial_limit=1)
    (failed,) = scheduling.begin()
    scheduling.finish(failed, math.nan, ending)

    assert 1 == scheduling.resume()
    assert [("take", 0), ("observe", 0, None)] == scheduling.strategy.told
    assert [] == scheduling.begin()
    assert 0 == scheduling.resume(REDO_FAILED)
    assert [failed] == scheduling.begin()


def test_only_the_failed_run_of_a_trial_is_run_again(tmp_path: Path) -> None:
    """The other repeats of a trial that failed keep their results, and count in its mean."""
    scheduling = Scheduling(tmp_path, repeats=3, trial_limit=1)
    runs = scheduling.begin(3)
    for spec, ending in zip(runs, (Ending.COMPLETE, Ending.FAILED, Ending.COMPLETE), strict=True):
        scheduling.finish(spec, 0.5, ending)
    scheduling.resume(REDO_FAILED)
    redone = scheduling.run_all(lambda spec: 2.0)

    assert [(0, "r01")] == [place(spec) for spec in redone]
    assert ("observe", 0, 1.0) == scheduling.strategy.told[-1]
    assert [3.0] == [r.last_values["n/loss"] for r in scheduling.read() if "n/loss" in r.curves]


def test_the_runs_that_a_trial_lacks_are_run(tmp_path: Path) -> None:
    """Of a trial with repeats and folds only what it has not is run, then it is observed."""
    scheduling = Scheduling(tmp_path, repeats=2, folds=2, trial_limit=1)
    for _ in range(2):
        scheduling.finish(scheduling.begin()[0], 0.5)
    scheduling.resume()
    rest = scheduling.run_all(lambda spec: 1.5)

    assert [(0, "r01f00"), (0, "r01f01")] == [place(spec) for spec in rest]
    assert [("take", 0), ("observe", 0, 1.0)] == scheduling.strategy.told


def test_a_pruned_trial_stays_pruned(tmp_path: Path) -> None:
    """The repeats of a trial whose pilot was pruned are not run by a resumed sweep either."""
    scheduling = Scheduling(tmp_path, limit=1.0, repeats=2, trial_limit=1)
    scheduling.finish(scheduling.begin()[0], math.nan, Ending.PRUNED, 1.5)
    scheduling.resume()

    assert [] == scheduling.begin()


def test_a_lost_race_stays_lost(tmp_path: Path) -> None:
    """A trial that was given up is not resumed, nor told to be worse twice."""
    scheduling = Scheduling(tmp_path, repeats=6, racing=True, trial_limit=2)
    scheduling.run_all(lambda spec: 10.0 * spec.assignment["x"] + spec.dir.repeat)
    scheduling.resume()

    assert [] == scheduling.begin()
    assert [("observe", 0, 2.5), ("observe", 1, 11.0)] == scheduling.strategy.told[1::2]
    assert 2 == sum("n/loss" in record.curves for record in scheduling.read())


def test_a_spread_that_was_not_written_is(tmp_path: Path) -> None:
    """A sweep that was killed between a trial's last end and its spread writes that later."""
    scheduling = Scheduling(tmp_path, repeats=2, trial_limit=1)
    for spec in scheduling.begin(2):
        write_run(spec, {"loss": [tenth_of_place(spec)]})
    scheduling.resume()

    assert [] == scheduling.begin()
    assert [2.0] == [r.last_values["n/loss"] for r in scheduling.read() if "n/loss" in r.curves]


def test_a_point_that_had_no_run_gets_its_id(tmp_path: Path) -> None:
    """A point that was proposed but not begun has the id that it would have had."""
    scheduling = Scheduling(tmp_path)
    first, second, third = scheduling.begin(3)
    for spec in (first, third):
        scheduling.finish(spec, 0.5)
    second.dir.path.rmdir()
    scheduling.resume()
    rest = scheduling.run_all(tenth_of_place)

    assert second.dir == rest[0].dir
    assert ["0001", "0003"] == [spec.dir.trial_id[:4] for spec in rest]


def test_tries_are_not_tried_again(tmp_path: Path) -> None:
    """Of the points that the user named only those that had not begun come first again."""
    tries = [Assignment({"x": x}) for x in (3, 2)]
    scheduling = Scheduling(tmp_path, tries=tries)
    scheduling.finish(scheduling.begin()[0], 0.5)
    scheduling.resume()

    assert [2, 0, 1] == [spec.assignment["x"] for spec in scheduling.run_all(tenth_of_place)]


def test_the_limit_counts_what_was_done(tmp_path: Path) -> None:
    """A limit of trials is of the whole sweep, not of what is resumed."""
    scheduling = Scheduling(tmp_path, trial_limit=3)
    scheduling.finish(scheduling.begin()[0], 0.5)
    scheduling.resume()

    assert 2 == len(scheduling.run_all(tenth_of_place))


@pytest.mark.parametrize("num_done", range(9))
def test_a_sweep_in_two_parts_equals_one(num_done: int, tmp_path: Path) -> None:
    """Wherever a sweep is cut in two, it comes to what the whole one comes to."""
    whole = Scheduling(tmp_path / "whole", repeats=2)
    whole.run_all(tenth_of_place)
    parts = Scheduling(tmp_path / "parts", repeats=2)
    for _ in range(min(num_done, 8)):
        (spec,) = parts.begin()
        parts.finish(spec, tenth_of_place(spec))
    parts.resume()
    parts.run_all(tenth_of_place)

    assert [(run.group_name, run.seed, run.last_values) for run in whole.read()] == [
        (run.group_name, run.seed, run.last_values) for run in parts.read()
    ]
