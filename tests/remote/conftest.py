"""Stores in memory and over HTTP, and mirrors of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.cli.main import main
from hparams_lab.remote.mirror import Mirror
from hparams_lab.remote.store import Store
from tests.cli.conftest import MODULE
from tests.support.s3 import S3

MakeMirror = Callable[[str], Mirror]


@pytest.fixture
def store() -> Store:
    """A store in this process's memory, which is empty."""
    return Store(f"memory://{uuid.uuid4().hex}/logs")


@pytest.fixture
def make_mirror(store: Store, tmp_path: Path) -> MakeMirror:
    """Makes a mirror of the store, as on a machine of that name."""
    return lambda machine: Mirror(store, tmp_path / machine)


OnMachine = Callable[..., int]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the experiment `hill`; half of its grid fails."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "hill.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def url(s3: S3) -> str:
    """The URL of an empty log directory on the S3 server."""
    return s3.make_bucket()


@pytest.fixture
def on_machine(workplace: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> OnMachine:
    """Calls the program as on a machine of some name, on that URL; returns its exit code."""

    def call(machine: str, *words: str) -> int:
        monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", str(workplace / machine))
        with pytest.raises(SystemExit) as ended:
            main(argv=[*words, f"--logdir={url}"])
        return int(ended.value.code or 0)

    return call


@pytest.fixture
def swept(on_machine: OnMachine) -> OnMachine:
    """The program, after a sweep of the good half of the grid on the machine `first`."""
    assert 0 == on_machine("first", "run", "hill", "--executor=inline", "--set=kind=good")
    return on_machine
