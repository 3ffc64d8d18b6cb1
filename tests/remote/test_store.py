"""A store: in memory, in folders, and on a real S3 server."""

from __future__ import annotations

import errno
import uuid
from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.remote.filesystem import describe_failure
from hparams_lab.remote.store import Store
from tests.support.s3 import S3

KINDS = ("memory", "file", pytest.param("s3", marks=pytest.mark.slow))


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "memory":
        return Store(f"memory://{uuid.uuid4().hex}/logs/")
    if request.param == "file":
        return Store(f"file://{tmp_path}/logs")
    return Store(request.getfixturevalue("s3").make_bucket())


def test_nothing_lies_in_an_empty_store(any_store: Store) -> None:
    """Where nothing was written, nothing is listed."""
    assert {} == any_store.list()


def test_what_is_written_is_read(any_store: Store) -> None:
    """An object has the content that it was written with, the last time."""
    any_store.write("a/b", b"one")
    any_store.write("a/b", b"two")

    assert b"two" == any_store.read("a/b")


def test_an_upload_is_downloaded(any_store: Store, tmp_path: Path) -> None:
    """A file's content goes there and back."""
    (tmp_path / "here").write_bytes(b"\0content")
    uploaded = any_store.upload(tmp_path / "here", "a/b c/ü")
    any_store.download("a/b c/ü", tmp_path / "back")

    assert b"\0content" == (tmp_path / "back").read_bytes()
    assert {"a/b c/ü": uploaded} == any_store.list()


def test_a_folder_is_listed_alone(any_store: Store) -> None:
    """Below a folder lies what is in it, and not what is in one with a longer name."""
    for name in ("a/x", "a/b/y", "ab/z"):
        any_store.write(name, b"")

    assert {"a/x", "a/b/y"} == {*any_store.list("a")}


def test_another_content_is_another_token(any_store: Store) -> None:
    """Whoever lists a store sees by the token that an object has changed."""
    any_store.write("a", b"one")
    before = any_store.list()["a"]
    any_store.write("a", b"two")

    assert before.token != any_store.list()["a"].token
    assert any_store.find("a") == any_store.list()["a"]


def test_an_object_is_created_once(any_store: Store) -> None:
    """Whoever comes second learns it, and changes nothing."""
    created = [any_store.create("a/b", content) for content in (b"first", b"second")]

    assert [True, False] == created
    assert b"first" == any_store.read("a/b")


def test_what_is_removed_is_gone(any_store: Store) -> None:
    """Objects are removed, among them those that are not there."""
    for name in ("a/b", "c"):
        any_store.write(name, b"")
    any_store.remove(["a/b", "never/was"])

    assert {"c"} == {*any_store.list()}


@pytest.mark.parametrize("name", ["w*", "w?", "[w]x"])
def test_a_name_is_no_pattern(any_store: Store, name: str) -> None:
    """To remove an object removes no other, whatever characters are in its name."""
    for each in (name, "wx"):
        any_store.write(each, b"")
    any_store.remove([name])

    assert {"wx"} == {*any_store.list()}


def test_what_is_missing_is_an_error_of_its_own(any_store: Store, tmp_path: Path) -> None:
    """An object that is not there raises what a file would."""
    with pytest.raises(FileNotFoundError):
        any_store.read("a")
    with pytest.raises(FileNotFoundError):
        any_store.find("a")
    with pytest.raises(FileNotFoundError):
        any_store.download("a", tmp_path / "a")


def test_times_are_the_stores_own(any_store: Store) -> None:
    """An object that was written later has no earlier time."""
    any_store.write("a", b"")
    any_store.write("b", b"")

    assert 0.0 < any_store.find("a").modified_secs <= any_store.find("b").modified_secs


@pytest.mark.slow
def test_names_that_lead_out_are_not_listed(s3: S3) -> None:
    """An object whose name climbs out of the folder is none of the log directory's."""
    store = Store(s3.make_bucket())
    for name in ("../evil", "a/../../evil", "a//b", "good"):
        store.write(name, b"")

    assert {"good"} == {*store.list()}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("nothing://a/b", "Protocol not known", id="unknown"),
        pytest.param("gs://a/b", "gcsfs", id="missing-package"),
        pytest.param("memory://", "--logdir=memory:// names no place", id="no-place"),
    ],
)
def test_a_url_that_nothing_knows_is_refused(url: str, words: str) -> None:
    """What is no URL for a log directory here is said in a sentence."""
    with pytest.raises(UsageError, match=words):
        Store(url)


def test_a_full_disk_is_no_fault_of_the_network() -> None:
    """Where there is no room for what comes, that is what is advised on."""
    full = OSError(errno.ENOSPC, "No space left on device")

    assert describe_failure("s3://b", full).endswith("another folder with HPARAMS_LAB_CACHE_DIR.")


@pytest.mark.slow
@pytest.mark.usefixtures("s3")
def test_a_missing_bucket_is_reported() -> None:
    """A bucket that is not there is an error, and not an empty log directory."""
    with pytest.raises(LogdirError, match="bucket does not exist"):
        Store("s3://nobody-made-it/logs").list()
