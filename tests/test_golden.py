"""Golden files: a missing or a different one fails, and only `--update_golden` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import conftest
from tests.conftest import CheckGolden


@pytest.fixture
def golden_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an empty folder in the place of the golden files."""
    monkeypatch.setattr(conftest, "GOLDEN_DIR", tmp_path)
    return tmp_path


@pytest.fixture
def set_update(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if `--update_golden` was given, and show no diffs of it at the end."""
    monkeypatch.setattr(request.config.option, "update_golden", True)
    monkeypatch.setitem(request.config.stash, conftest.DIFFS, [])


@pytest.fixture
def set_no_update(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if `--update_golden` was not given."""
    monkeypatch.setattr(request.config.option, "update_golden", False)


@pytest.mark.usefixtures("golden_dir", "set_no_update")
def test_missing_file_fails(check_golden: CheckGolden) -> None:
    """A golden file that is not there fails, and says how it is written."""
    with pytest.raises(AssertionError, match=r"there is no .*new.txt; write it by pytest --upd"):
        check_golden("new.txt", "text")


@pytest.mark.usefixtures("set_no_update")
def test_different_file_fails(golden_dir: Path, check_golden: CheckGolden) -> None:
    """A text that differs from its golden file fails, and the file stays as it is."""
    (golden_dir / "old.txt").write_text("old\n")

    with pytest.raises(AssertionError, match="new"):
        check_golden("old.txt", "new\n")
    assert (golden_dir / "old.txt").read_text() == "old\n"


@pytest.mark.usefixtures("set_update")
def test_update_writes_and_shows_the_difference(
    golden_dir: Path, check_golden: CheckGolden, request: pytest.FixtureRequest
) -> None:
    """`--update_golden` rewrites the file and keeps the difference for the end of the session."""
    (golden_dir / "old.txt").write_text("same\nold\n")
    check_golden("old.txt", "same\nnew\n")
    (diff,) = request.config.stash[conftest.DIFFS]

    assert (golden_dir / "old.txt").read_text() == "same\nnew\n"
    assert ["-old", "+new"] == diff.splitlines()[-2:]
