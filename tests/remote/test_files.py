"""Files that have only grown are appended to, and others are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.remote.mirror import begins_with, grow_to


@settings(max_examples=50, deadline=None)
@given(old=st.binary(max_size=4), new=st.binary(max_size=8))
def test_a_file_grows_to_what_begins_with_it(
    old: bytes, new: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file becomes what it is the beginning of, and is else as it was."""
    folder = tmp_path_factory.mktemp("growth")
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    grows = grow_to(folder / "old", folder / "new")

    assert new.startswith(old) is grows
    assert (new if grows else old) == (folder / "old").read_bytes()


def test_who_has_it_open_reads_on(tmp_path: Path) -> None:
    """A reader that holds the file open gets what was appended."""
    for name, content in (("old", "begun"), ("new", "begun, ended")):
        (tmp_path / name).write_text(content)
    with (tmp_path / "old").open() as reader:
        reader.read()
        grow_to(tmp_path / "old", tmp_path / "new")

        assert ", ended" == reader.read()


@settings(max_examples=50, deadline=None)
@given(beginning=st.binary(max_size=4), content=st.binary(max_size=8))
def test_a_beginning_is_known(
    beginning: bytes, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file begins with another as its bytes do."""
    folder = tmp_path_factory.mktemp("beginning")
    (folder / "file").write_bytes(content)
    (folder / "first").write_bytes(beginning)

    assert content.startswith(beginning) is begins_with(folder / "file", folder / "first")


def test_a_file_that_is_not_there_does_not_grow(tmp_path: Path) -> None:
    """Where there is no file, nothing is made of it."""
    (tmp_path / "new").write_text("content")

    assert not grow_to(tmp_path / "old", tmp_path / "new")
    assert ["new"] == [path.name for path in tmp_path.iterdir()]
