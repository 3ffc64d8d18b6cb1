"""Runs that write on another machine, and send what they write."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import Workload
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.remote.opened import opened
from hparams_lab.remote.store import Store
from hparams_lab.runs.run import Run
from hparams_lab.sweeps import spool as spooled
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.launch import launch_loaded
from hparams_lab.sweeps.listeners import Listeners
from hparams_lab.sweeps.options import LaunchOptions
from hparams_lab.sweeps.spool import RemoteRun, SpoolingExecutor, execute_remotely
from hparams_lab.sweeps.worker import Loaded
from tests.conftest import WriteModule
from tests.support.factories import SATURDAY, make_spec
from tests.support.resumption import read
from tests.support.trees import read_tree

MODULE = """
    import os

    def train(run):
        print("x is", run.hparams["x"])
        (run.dir / "notes.txt").write_text("mine")
        if run.hparams["x"] == 0.0:
            os._exit(3)
        return {"loss": run.hparams["x"]}

    EXPERIMENT = lab.Experiment(
        name="spooled",
        hparams=[HParam("x", Discrete([0.0, 1.0, 2.0, 3.0]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


@pytest.fixture
def node_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nodes keep what they have not sent."""
    folder = tmp_path / "node"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(spooled, "_OUTPUT_DIR", folder)
    return folder


def _make_executor(workload: Workload) -> ProcessExecutor:
    return ProcessExecutor(workload.setup, workload.work, num_workers=2)


@contextlib.contextmanager
def _launched(write_module: WriteModule, url: str) -> Iterator[SweepDir]:
    """Run a sweep whose runs share no disk with the driver, and yield it while it is mounted."""
    source = write_module(MODULE)
    dirs: list[SweepDir] = []
    with opened(url, writes=True) as folder:
        mount = mount_of(folder)
        assert mount is not None
        workload = Workload(setup=partial(worker.load, source), work=worker.execute)
        with SpoolingExecutor(_make_executor, workload, mount) as executor:
            executor.start()
            launch_loaded(
                source.load(),
                LaunchOptions(logdir=folder),
                executor,
                Listeners(on_start=lambda started: dirs.append(started.sweep_dir)),
                now=lambda: datetime(2026, 11, 21, 7, 34, 5),
            )
        yield dirs[0]


@pytest.mark.slow
def test_runs_elsewhere_end_as_here(
    write_module: WriteModule, tmp_path: Path, node_dir: Path
) -> None:
    """Each run has its end, its values and its output with the driver, and none is left there."""
    with _launched(write_module, f"file://{tmp_path}/store") as sweep_dir:
        records = read(sweep_dir)
        files = read_tree(records[1].dir.path)

    assert [Ending.CRASHED, *[Ending.COMPLETE] * 3] == [record.ending for record in records]
    assert [1.0, 2.0, 3.0] == [record.last_values["loss"] for record in records[1:]]
    assert {"x is 1.0\n", "mine"} <= {*files.values()}
    assert [] == [*node_dir.glob("hparams_lab-*")]


@pytest.mark.slow
def test_what_the_driver_has_is_what_is_there(
    write_module: WriteModule, tmp_path: Path, node_dir: Path
) -> None:
    """After the sweep the driver's mirror and the store hold the same files."""
    url = f"file://{tmp_path}/store"
    with _launched(write_module, url) as sweep_dir:
        root = sweep_dir.path.parent.parent
    here = {name for name in _list_files(root) if not name.endswith(".lock")}

    assert here == {*Store(url).list()}


def _list_files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_an_earlier_attempt_is_gone_on_with(store: Store, tmp_path: Path, node_dir: Path) -> None:
    """What an earlier attempt had saved, on whatever node, is there for the next one."""
    spec = make_spec(SweepDir(tmp_path / "toy" / SATURDAY), {"x": 1.0})
    remote_run = RemoteRun(
        replace(spec, dir=spec.dir.next_attempt()), tmp_path, store.url, 1.0, tmp_path / "printed"
    )
    saved = spec.dir.path.relative_to(tmp_path) / "checkpoint" / "saved"
    store.write(saved.as_posix(), b"41")

    def train(run: Run) -> dict[str, float]:
        return {"loss": 1.0 + int((run.dir.with_name("r00") / "checkpoint" / "saved").read_text())}

    outcome = execute_remotely(Loaded(_declare(train), None), remote_run, lambda message: None)

    assert 42.0 == outcome.metrics["loss"]
    assert [] == [*node_dir.iterdir()]


def test_a_run_that_cannot_be_sent_is_interrupted(
    store: Store, tmp_path: Path, node_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose files do not reach the store stops the sweep, and is made again."""
    spec = make_spec(SweepDir(tmp_path / "toy" / SATURDAY), {"x": 1.0})
    remote_run = RemoteRun(spec, tmp_path, store.url, 1.0, tmp_path / "printed")
    monkeypatch.setattr(MemoryFileSystem, "put_file", _raise)
    monkeypatch.setattr(spooled, "_PATIENCE_SECS", 0.0)
    loaded = Loaded(_declare(lambda run: {"loss": 1.0}), None)
    outcome = execute_remotely(loaded, remote_run, lambda message: None)

    assert Ending.INTERRUPTED is outcome.ending
    assert "unplugged" in outcome.storage_fault


def _raise(*arguments: object) -> None:
    raise ConnectionError("unplugged")


def _declare(train: Callable[[Run], dict[str, float]]) -> Experiment:
    return Experiment(
        name="toy",
        hparams=[HParam("x", Discrete([1.0]))],
        metrics=[Metric("loss")],
        objective=minimize("loss"),
        train=train,
    )
