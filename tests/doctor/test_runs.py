"""What the doctor finds wrong with the files of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.doctor.doctor import mend
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import open_writer
from hparams_lab.logdir.entry import find_entry
from hparams_lab.logdir.layout import ExperimentDir, RunDir
from tests.support.factories import make_spec, write_run
from tests.support.locks import another_holds
from tests.support.oracle import read_board
from tests.support.sick_logdir import SCALARS, find, first_run, kinds, make_healthy, sweep_of


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps that nothing is wrong with."""
    return make_healthy(tmp_path / "logs")


def leave_endless(home: ExperimentDir, index: int) -> RunDir:
    """Write a run whose process died before it could end."""
    spec = make_spec(sweep_of(home), {"units": 8, "rate": index / 20}, index=index)
    write_run(spec, SCALARS, ending=None)
    return spec.dir


def test_runs_of_a_dead_process_are_ended(home: ExperimentDir) -> None:
    """Runs without an end are found together, and mended they are failures in TensorBoard."""
    paths = [leave_endless(home, index).path for index in (4, 5)]
    found = find(home, "runs without an end")
    mend([found])

    assert paths == [*found.paths]
    assert read_board(home.path).statuses.count("STATUS_FAILURE") == 2
    assert [] == kinds(home)


def test_runs_of_a_live_process_are_left_alone(home: ExperimentDir) -> None:
    """A run without an end is no illness while its sweep is held."""
    leave_endless(home, 4)
    with another_holds(sweep_of(home)):
        assert [] == kinds(home)


def test_a_sweep_that_goes_on_meanwhile_is_left_alone(home: ExperimentDir) -> None:
    """Where a process has taken the sweep up since it was examined, nothing is written."""
    run_dir = leave_endless(home, 4)
    found = find(home, "runs without an end")
    before = run_dir.event_files[0].read_bytes()
    with another_holds(sweep_of(home)):
        (cure,) = mend([found])

    assert "another is running" in cure.problem
    assert before == run_dir.event_files[0].read_bytes()


def test_a_torn_run_gets_its_end_in_a_second_file(home: ExperimentDir) -> None:
    """A record that was cut short stays as it is, and TensorBoard sees the end all the same."""
    (file,) = (run_dir := leave_endless(home, 4)).event_files
    torn = file.read_bytes()[:-7]
    file.write_bytes(torn)
    mend([find(home, "runs without an end")])

    assert torn == file.read_bytes()
    assert len(run_dir.event_files) == 2
    assert [] == kinds(home)
    assert "STATUS_FAILURE" in read_board(home.path).statuses


def test_two_writers_in_one_run_are_found(home: ExperimentDir) -> None:
    """A second event file in a run is named with the run."""
    run_dir = first_run(home)
    with open_writer(run_dir.path / "events.out.tfevents.9999999999.other") as writer:
        writer.write_scalar("mine", 1.0, 0)

    assert [run_dir.path] == [*find(home, "several event files").paths]


def test_a_damaged_file_is_found(home: ExperimentDir) -> None:
    """A record with a wrong checksum is named by file and byte, and nothing is changed."""
    (file,) = first_run(home).event_files
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    found = find(home, "damaged file")

    assert f"{file.name}: the record at byte" in found.problem
    assert [file] == [*found.paths]
    assert found.mend is None


def test_a_run_that_is_damaged_before_its_end_is_ended(home: ExperimentDir) -> None:
    """Damage that hides the end leaves the dashboard without a status; mended it has one."""
    (file,) = first_run(home).event_files
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    before = read_board(home.path).statuses
    mend([find(home, "runs without an end")])

    assert ("STATUS_UNKNOWN" in before, ["damaged file"]) == (True, kinds(home))
    assert sorted(["STATUS_FAILURE", *["STATUS_SUCCESS"] * 3]) == sorted(
        read_board(home.path).statuses
    )


@pytest.mark.parametrize("ending", list(Ending), ids=lambda ending: ending.value)
def test_a_run_that_ended_is_well(ending: Ending, home: ExperimentDir) -> None:
    """However a run ended, it has an end."""
    spec = make_spec(sweep_of(home), {"units": 8, "rate": 0.3}, index=4)
    write_run(spec, SCALARS, ending=ending)

    assert [] == kinds(home)


def test_a_loose_damaged_file_is_moved_away_as_advised(tmp_path: Path) -> None:
    """The entry that the advice names is there."""
    home = make_healthy(tmp_path)
    loose = home.path / "events.out.tfevents.1.other"
    loose.write_bytes(bytes(100))
    advice = find(home, "damaged file").advice
    word = advice.partition(" archive toy ")[2].split()[0]

    assert loose == find_entry(home, word).path
