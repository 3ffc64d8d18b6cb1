"""Scanning in several processes comes to what scanning in one does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from hparams_lab.events.read import cache
from hparams_lab.events.read.cache import scan_all
from hparams_lab.events.read.scan import Scan, scan_files
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run


@pytest.fixture
def runs(tmp_path: Path) -> list[list[str]]:
    """Return the event files of seven runs, the last of which is gone."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep())
    specs = [make_spec(sweep_dir, {"units": 8, "rate": 0.3}, index=index) for index in range(6)]
    for spec in specs:
        write_run(spec, {"accuracy": [0.5], "größe": [float("nan")]})
    return [*([str(path) for path in spec.dir.event_files] for spec in specs), ["/no/such/file"]]


def encode(scans: Iterable[Scan]) -> str:
    """Return scans as text, by which NaN is equal to NaN."""
    return json.dumps([scan.encode_json() for scan in scans])


@pytest.mark.slow
def test_processes_come_to_the_same(runs: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are shared out among processes come back in their order, whole."""
    monkeypatch.setattr(cache, "_RUNS_PER_PROCESS", 3)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")

    assert 2 == cache._choose(len(runs))
    assert encode(map(scan_files, runs)) == encode(scan_all(runs))


@pytest.mark.slow
def test_a_process_that_dies_is_stood_in_for(
    runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed process would have read is read by this one."""
    start = cache._start

    def start_and_kill(share: list[list[str]]) -> subprocess.Popen[bytes]:
        process = start(share)
        process.kill()
        return process

    monkeypatch.setattr(cache, "_RUNS_PER_PROCESS", 3)
    monkeypatch.setattr(cache, "_start", start_and_kill)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")

    assert encode(map(scan_files, runs)) == encode(scan_all(runs))


def test_few_runs_take_one_process() -> None:
    """A thousand runs are read in the time that another process takes to begin."""
    assert 1 == cache._choose(1_000)
