"""Tests of finding out whether a log directory is the same on several machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError, StorageError
from hparams_lab.sweeps.placement import SharedLogdir


def test_marked_directory_is_set_up_in(tmp_path: Path) -> None:
    """While the directory is marked, who has it calls setup."""
    shared = SharedLogdir(tmp_path)
    with shared.marked():
        assert 4 == shared.set_up(lambda: 4)


@pytest.mark.parametrize("path", [".", "new/logs"])
def test_nothing_is_left(path: str, tmp_path: Path) -> None:
    """Afterwards neither the mark nor a directory that was made for it is left."""
    shared = SharedLogdir(tmp_path / path)
    with shared.marked():
        shared.set_up(int)

    assert [] == list(tmp_path.iterdir())


def test_what_others_have_written_stays(tmp_path: Path) -> None:
    """A directory that was made for the mark stays once something else is in it."""
    with SharedLogdir(tmp_path / "new" / "logs").marked():
        (tmp_path / "new" / "logs" / "file").touch()

    assert ["file"] == [file.name for file in (tmp_path / "new" / "logs").iterdir()]


@pytest.mark.parametrize(("made", "words"), [(True, "is another"), (False, "does not exist")])
def test_other_directory_is_refused(made: bool, words: str, tmp_path: Path) -> None:
    """Who has another directory by that path, or none, is told so."""
    path = tmp_path / "logs"
    if made:
        path.mkdir()

    with pytest.raises(LogdirError, match=f"must be the same on all nodes; .* {words}"):
        SharedLogdir(path).set_up(int)


def test_directory_of_another_token_is_refused(tmp_path: Path) -> None:
    """The mark of another sweep is none."""
    with SharedLogdir(tmp_path).marked(), pytest.raises(LogdirError, match="is another"):
        SharedLogdir(tmp_path).set_up(int)


def test_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """Where no directory can be, it is the log directory that cannot be written to."""
    (tmp_path / "file").touch()

    with (
        pytest.raises(StorageError, match="cannot write to the log directory"),
        SharedLogdir(tmp_path / "file" / "logs").marked(),
    ):
        pass
