"""Log directories that are opened by the library: folders, and URLs."""

from __future__ import annotations

import shlex
from pathlib import Path

import optuna
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import hparams_lab as lab
from hparams_lab.cli.logdir import format_command
from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.logdir.layout import SweepDir, experiment_dir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.logdir.mounts import mount_of, remove_mount
from hparams_lab.remote.holders import Holders
from hparams_lab.remote.logdir import mount_url
from hparams_lab.remote.opened import opened
from hparams_lab.remote.store import Store
from tests.support.trees import SWEEP


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", str(tmp_path / "cache"))


def test_a_folder_is_itself(tmp_path: Path) -> None:
    """A path is opened as it is, and nothing is mounted."""
    with opened(tmp_path, writes=True) as folder:
        assert tmp_path == folder
        assert mount_of(folder) is None


def test_a_url_in_a_path_is_refused() -> None:
    """`pathlib.Path` takes a slash out of a URL; that makes no folder `s3:`."""
    with pytest.raises(UsageError, match="as after pathlib"):
        lab.read_runs(Path("s3://bucket/logs"))


def test_a_command_on_a_url_can_be_typed(store: Store) -> None:
    """A URL with a space in it is quoted in the commands that are to be typed next."""
    with opened(f"{store.url} 2/logs") as folder:
        command = format_command(["show", "toy"], folder)

    assert ["hparams_lab", "show", "toy", f"--logdir={store.url} 2/logs"] == shlex.split(command)


def test_what_was_sent_meanwhile_is_there(store: Store) -> None:
    """Whoever takes a sweep has all of it, also what came since the log directory was opened."""
    with opened(store.url, writes=True) as folder:
        store.write(f"{SWEEP}/sweep.json", b"ended")
        (folder / SWEEP).mkdir(parents=True)
        with sweep_lock(SweepDir(folder / SWEEP)):
            assert b"ended" == (folder / SWEEP / "sweep.json").read_bytes()


def test_what_is_written_is_sent(store: Store) -> None:
    """What is written into a URL is there once it is closed, and it is mounted no longer."""
    with opened(store.url, writes=True) as folder:
        (folder / "a").write_text("content")
        mount = mount_of(folder)

    assert b"content" == store.read("a")
    assert mount is not None
    assert mount_of(folder) is None


def test_a_url_that_is_open_is_opened_once(store: Store) -> None:
    """Within, the same URL is the same folder, and is sent as it is closed for good."""
    with opened(store.url, writes=True) as outer:
        with opened(store.url) as inner:
            (inner / "a").touch()

        assert outer == inner
        assert mount_of(outer) is not None

    assert {"a"} == {*store.list()}


def test_who_reads_sends_nothing_of_its_own(store: Store) -> None:
    """What is opened for reading is not watched, and its losses are not sent."""
    store.write("a", b"content")
    with opened(store.url) as folder:
        (folder / "a").unlink()

    assert {"a"} == {*store.list()}


def test_leftovers_are_sent_by_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be sent is kept, is said to be, and is sent by whoever comes next."""
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "put_file", _raise)
        patch.setattr("hparams_lab.remote.logdir._LAST_SECS", 0.0)
        with pytest.raises(LogdirError, match=r"logs/a: Conn.* All of it is kept in .*cache"):
            _write_a(store.url)
    with opened(store.url):
        pass

    assert {"a"} == {*store.list()}


def test_an_interrupt_before_all_is_sent_is_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not wait for the last upload is told where everything is."""
    monkeypatch.setattr(MemoryFileSystem, "put_file", _interrupt)
    with pytest.warns(UserWarning, match="All of it is kept in"), pytest.raises(KeyboardInterrupt):
        _write_a(store.url)


def _interrupt(*arguments: object) -> None:
    raise KeyboardInterrupt


def _write_a(url: str) -> None:
    with opened(url, writes=True) as folder:
        (folder / "a").touch()


def _raise(*arguments: object) -> None:
    raise ConnectionError("unplugged")


def test_a_reader_that_cannot_write_reads(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may only read is told of leftovers, and reads all the same."""
    with opened(store.url) as folder:
        (folder / "left").touch()
    store.write("a", b"content")
    monkeypatch.setattr(MemoryFileSystem, "put_file", _raise)
    with pytest.warns(UserWarning, match="not sent before"), opened(store.url) as folder:
        assert "content" == (folder / "a").read_text()


def test_what_is_put_aside_is_reported(store: Store) -> None:
    """Where another's file stands for ours, it is said where ours is."""
    with opened(store.url, writes=True) as folder:
        (folder / "a").write_text("mine")
        store.write("a", b"yours")
        mount = mount_of(folder)
        assert mount is not None
        with pytest.warns(UserWarning, match=r"was put aside: .*aside"):
            mount.refresh()  # type: ignore[attr-defined]


def test_a_url_that_cannot_be_reached_is_not_mounted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failure the next one tries again."""
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "find", _raise)
        with pytest.raises(LogdirError, match=f"cannot use {store.url}"):
            lab.read_runs(store.url)

    assert 0 == len(lab.read_runs(store.url))


def test_a_sweep_that_was_taken_over_is_not_sent(store: Store) -> None:
    """Who was taken for dead, and is not, sends nothing more of the sweep, and says so."""
    other = Holders(store, "another machine")
    mount = mount_url(store.url, warn=lambda sentence: None)
    mount.write()
    sweep_dir = experiment_dir(mount.root, "toy").create_sweep()
    with sweep_lock(sweep_dir):
        other.acquire(f"toy/{sweep_dir.id}", take_over=True)
        mount.beat()
        sweep_dir.sweep_file.write_text("mine")
    with pytest.raises(LogdirError, match=f"has taken toy/{sweep_dir.id} over"):
        remove_mount(mount)

    assert [f".leases/toy/{sweep_dir.id}/000{number}" for number in (1, 2)] == [*store.list()]


@pytest.mark.slow
def test_a_study_is_imported_into_a_url(store: Store) -> None:
    """What other tools found is logged to a URL as to a folder."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="parabola")
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0) ** 2, n_trials=3)
    lab.interop.optuna.import_study(study, store.url)

    assert 3 == len(lab.read_runs(store.url, "parabola"))
