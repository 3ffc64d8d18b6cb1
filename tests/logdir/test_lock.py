"""One process at a time runs a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.logdir.lock import is_held, sweep_lock
from tests.support.factories import SATURDAY
from tests.support.locks import another_holds


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """A sweep's directory."""
    (tmp_path / SATURDAY).mkdir()
    return SweepDir(tmp_path / SATURDAY)


def test_a_second_process_is_refused(sweep_dir: SweepDir) -> None:
    """While another process runs the sweep, that is said, with the sweep's id."""
    refused = pytest.raises(LogdirError, match=f"is running {SATURDAY}. Wait")
    with another_holds(sweep_dir), refused, sweep_lock(sweep_dir):
        pass


def test_a_killed_process_holds_nothing(sweep_dir: SweepDir) -> None:
    """The lock of a process that was killed is free, though its file is there."""
    with another_holds(sweep_dir) as process:
        process.kill()
        process.wait()
        with sweep_lock(sweep_dir):
            assert sweep_dir.lock_file.exists()


def test_a_lock_is_given_back(sweep_dir: SweepDir) -> None:
    """Who has let go of a sweep can hold it again, also after an error."""
    with pytest.raises(KeyboardInterrupt, match=r"^$"), sweep_lock(sweep_dir):
        raise KeyboardInterrupt
    with sweep_lock(sweep_dir):
        pass


def test_sweeps_are_held_one_by_one(sweep_dir: SweepDir, tmp_path: Path) -> None:
    """Another sweep of the experiment can be run meanwhile."""
    other = SweepDir(tmp_path / "2026-11-22_00-00-00")
    other.path.mkdir()
    with another_holds(sweep_dir), sweep_lock(other):
        assert other.lock_file.exists()


def test_a_directory_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    """Where no lock can be made, the reason is said with the way out."""
    (tmp_path / "file").touch()
    refused = pytest.raises(LogdirError, match=r"cannot write to the log directory: .*--logdir")
    with refused, sweep_lock(SweepDir(tmp_path / "file")):
        pass


def test_whether_a_sweep_is_running_can_be_asked(sweep_dir: SweepDir) -> None:
    """It is while another process holds it, and not once that was killed."""
    before = is_held(sweep_dir)
    with another_holds(sweep_dir) as process:
        meanwhile = is_held(sweep_dir)
        process.kill()
        process.wait()

        assert (False, True, False) == (before, meanwhile, is_held(sweep_dir))


def test_asking_makes_no_lock(sweep_dir: SweepDir) -> None:
    """To ask of a sweep that was never run leaves nothing behind."""
    is_held(sweep_dir)

    assert [] == [*sweep_dir.path.iterdir()]
