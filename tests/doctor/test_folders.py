"""What the doctor finds in a log directory that is no whole sweep of ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hparams_lab.doctor.checks.folders import find_foreign_runs
from hparams_lab.doctor.doctor import mend
from hparams_lab.events.write.config import write_config
from hparams_lab.logdir.archive import move
from hparams_lab.logdir.entry import find_entry
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import FRIDAY
from tests.support.locks import another_holds
from tests.support.sick_logdir import find, kinds, make_healthy, make_old, sweep_of, write_session

FOREIGN_DATA = Path(__file__).parents[1] / "events" / "data"


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps that nothing is wrong with."""
    return make_healthy(tmp_path / "logs")


def test_an_unreadable_sweep_is_found_and_archived(home: ExperimentDir) -> None:
    """A sweep.json that is none is named, and the sweep can be archived without reading it."""
    sweep_of(home).sweep_file.write_text("{}")
    found = find(home, "unreadable sweep")
    move([find_entry(home, FRIDAY)])
    write_config(home)

    assert f"{FRIDAY}/sweep.json does not describe a sweep" in found.problem
    assert FRIDAY in found.advice
    assert [] == kinds(home)


def test_a_sweep_without_its_file_is_found(home: ExperimentDir) -> None:
    """Runs of which no sweep.json tells are named, and kept."""
    sweep_of(home).sweep_file.unlink()
    make_old(sweep_of(home).path)
    found = find(home, "sweep without sweep.json")

    assert found.mend is None
    assert [sweep_of(home).path] == [*found.paths]


def test_a_sweep_that_begins_is_left_alone(home: ExperimentDir) -> None:
    """A directory that was just made, or is held, may yet get its sweep.json."""
    new, held = (sweep_of(home, f"2026-11-2{day}_00-00-00") for day in (3, 4))
    for sweep_dir in (new, held):
        sweep_dir.path.mkdir()
    with another_holds(held):
        make_old(held.path)
        assert [] == kinds(home)


def test_an_empty_sweep_is_removed(home: ExperimentDir) -> None:
    """A directory that a killed launch left empty goes."""
    empty = sweep_of(home, "2026-11-19_00-00-00")
    empty.path.mkdir()
    make_old(empty.path)
    mend([find(home, "sweep without sweep.json")])

    assert not empty.path.exists()


@pytest.mark.parametrize(
    "place",
    [
        "toy/.config-1.tmp",
        f"toy/{FRIDAY}/sweep.tmp",
        f"toy/{FRIDAY}/.sweep.json-{'0a' * 16}.tmp",
        ".trash/abc",
    ],
)
def test_leftovers_are_removed(place: str, home: ExperimentDir) -> None:
    """Temporary files, and what was half deleted, go, unless they may still be in use."""
    path = home.path.parent / place
    if place.startswith(".trash"):
        shutil.copytree(home.path, path)
    else:
        path.touch()
    assert [] == kinds(home)
    make_old(path)
    mend([find(home, "leftover")])

    assert not path.exists()
    assert [] == kinds(home)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("hp_api", "the hp.hparams API"),
        ("hp_keras", "Keras callback"),
        ("keras_tuner", "Keras Tuner's TensorBoard callback"),
        ("pytorch", "add_hparams: a sub-run"),
        ("tensorboardx", "add_hparams: a sub-run"),
        ("ray_tune", "Ray Tune"),
    ],
)
def test_runs_of_other_tools_are_recognized(layout: str, words: str, tmp_path: Path) -> None:
    """Which tool wrote runs is said, and which command reads them."""
    root = shutil.copytree(FOREIGN_DATA / layout, tmp_path / layout)
    findings = list(find_foreign_runs(root))

    assert any(words in finding.problem for finding in findings)
    assert all(f"hparams_lab export {root}" in finding.advice for finding in findings)


def test_rays_files_tell_its_runs(tmp_path: Path) -> None:
    """A result.json beside a session says that Ray Tune wrote it."""
    write_session(tmp_path / "trial", {"lr": 0.1})
    (tmp_path / "trial" / "result.json").touch()

    assert "Ray Tune's logger" in next(find_foreign_runs(tmp_path)).problem


def test_foreign_runs_among_ours_are_found(home: ExperimentDir) -> None:
    """A run of another tool below an experiment is named, with the command to move it."""
    write_session(home.path / "from torch" / "1", {"units": 8, "rate": 0.1})

    assert "archive toy 'from torch/1'" in find(home, "foreign runs").advice


def test_more_event_files_than_may_be_open_are_found(home: ExperimentDir) -> None:
    """More event files than the system lets a process open are counted, with the way out."""
    assert "too many event files" not in kinds(home, file_limit=100)
    assert "too many event files" in kinds(home, file_limit=64)


def test_a_file_of_the_user_is_no_leftover(tmp_path: Path) -> None:
    """Files and directories that others called .tmp stay."""
    home = make_healthy(tmp_path)
    (home.path / "notes.tmp").touch()
    make_old(home.path / "notes.tmp")

    assert [] == kinds(home)
