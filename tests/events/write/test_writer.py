"""A run's event file: one file, at once on the disk, and one true end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.compat.proto import event_pb2

from hparams_lab.events import schema
from hparams_lab.events.read.reader import read_events, read_progress, read_run
from hparams_lab.events.schema import Ending, Status
from hparams_lab.events.write.writer import LocalFile, RunWriter, end_run
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import SATURDAY, make_spec, make_sweep, ticking, write_run

SPACE = make_sweep().space


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """Return the spec of a run that has not begun."""
    return make_spec(SweepDir(tmp_path / "toy" / SATURDAY), {"units": 8, "rate": 0.1})


def list_events(spec: RunSpec) -> list[event_pb2.Event]:
    """Return the events of a run's files, in TensorBoard's order."""
    return [event for path in spec.dir.event_files for event in read_events(path)]


def count(tag: str, spec: RunSpec) -> int:
    """Return how often a tag was written."""
    return sum(value.tag == tag for event in list_events(spec) for value in event.summary.value)


def tear(spec: RunSpec, num_bytes: int = 3) -> None:
    """Cut the last record of a run's file short, as a full disk or a lost power would."""
    (path,) = spec.dir.event_files
    path.write_bytes(path.read_bytes()[:-num_bytes])


def test_run_is_one_file_with_everything(spec: RunSpec) -> None:
    """Start, identity, card, scalars and end lie in one file, in that order."""
    write_run(spec, {"loss": [0.5]})
    events = list_events(spec)
    tags = [value.tag for event in events for value in event.summary.value]

    assert len(spec.dir.event_files) == 1
    assert events[0].file_version == "brain.Event:2"
    assert [schema.START_TAG, "_hparams_lab_/run", "run_card", "loss"] == tags[:4]
    assert ["_hparams_lab_/end", schema.END_TAG] == tags[4:]


def test_file_name_is_one_tensorboard_finds(spec: RunSpec) -> None:
    """The file is named as TensorFlow names event files: it sorts by its time."""
    write_run(spec, {}, clock=ticking(12.0))

    assert spec.dir.event_files[0].name.startswith("events.out.tfevents.0000000012.")


def test_event_is_on_disk_at_once(spec: RunSpec) -> None:
    """What was written is read from the disk before the run ends."""
    with RunWriter.create(spec.dir) as writer:
        writer.write_start(spec)
        writer.write_scalar("loss", 0.5, 0)
        record = read_run(spec.dir, SPACE)

    assert record is not None
    assert (Status.RUNNING, {"loss": 0.5}) == (record.status, record.last_values)


@pytest.mark.parametrize("second", [Ending.COMPLETE, Ending.FAILED])
def test_end_is_written_once(second: Ending, spec: RunSpec) -> None:
    """A second end, whatever it says, does not reach the file."""
    with RunWriter.create(spec.dir) as writer:
        writer.write_end(Ending.COMPLETE)
        writer.write_end(second)

    assert count(schema.END_TAG, spec) == 1


def test_execution_has_a_directory_of_its_own(spec: RunSpec) -> None:
    """A second writer in a run's directory is refused: its events would mix."""
    write_run(spec, {})

    with pytest.raises(FileExistsError, match="has an event file of another execution"):
        RunWriter.create(spec.dir)


def test_closing_twice_is_closing(tmp_path: Path) -> None:
    """A second close does nothing, and closes nobody else's file."""
    file = LocalFile(tmp_path / "file")
    file.close()
    other = LocalFile(tmp_path / "other")  # gets the number of the first
    file.close()
    other.append(b"here")
    other.close()

    assert (tmp_path / "other").read_bytes() == b"here"


def test_run_card_shows_the_values(spec: RunSpec) -> None:
    """The card lists values, seed and trial, with `|` and line ends kept out of the table."""
    odd = replace(spec, assignment=type(spec.assignment)({"a|b": "x|y\nz"}))
    write_run(odd, {})
    (card,) = [
        value.tensor.string_val[0].decode()
        for event in list_events(odd)
        for value in event.summary.value
        if value.tag == schema.RUN_CARD_TAG
    ]
    num_bars = [line.count("|") - line.count("\\|") for line in card.splitlines()]

    assert set(num_bars) == {3}
    assert f"| seed | {spec.seed} |" in card
    assert f"| trial | {spec.group_name} |" in card


