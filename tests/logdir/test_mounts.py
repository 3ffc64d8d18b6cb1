"""The table of directories that stand for URLs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.logdir import lock
from hparams_lab.logdir.layout import SweepDir, experiment_dir
from hparams_lab.logdir.mounts import (
    Mount,
    add_mount,
    find_mount,
    in_terms_of_paths,
    in_terms_of_urls,
    mount_of,
    remove_mounts,
    take_over,
)
from hparams_lab.logdir.times import parse_time


class FakeMount(Mount):
    """A mount of which other machines hold some sweeps."""

    def __init__(self, root: Path) -> None:
        self.url = "s3://bucket/logs"
        self.root = root
        self.taken: set[str] = set()
        self.held: list[str] = []

    @contextlib.contextmanager
    def hold(self, sweep_dir: Path) -> Iterator[None]:
        """Note that it is held."""
        self.held.append(sweep_dir.name)
        yield
        self.held.remove(sweep_dir.name)

    def is_held(self, sweep_dir: Path) -> bool:
        """Return whether another has it."""
        return sweep_dir.name in self.taken

    def exchange(self) -> bool:
        """Do nothing."""
        return False

    def fetch(self, folder: Path) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Fail, as what was written cannot be sent."""
        raise LogdirError("unplugged")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[FakeMount]:
    """A mount of a folder, which is removed."""
    mount = FakeMount(tmp_path / "logs")
    add_mount(mount)
    yield mount
    with contextlib.suppress(LogdirError):
        remove_mounts()


def test_a_path_within_belongs_to_it(mount: FakeMount, tmp_path: Path) -> None:
    """Whatever lies in the directory belongs to the mount, and nothing else does."""
    assert mount is mount_of(mount.root / "toy")
    assert mount_of(tmp_path / "logs2") is None
    assert mount is find_mount("s3://bucket/logs")


def test_a_mount_that_fails_to_close_is_none(mount: FakeMount) -> None:
    """A mount is off the table also where not all was sent, which is said."""
    with pytest.raises(LogdirError, match="unplugged"):
        remove_mounts()

    assert mount_of(mount.root) is None


def test_what_is_said_names_the_url(mount: FakeMount) -> None:
    """Texts name the URL for the directory, also when all is over, and back."""
    with pytest.raises(LogdirError):
        remove_mounts()
    text = in_terms_of_urls(f"logged in {mount.root}/toy")

    assert "logged in s3://bucket/logs/toy" == text
    assert f"logged in {mount.root}/toy" == in_terms_of_paths(text)


def test_sweeps_of_one_second_have_ids_of_their_own(mount: FakeMount) -> None:
    """Where machines share a URL and no disk, an id ends in hex digits; its time is as ever."""
    now = datetime(2026, 11, 21, 7, 34, 5)
    home = experiment_dir(mount.root, "toy")
    first, second = home.create_sweep(lambda: now), home.create_sweep(lambda: now)

    assert first.id != second.id
    assert re.fullmatch(r"2026-11-21_07-34-05-[0-9a-f]{4}", first.id)
    assert now.astimezone() == first.start_time == parse_time(first.id, now.astimezone())


def test_only_a_url_is_taken_over(tmp_path: Path) -> None:
    """On one machine the system knows who holds a sweep, and there is nothing to take over."""
    with pytest.raises(UsageError, match="--take_over is for a log directory that is a URL"):
        take_over(tmp_path)


def test_a_lock_holds_elsewhere_too(mount: FakeMount) -> None:
    """Who holds a sweep's lock holds the mount's as well."""
    sweep_dir = experiment_dir(mount.root, "toy").create_sweep()
    with lock.sweep_lock(sweep_dir):
        held = [*mount.held]

    assert ([sweep_dir.id], []) == (held, mount.held)


def test_what_is_held_elsewhere_is_held(mount: FakeMount) -> None:
    """A sweep that another machine runs is one that runs."""
    sweep_dir = SweepDir(mount.root / "toy" / "2026-11-21_07-34-05")
    mount.taken = {sweep_dir.id}

    assert lock.is_held(sweep_dir)
    assert not lock.is_held(SweepDir(sweep_dir.path.with_name("2026-11-21_07-34-06")))
