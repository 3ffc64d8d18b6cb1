"""A writer whose disk refuses: nothing is missing in the middle, and no run ends as if whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hparams_lab.errors import StorageError
from hparams_lab.events.read.reader import RunRecord, is_whole, read_run
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import RunWriter, add_scalars, end_run
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import SATURDAY, make_spec, make_sweep, write_run
from tests.support.storage_faults import limited_files

SPACE = make_sweep().space


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """A run that has not begun."""
    return make_spec(SweepDir(tmp_path / "toy" / SATURDAY), {"units": 8, "rate": 0.1})


def read(spec: RunSpec) -> RunRecord:
    """Return the run as it is read."""
    record = read_run(spec.dir, SPACE)
    assert record is not None
    return record


def fill(spec: RunSpec) -> RunWriter:
    """Return the writer of a run that has met a full disk in the middle of its third point."""
    writer = RunWriter.create(spec.dir)
    writer.write_start(spec)
    writer.write_scalar("loss", 0.5, 0)
    writer.write_scalar("loss", 0.25, 1)
    size = spec.dir.event_files[0].stat().st_size
    with limited_files(size + 20), pytest.raises(StorageError, match="File too large"):
        writer.write_scalar("loss", 0.125, 2)
    return writer


def test_what_was_written_before_is_whole(spec: RunSpec) -> None:
    """The file ends with the last record that fitted."""
    fill(spec).close()

    assert is_whole(spec.dir.event_files[0])
    assert [0.5, 0.25] == read(spec).curves["loss"].values


def test_nothing_is_written_behind_what_is_missing(spec: RunSpec) -> None:
    """Though there is room again, neither a point nor an end follows, and each try says why."""
    writer = fill(spec)
    with pytest.raises(StorageError, match="File too large"):
        writer.write_scalar("loss", 0.0625, 3)
    with pytest.raises(StorageError, match="File too large"):
        writer.write_end(Ending.COMPLETE)
    writer.close()

    assert ([0, 1], None) == (read(spec).curves["loss"].steps, read(spec).ending)


def test_a_run_that_met_a_full_disk_is_ended_in_its_file(spec: RunSpec) -> None:
    """Once there is room, the runner's end goes behind the last whole record."""
    fill(spec).close()
    end_run(spec.dir, spec, Ending.INTERRUPTED)

    assert len(spec.dir.event_files) == 1
    assert (Ending.INTERRUPTED, "") == (read(spec).ending, read(spec).damage)


@pytest.mark.parametrize("begins", [True, False])
def test_an_end_that_cannot_be_written_is_reported(begins: bool, spec: RunSpec) -> None:
    """The runner's own writes say the same, whether the run had a file or not."""
    if begins:
        write_run(spec, {"loss": [0.5]}, ending=None)
    with limited_files(10), pytest.raises(StorageError, match="File too large"):
        end_run(spec.dir, spec, Ending.FAILED)


def test_what_a_trial_tells_that_cannot_be_written_is_reported(spec: RunSpec) -> None:
    """The spread of a trial is a record like others."""
    write_run(spec, {"loss": [0.5]})
    with limited_files(10), pytest.raises(StorageError, match="File too large"):
        add_scalars(spec.dir, {"loss/mean": 0.5})


def test_a_sweep_that_is_gone_is_not_made_anew(spec: RunSpec) -> None:
    """A run begins in its sweep's directory only where that is."""
    shutil.rmtree(spec.dir.path.parent.parent)
    with pytest.raises(StorageError, match=f"{SATURDAY}: No such file or directory. Put it back"):
        RunWriter.create(spec.dir)

    assert not spec.dir.path.parent.parent.exists()


def test_the_directory_of_a_trial_is_made(spec: RunSpec) -> None:
    """Directories of a trial and a run that are gone are made, as those of a new run are."""
    spec.dir.make()
    shutil.rmtree(spec.dir.path.parent)
    RunWriter.create(spec.dir).close()

    assert spec.dir.event_files
