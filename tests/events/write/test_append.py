"""Records at the end of a local file: whole, or nothing of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hparams_lab.errors import StorageError
from hparams_lab.events.write.writer import LocalFile
from tests.support.storage_faults import limited_files

RECORD = bytes(range(100))


def test_what_is_appended_is_there_at_once(tmp_path: Path) -> None:
    """Another reader sees each record as soon as it is appended."""
    file = LocalFile(tmp_path / "file")
    file.append(RECORD)

    assert RECORD == (tmp_path / "file").read_bytes()
    file.append(RECORD)
    assert RECORD * 2 == (tmp_path / "file").read_bytes()
    file.close()


@pytest.mark.parametrize("num_bytes", [100, 101, 150, 199])
def test_a_record_that_does_not_fit_is_taken_back(num_bytes: int, tmp_path: Path) -> None:
    """The file ends as it did where the system took only a part of a record, or none."""
    file = LocalFile(tmp_path / "file")
    file.append(RECORD)
    with limited_files(num_bytes), pytest.raises(StorageError, match=r"file: File too large\. "):
        file.append(RECORD)

    assert RECORD == (tmp_path / "file").read_bytes()
    file.append(RECORD)
    assert RECORD * 2 == (tmp_path / "file").read_bytes()
    file.close()


def test_a_descriptor_that_others_close_is_opened_again(tmp_path: Path) -> None:
    """Code that closes descriptors wholesale costs no record, as the disk is well."""
    lowest = os.dup(0)
    os.close(lowest)
    file = LocalFile(tmp_path / "file")
    file.append(RECORD)
    os.close(lowest)
    file.append(RECORD)
    file.close()

    assert RECORD * 2 == (tmp_path / "file").read_bytes()


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    """The error says which path, which error and what to do."""
    (tmp_path / "full").symlink_to("/dev/full")
    file = LocalFile(tmp_path / "full")
    told = f"{tmp_path}/full: No space left on device. Make room, or choose another with --logdir"
    with pytest.raises(StorageError, match=told):
        file.append(RECORD)
    file.close()


def test_a_file_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    """Where the directory is gone, the first part of the path that is missing is named."""
    with pytest.raises(StorageError, match=f"{tmp_path}/gone: No such file or directory. Put it"):
        LocalFile(tmp_path / "gone" / "too" / "file")
