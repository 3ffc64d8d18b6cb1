"""What is written when a run has ended: its trial's spread, its copy, and why it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.compat.proto import summary_pb2

from hparams_lab.events import schema
from hparams_lab.events.read.reader import RunRecord, read_run, read_runs
from hparams_lab.events.schema import Ending, Status
from hparams_lab.events.write.writer import add_scalars, copy_run
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import FRIDAY, SATURDAY, make_spec, make_sweep, ticking, write_run
from tests.support.oracle import read_board, read_scalars

SPACE = make_sweep().space
SCALARS = {"accuracy": [0.25, 0.5], "loss": [3.0]}


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """A run of Friday."""
    return make_spec(SweepDir(tmp_path / "toy" / FRIDAY), {"units": 8, "rate": 0.1})


def read_one(spec: RunSpec) -> RunRecord:
    """Return a run, which is there."""
    record = read_run(spec.dir, SPACE)
    assert record is not None
    return record


def test_scalars_are_added_behind_the_end(spec: RunSpec) -> None:
    """What is added to a run that has ended is read, and the run is as it was."""
    write_run(spec, SCALARS)
    before = read_one(spec)
    add_scalars(spec.dir, {"std/accuracy": 0.125, "n/accuracy": 2.0}, clock=ticking())
    after = read_one(spec)

    assert {**before.last_values, "std/accuracy": 0.125, "n/accuracy": 2.0} == after.last_values
    assert (before.ending, before.end_time_secs) == (after.ending, after.end_time_secs)
    assert 1 == len(spec.dir.event_files)


def test_added_scalars_are_on_the_board(spec: RunSpec) -> None:
    """TensorBoard reads what was added after the session's end."""
    write_run(spec, SCALARS)
    add_scalars(spec.dir, {"n/accuracy": 2.0}, clock=ticking(2_000_000_000.0))

    assert [2.0] == [value for _, _, value in read_scalars(spec.dir.path)["n/accuracy"]]
    assert ["STATUS_SUCCESS"] == read_board(spec.dir.path.parents[2]).statuses


def test_scalars_are_added_to_a_torn_file(spec: RunSpec) -> None:
    """Behind a torn record nothing is read, so what is added goes to a file behind it."""
    write_run(spec, SCALARS, ending=None)
    (path,) = spec.dir.event_files
    path.write_bytes(path.read_bytes()[:-3])
    add_scalars(spec.dir, {"n/accuracy": 2.0}, clock=ticking())

    assert {"accuracy": 0.5, "n/accuracy": 2.0} == read_one(spec).last_values
    assert 2 == len(spec.dir.event_files)


def copy(spec: RunSpec, tmp_path: Path, *, without: tuple[str, ...] = ()) -> RunSpec:
    """Copy a run into Saturday's sweep and return what it is there."""
    there = make_spec(SweepDir(tmp_path / "toy" / SATURDAY), dict(spec.assignment), index=3)
    there = replace(there, seed=spec.seed, reused_from="2026-11-20/0000/r00")
    copy_run(read_one(spec), there, without=without)
    return there


def test_a_copy_has_the_same_points_at_the_same_times(spec: RunSpec, tmp_path: Path) -> None:
    """Steps, values and wall times of each series are the original's, to the bit."""
    write_run(spec, {**SCALARS, "odd": [float("inf"), -0.0, 1e-30]}, clock=ticking(1.7e9))
    there = copy(spec, tmp_path)

    assert read_one(spec).curves == read_one(there).curves
    assert read_scalars(spec.dir.path) == read_scalars(there.dir.path)


def test_a_copy_is_a_run_of_its_own_sweep(spec: RunSpec, tmp_path: Path) -> None:
    """Group and labels are those of the sweep that took it over, which says from where."""
    write_run(spec, SCALARS)
    there = copy(spec, tmp_path)
    record = read_one(there)

    assert (there.group_name, SATURDAY) == (record.group_name, record.labels["sweep"])
    assert "2026-11-20/0000/r00" == record.reused_from
    assert (Ending.COMPLETE, spec.seed) == (record.ending, record.seed)


def test_tags_are_left_out_of_a_copy(spec: RunSpec, tmp_path: Path) -> None:
    """What was said of the whole trial is not copied with one of its runs."""
    write_run(spec, SCALARS)
    add_scalars(spec.dir, {"n/accuracy": 2.0})
    there = copy(spec, tmp_path, without=("n/accuracy",))

    assert {"accuracy": 0.5, "loss": 3.0} == read_one(there).last_values


def test_a_copy_without_scalars_is_a_run(spec: RunSpec, tmp_path: Path) -> None:
    """A run that has logged nothing can be copied too."""
    write_run(spec, {}, clock=ticking(1.7e9))
    record = read_one(copy(spec, tmp_path))

    assert {} == record.curves
    assert read_one(spec).wall_secs == record.wall_secs


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_has_a_status(ending: Ending) -> None:
    """A run that is complete or pruned is a SUCCESS for TensorBoard, any other a FAILURE."""
    succeeded = ending.value in ("complete", "pruned")

    assert (Status.SUCCESS if succeeded else Status.FAILURE) is ending.status


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_comes_back(ending: Ending) -> None:
    """What is written of why a run ended is read again."""
    value, *_ = schema.encode_outcome(ending).value

    assert ending is schema.ending_of(schema.decode_outcome(value) or {}, ending.status)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.SUCCESS, Ending.COMPLETE),
        (Status.FAILURE, Ending.FAILED),
        (Status.RUNNING, None),
    ],
)
def test_an_ending_of_a_later_version_is_told_by_the_status(
    status: Status, expected: Ending | None
) -> None:
    """An ending that this version does not know is told by the session end alone."""
    assert expected is schema.ending_of({"ending": "of a later version"}, status)


def test_another_summary_is_no_ending() -> None:
    """A scalar says nothing of why a run ended."""
    assert schema.decode_outcome(summary_pb2.Summary.Value(tag="loss")) is None


def test_a_superseded_attempt_is_invisible(spec: RunSpec) -> None:
    """Neither we nor TensorBoard read an attempt that was made again."""
    write_run(spec, SCALARS, ending=Ending.INTERRUPTED)
    spec.dir.supersede()
    sweep_dir = SweepDir(spec.dir.path.parents[1])
    again = replace(spec, dir=spec.dir.next_attempt())
    write_run(again, {"accuracy": [1.0]})
    board = read_board(sweep_dir.path.parent)

    assert [again.dir] == [record.dir for record in read_runs(sweep_dir, SPACE)]
    assert {spec.group_name: 1.0} == board.column("accuracy")
    assert ["STATUS_SUCCESS"] == board.statuses