def test_killed_run_is_ended_in_its_file(spec: RunSpec) -> None:
    """The end of a run whose file is whole goes to that file, behind what it wrote."""
    write_run(spec, {"loss": [0.5]}, ending=None)
    end_run(spec.dir, spec, Ending.FAILED, clock=ticking())
    record = read_run(spec.dir, SPACE)

    assert record is not None
    assert len(spec.dir.event_files) == 1
    assert (Status.FAILURE, {"loss": 0.5}, "") == (
        record.status,
        record.last_values,
        record.damage,
    )


@pytest.mark.parametrize("num_bytes", [1, 4, 12, 20])
def test_torn_run_is_ended_in_a_second_file(num_bytes: int, spec: RunSpec) -> None:
    """Behind a torn record nothing is read, so the end goes to a file that sorts behind."""
    write_run(spec, {"loss": [0.5, 0.25]}, ending=None)
    tear(spec, num_bytes)
    end_run(spec.dir, spec, Ending.FAILED, clock=ticking())
    record = read_run(spec.dir, SPACE)

    assert record is not None
    assert len(spec.dir.event_files) == 2
    assert (Status.FAILURE, {"loss": 0.5}) == (record.status, record.last_values)


def test_damaged_run_is_ended_in_a_second_file(spec: RunSpec) -> None:
    """Damage in mid-file hides what follows it, so the end goes to a second file."""
    write_run(spec, {"loss": [0.5]}, ending=None)
    (path,) = spec.dir.event_files
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    end_run(spec.dir, spec, Ending.FAILED, clock=ticking())
    record = read_run(spec.dir, SPACE)

    assert record is not None
    assert Status.FAILURE is record.status
    assert "is damaged" in record.damage


def test_run_that_never_began_gets_a_file(spec: RunSpec) -> None:
    """A run that died before it had a file is on record with its values and its end."""
    end_run(spec.dir, spec, Ending.FAILED, clock=ticking())
    record = read_run(spec.dir, SPACE)

    assert record is not None
    assert (Status.FAILURE, spec.assignment) == (record.status, record.assignment)


@pytest.mark.parametrize("ending", [Ending.COMPLETE, Ending.FAILED])
def test_ended_run_keeps_its_end(ending: Ending, spec: RunSpec) -> None:
    """A run that has ended is left as it is."""
    write_run(spec, {"loss": [0.5]}, ending=ending)
    (path,) = spec.dir.event_files
    content = path.read_bytes()
    end_run(spec.dir, spec, Ending.FAILED)

    assert [path] == spec.dir.event_files
    assert content == path.read_bytes()


def test_ending_twice_is_ending(spec: RunSpec) -> None:
    """The end that was written for a torn run counts too: there is no third file."""
    write_run(spec, {"loss": [0.5]}, ending=None)
    tear(spec)
    end_run(spec.dir, spec, Ending.FAILED)
    end_run(spec.dir, spec, Ending.FAILED)

    assert len(spec.dir.event_files) == 2
    assert read_progress(spec.dir) == (True, True)
    assert count(schema.END_TAG, spec) == 1


@pytest.mark.parametrize("kept", [0, 10, 40, 60], ids=["empty", "torn_version", "version", "torn"])
def test_run_that_died_over_its_start_is_on_record(kept: int, spec: RunSpec) -> None:
    """A run whose file has no whole session start is on record with its values and its end."""
    write_run(spec, {})
    (path,) = spec.dir.event_files
    path.write_bytes(path.read_bytes()[:kept])
    end_run(spec.dir, spec, Ending.FAILED)
    record = read_run(spec.dir, SPACE)

    assert record is not None
    assert (Status.FAILURE, spec.assignment) == (record.status, record.assignment)
