"""What is a URL, where its mirror lies, and how often it is sent to."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.errors import UsageError
from hparams_lab.remote.url import (
    SECS_VARIABLE,
    UPLOAD_SECS,
    is_url,
    mirror_dir,
    read_upload_secs,
    refuse_lost_slash,
)


@pytest.mark.parametrize("text", ["s3://b/logs", "memory://a", "abfs+x://c@d/e"])
def test_a_url_has_a_protocol(text: str) -> None:
    """What begins with a protocol is a URL."""
    assert is_url(text)


@pytest.mark.parametrize("path", ["logs", "/a/b", "s3:/b", "C:/logs", "a b://c", Path("s3://b")])
def test_anything_else_is_a_path(path: str | Path) -> None:
    """What does not is the path of a folder."""
    assert not is_url(path)


def test_each_url_has_its_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Mirrors lie where the user's caches are, or are said to be."""
    monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", str(tmp_path))

    assert mirror_dir("s3://a").is_relative_to(tmp_path)
    assert mirror_dir("s3://a") != mirror_dir("s3://b")


def test_there_is_a_mirror_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants no cache of what was read has a mirror all the same."""
    monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", "")

    assert "hparams_lab" in str(mirror_dir("s3://a"))


def test_the_interval_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is sent every fifteen seconds, or as often as is said."""
    monkeypatch.delenv(SECS_VARIABLE, raising=False)
    default = read_upload_secs()
    monkeypatch.setenv(SECS_VARIABLE, "2.5")

    assert (UPLOAD_SECS, 2.5) == (default, read_upload_secs())


@pytest.mark.parametrize("path", [str(Path("s3://b/logs")), "file:/tmp/logs"])
def test_a_url_that_lost_a_slash_is_refused(path: str) -> None:
    """What was a URL before it was made a path is no folder here."""
    with pytest.raises(UsageError, match="one slash where a URL has two"):
        refuse_lost_slash(path)


@pytest.mark.parametrize("path", ["logs", "/a:/b", "C:/logs", "./s3:/b"])
def test_a_path_with_a_colon_is_one(path: str) -> None:
    """Drives and other folders pass."""
    refuse_lost_slash(path)


@pytest.mark.parametrize("text", ["often", "0", "-1", "nan", "4000"])
def test_an_interval_is_a_time(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What is no time, or too long a one, is refused."""
    monkeypatch.setenv(SECS_VARIABLE, text)
    with pytest.raises(UsageError, match=r"must lie in \[0.1, 3600\]"):
        read_upload_secs()
