"""Whole files, and one error where the system refuses."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError, StorageError
from hparams_lab.logdir.atomic import require_writable, storage_error, storing, write_whole
from tests.support.storage_faults import limited_files, without_rights

ADVICE = {
    errno.ENOSPC: "Make room",
    errno.EDQUOT: "Make room",
    errno.EFBIG: "Allow larger files",
    errno.EACCES: "Allow it",
    errno.EROFS: "Make it writable",
    errno.ESTALE: "Mount it again",
    errno.EIO: "Look after the disk",
}


@pytest.mark.parametrize(
    ("number", "advice"), ADVICE.items(), ids=[errno.errorcode[number] for number in ADVICE]
)
def test_each_refusal_says_what_to_do(number: int, advice: str) -> None:
    """Path, error and next action are in one sentence."""
    told = str(storage_error(OSError(number, os.strerror(number)), "/logs/file"))

    assert f"/logs/file: {os.strerror(number)}. {advice}" in told


def test_the_path_of_the_system_is_reported() -> None:
    """Where the system names a file, that is the one."""
    error = PermissionError(errno.EACCES, "Permission denied", "/logs/one")

    assert "/logs/one: Permission denied" in str(storage_error(error, "/logs"))


def test_our_own_errors_stay_as_they_are() -> None:
    """What is said already is not said again."""
    error = LogdirError("two sweeps contradict each other")
    with pytest.raises(LogdirError) as caught, storing("/logs"):
        raise error

    assert error is caught.value


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new content stands alone, with nothing beside it."""
    (tmp_path / "file").write_text("before")
    write_whole(tmp_path / "file", b"after")

    assert [tmp_path / "file"] == [*tmp_path.iterdir()]
    assert "after" == (tmp_path / "file").read_text()


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    """Where the disk is full, what was there stays, and nothing beside it."""
    (tmp_path / "file").write_text("before")
    with limited_files(10), pytest.raises(StorageError, match="file: File too large"):
        write_whole(tmp_path / "file", b"much longer than that")

    assert [tmp_path / "file"] == [*tmp_path.iterdir()]
    assert "before" == (tmp_path / "file").read_text()


def test_a_directory_that_is_not_there_may_be_made(tmp_path: Path) -> None:
    """What counts is the first directory above that exists; nothing is made by asking."""
    require_writable(tmp_path / "logs" / "toy")

    assert [] == [*tmp_path.iterdir()]


def test_a_file_in_the_way_is_reported(tmp_path: Path) -> None:
    """A log directory cannot be made below a file."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"{tmp_path}/file: Not a directory"):
        require_writable(tmp_path / "file" / "toy")


def test_a_directory_of_others_is_reported(tmp_path: Path) -> None:
    """One sentence says that a directory may not be written to."""
    tmp_path.chmod(0o555)
    program = (
        "import sys, pathlib; from hparams_lab.logdir.atomic import require_writable\n"
        "require_writable(pathlib.Path(sys.argv[1]) / 'toy')"
    )
    words = without_rights([sys.executable, "-c", program, str(tmp_path)])
    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert f"StorageError: cannot write to the log directory: {tmp_path}: Permission" in done.stderr
