"""What changes behind the cache's back is seen, and what is not the cache's stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hparams_lab.events.read.cache import DIR_VARIABLE
from hparams_lab.events.read.reader import read_runs
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run

LONG_AGO = 1_500_000_000.0
SWEEP = make_sweep()


@pytest.fixture
def sweep_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepDir:
    """A sweep of one old run."""
    monkeypatch.setenv(DIR_VARIABLE, str(tmp_path / "cache"))
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), SWEEP)
    write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.1}), {"accuracy": [0.5]})
    for path in [sweep_dir.path, *sweep_dir.path.rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return sweep_dir


def test_other_files_beside_the_cache_stay(sweep_dir: SweepDir, tmp_path: Path) -> None:
    """Old files of the user stay in a directory that is named for the cache."""
    thesis = tmp_path / "cache" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.touch()
    os.utime(thesis, (LONG_AGO, LONG_AGO))
    read_runs(sweep_dir, SWEEP.space)

    assert thesis.exists()


def test_a_directory_whose_time_was_set_back_is_listed_anew(sweep_dir: SweepDir) -> None:
    """A run that came before the directory's time was copied from elsewhere is found."""
    read_runs(sweep_dir, SWEEP.space)
    write_run(make_spec(sweep_dir, {"units": 16, "rate": 0.1}, index=1), {"accuracy": [0.5]})
    os.utime(sweep_dir.path, (LONG_AGO, LONG_AGO))

    assert 2 == len(read_runs(sweep_dir, SWEEP.space))


def test_a_file_that_was_mended_is_damaged_no_more(sweep_dir: SweepDir) -> None:
    """A good copy written into a damaged file, as cp does, takes the damage away."""
    (file,) = next(sweep_dir.find_run_dirs()).event_files
    good = file.read_bytes()
    file.write_bytes(good[:-30] + b"x" + good[-29:])
    os.utime(file, (LONG_AGO, LONG_AGO))
    (damaged,) = read_runs(sweep_dir, SWEEP.space)
    file.write_bytes(good)
    os.utime(file, (LONG_AGO, LONG_AGO))
    (mended,) = read_runs(sweep_dir, SWEEP.space)

    assert damaged.damage
    assert "" == mended.damage


def test_damage_is_placed_in_the_whole_file(sweep_dir: SweepDir) -> None:
    """What is said of a damaged record that was appended is what a fresh reader says."""
    (file,) = next(sweep_dir.find_run_dirs()).event_files
    read_runs(sweep_dir, SWEEP.space)
    size = file.stat().st_size
    with file.open("ab") as stream:
        stream.write(b"no record" * 9)
    (run,) = read_runs(sweep_dir, SWEEP.space)

    assert f"byte {size} " in run.damage
