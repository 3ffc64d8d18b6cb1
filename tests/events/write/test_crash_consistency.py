"""Whenever a writer is killed, every reader gets a prefix of what was written."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.events.read.reader import RunRecord, read_run, read_runs
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.testing.executors import wait_until
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.oracle import read_scalars
from tests.support.servers import TensorBoardServer, running_tensorboard

NUM_WRITERS = 40
NUM_POINTS = 5
ROOT = Path(__file__).parents[3]
SWEEP = make_sweep()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The event file of a run that was not killed."""
    spec = make_spec(SweepDir(tmp_path_factory.mktemp("toy") / SWEEP.id), {"units": 8})
    write_run(spec, {"loss": [float(number) for number in range(NUM_POINTS)]})
    return spec.dir.event_files[0].read_bytes()


def read_cut(content: bytes, cut: int, folder: Path) -> tuple[RunRecord | None, Path]:
    """Return a run that was cut off, as it is read, and its directory."""
    spec = make_spec(SweepDir(folder / SWEEP.id), {"units": 8})
    spec.dir.make()
    (spec.dir.path / "events.out.tfevents.1.cut").write_bytes(content[:cut])
    return read_run(spec.dir, SWEEP.space), spec.dir.path


def test_every_cut_leaves_a_prefix(whole: bytes, tmp_path: Path) -> None:
    """At whatever byte a file ends, the first points are read; only a whole one has an end."""
    for cut in range(len(whole) + 1):
        record, _ = read_cut(whole, cut, tmp_path)
        curve = record.curves.get("loss") if record else None
        steps = curve.steps if curve else []

        assert list(range(len(steps))) == steps
        assert (cut == len(whole)) == (record is not None and record.status is Status.SUCCESS)


@settings(deadline=None, max_examples=40)
@given(share=st.floats(0.0, 1.0))
def test_tensorboard_reads_the_same_prefix(
    share: float, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """TensorBoard's loader in Python gets the points that we get, of a file cut anywhere."""
    record, folder = read_cut(whole, int(share * len(whole)), tmp_path_factory.mktemp("cut"))
    curve = record.curves.get("loss") if record else None

    assert (curve.steps if curve else []) == list_steps(folder)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> SweepDir:
    """A sweep whose runs were each killed at a random moment."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path_factory.mktemp("logs") / "toy"), SWEEP)
    words = [
        sys.executable,
        "-m",
        "tests.support.killed_writers",
        str(sweep_dir.path),
        str(NUM_WRITERS),
    ]
    subprocess.run([*words, "17"], check=True, cwd=ROOT, timeout=120)
    return sweep_dir


def list_steps(folder: Path) -> list[int]:
    """Return the steps that TensorBoard's loader in Python has of a run."""
    try:
        return [step for step, _, _ in read_scalars(folder)["loss"]]
    except KeyError:  # as it says of a run that has not a single one
        return []


def count_points(sweep_dir: SweepDir) -> dict[str, int]:
    """Return how many points we read of each run, by its name below the sweep."""
    records = read_runs(sweep_dir, SWEEP.space)
    return {
        str(record.dir.path.relative_to(sweep_dir.path)): record.metrics["loss"].num_points
        for record in records
        if "loss" in record.metrics
    }


@pytest.mark.slow
def test_killed_writers_leave_prefixes(killed: SweepDir) -> None:
    """Each file holds the first points and no end; at most its last record is cut short.

    That happens where a record lies across two pages, between which the system kills.
    """
    records = read_runs(killed, SWEEP.space)
    damages = {run.damage.partition(": ")[2] for run in records}

    assert NUM_WRITERS == sum(len(run_dir.event_files) for run_dir in killed.find_run_dirs())
    assert damages <= {"", "its last record is cut short."}
    for run in records:
        assert run.ending is None
        steps = run.curves["loss"].steps if "loss" in run.curves else []
        assert [*range(len(steps))] == steps
    assert len({*count_points(killed).values()}) > NUM_WRITERS / 2, "all died at one moment"


@pytest.mark.slow
def test_tensorboard_reads_killed_writers_alike(killed: SweepDir) -> None:
    """The loader in Python gets as many points of each run as we do."""
    found = {name: len(list_steps(killed.path / name)) for name in count_points(killed)}

    assert count_points(killed) == found


def ask_for_last(server: TensorBoardServer) -> dict[str, tuple[int, float]]:
    """Return step and value of the last point that the real program has of each run."""
    runs = _get(f"{server.url}/data/plugin/scalars/tags")
    last = {}
    for name, tags in runs.items():
        if "loss" in tags:
            asked = urllib.parse.urlencode({"tag": "loss", "run": name})
            _, step, value = _get(f"{server.url}/data/plugin/scalars/scalars?{asked}")[-1]
            last[name] = (step, value)
    return last


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as response:
        return json.load(response)


@pytest.mark.slow
@pytest.mark.parametrize("load_fast", [True, False], ids=["fast", "python"])
def test_the_dashboard_reads_killed_writers_alike(load_fast: bool, killed: SweepDir) -> None:
    """The last point that the real program comes to of each run is the last that we have."""
    expected = {name: (number - 1, number - 1) for name, number in count_points(killed).items()}
    with running_tensorboard(killed.path, load_fast=load_fast) as server:
        wait_until(lambda: ask_for_last(server) == expected, timeout_secs=120)

        assert expected == ask_for_last(server)
