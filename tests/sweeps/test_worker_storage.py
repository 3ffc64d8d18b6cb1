"""A run that cannot write what it records, and one that cannot write what is its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.errors import StorageError
from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.sweeps.worker import Loaded, Outcome, execute
from tests.support.factories import SATURDAY, make_spec
from tests.support.storage_faults import limited_files
from tests.support.worker_runs import GOOD, Train, declare, refuse


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """A run that has not begun."""
    return make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})


def run(train: Train, spec: RunSpec) -> Outcome:
    """Execute a run and return its outcome."""
    return execute(Loaded(declare(train), None), spec, refuse)


def log_on_full_disk(handle: Run) -> None:
    """Log a point that does not fit."""
    (file,) = handle.dir.glob("events.*")
    with limited_files(file.stat().st_size + 10):
        handle.scalar("loss", 0.5, 0)


def swallow(handle: Run) -> dict[str, float]:
    """Go on as if the point had been written."""
    with pytest.raises(OSError, match="File too large"):
        log_on_full_disk(handle)
    return GOOD


def wrap(handle: Run) -> None:
    """Fail of another error that the first has led to."""
    try:
        log_on_full_disk(handle)
    except OSError as error:
        raise RuntimeError("the callback failed") from error


@pytest.mark.parametrize("train", [log_on_full_disk, swallow, wrap])
def test_a_point_that_is_not_written_ends_the_run(
    train: Callable[[Run], None], spec: RunSpec
) -> None:
    """It is neither a success nor a failure, whatever train makes of it, and will be run again."""
    outcome = run(train, spec)
    record = read_run(spec.dir, declare(train).space)

    assert Ending.INTERRUPTED is outcome.ending
    assert "File too large. Allow larger files" in outcome.storage_fault
    assert record is not None
    assert (None, "") == (record.ending, record.damage)


def test_a_run_that_cannot_begin_says_so(spec: RunSpec) -> None:
    """Where no event file can be made, train is not called."""
    spec.dir.path.parent.parent.rmdir()

    assert "No such file or directory" in run(refuse, spec).storage_fault


def test_a_traceback_that_cannot_be_kept_ends_the_run(spec: RunSpec) -> None:
    """What train raised is not lost in silence: why it cannot be kept is said."""

    def fail(handle: Run) -> None:
        handle.dir.joinpath("failure.txt").symlink_to("/dev/full")
        raise ValueError("no such hill")

    assert "failure.txt: No space left on device" in run(fail, spec).storage_fault


def test_an_own_file_that_cannot_be_written_is_a_failure(spec: RunSpec) -> None:
    """A full disk behind train's own file is the run's failure, with its traceback."""

    def fail(handle: Run) -> None:
        Path("/dev/full").write_text("model")

    outcome = run(fail, spec)

    assert (Ending.FAILED, "") == (outcome.ending, outcome.storage_fault)
    assert "No space left on device" in spec.dir.failure_file.read_text()


def test_a_storage_error_is_an_os_error() -> None:
    """Whoever handles errors of the system handles this one."""
    assert issubclass(StorageError, OSError)
