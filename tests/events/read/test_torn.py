"""When a record that is cut short is damage, and when it is being written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.events.foreign.reader import read_foreign
from hparams_lab.events.read.reader import RunRecord, read_run, read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.locks import another_holds

SWEEP = make_sweep()
CUT_SHORT = "its last record is cut short."


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """A sweep without runs."""
    return add_sweep(ExperimentDir(tmp_path / "toy"), SWEEP)


def write_torn(sweep_dir: SweepDir, ending: Ending | None) -> RunSpec:
    """Write a run whose file ends in half a record."""
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.25})
    write_run(spec, {"accuracy": [0.25, 0.5]}, ending=ending)
    (file,) = spec.dir.event_files
    with file.open("ab") as torn:
        torn.write(file.read_bytes()[:20])
    return spec


def read(sweep_dir: SweepDir) -> RunRecord:
    """Return the only run of a sweep."""
    (record,) = read_runs(sweep_dir, SWEEP.space)
    return record


def test_a_record_that_is_being_written_is_no_damage(
    sweep_dir: SweepDir, caplog: pytest.LogCaptureFixture
) -> None:
    """While a process runs the sweep, the rest is to come."""
    write_torn(sweep_dir, None)
    with another_holds(sweep_dir):
        record = read(sweep_dir)

    assert ("", []) == (record.damage, caplog.records)
    assert [0.25, 0.5] == record.curves["accuracy"].values


def test_a_record_that_nobody_writes_is_damage(
    sweep_dir: SweepDir, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no process runs the sweep, the file is named; what is whole is read."""
    (file,) = write_torn(sweep_dir, None).dir.event_files
    record = read(sweep_dir)

    assert f"{file.name}: {CUT_SHORT}" == record.damage
    assert f"damaged: {file}: {CUT_SHORT}" in caplog.text
    assert [0.25, 0.5] == record.curves["accuracy"].values


def test_an_ended_run_is_written_no_more(sweep_dir: SweepDir) -> None:
    """Behind an end there is nothing to come, whoever runs the sweep; each reader says so."""
    spec = write_torn(sweep_dir, Ending.COMPLETE)
    alone = read_run(spec.dir, SWEEP.space)
    with another_holds(sweep_dir):
        damages = [alone.damage if alone else "", read(sweep_dir).damage]

    assert [CUT_SHORT, CUT_SHORT] == [damage.partition(": ")[2] for damage in damages]


def test_a_torn_file_whose_end_is_in_another_is_no_damage(sweep_dir: SweepDir) -> None:
    """The second file says that the run died over its last record: there is no more to say."""
    spec = write_torn(sweep_dir, None)
    end_run(spec.dir, spec, Ending.CRASHED)

    assert (Ending.CRASHED, "") == (read(sweep_dir).ending, read(sweep_dir).damage)


def test_a_damaged_file_of_another_tool_is_reported(
    sweep_dir: SweepDir, caplog: pytest.LogCaptureFixture
) -> None:
    """What other tools wrote is read alike, and what is wrong with it said alike."""
    folder = sweep_dir.path.parent.parent / "other"
    folder.mkdir()
    (folder / "events.out.tfevents.1.other").write_bytes(b"x" * 50)

    assert [] == read_foreign(folder)
    assert f"{folder}/events.out.tfevents.1.other: the length of the record" in caplog.text
