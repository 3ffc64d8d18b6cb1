"""Sweeps, trials and runs go out of sight, come back, and go for good."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.archive import delete, move
from hparams_lab.logdir.entry import Entry, drop_nested, find_entry
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.archived_experiment import contents, find, list_runs, make_home
from tests.support.factories import FRIDAY, SATURDAY, make_sweep
from tests.support.sick_logdir import write_session


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps of two trials, of one run each."""
    return make_home(tmp_path / "logs")


@pytest.mark.parametrize("word", ["2026-11-20", "2026-11-20/0001", "2026-11-20/0001/r00"])
def test_what_is_archived_is_gone_until_it_is_restored(word: str, home: ExperimentDir) -> None:
    """A sweep, a trial and a run leave whole, can be read in the archive, and come back."""
    before = contents(home)
    num_runs = len(list_runs(home))
    move(find(home, word))
    left, archived = len(list_runs(home)), len(list_runs(home.archive))
    move(find(home.archive, word))

    assert (left, archived) == (num_runs - archived, 2 if word == "2026-11-20" else 1)
    assert before == contents(home)
    assert contents(home.archive) == {}


def test_a_part_of_a_sweep_takes_its_description_along(home: ExperimentDir) -> None:
    """The archive has what says how the sweep came about, which stays where it was, too."""
    move(find(home, "2026-11-20/0000"))

    for each in (home, home.archive):
        sweep_dir = each.find_sweep(FRIDAY)
        assert {"sweep.json", "source.zip"} == {path.name for path in sweep_dir.description_files}


def test_a_sweep_joins_its_parts_in_the_archive(home: ExperimentDir) -> None:
    """What is left of a sweep goes to what was archived of it, with the newer description."""
    move(find(home, "2026-11-20/0000"))
    resumed = make_sweep(FRIDAY, description="resumed")
    resumed.write(SweepDir(home.path / FRIDAY))
    move(find(home, "2026-11-20"))

    assert [SATURDAY] == [sweep_dir.id for sweep_dir in home.sweep_dirs]
    (archived,) = home.archive.find_sweeps()
    assert len([*archived.find_run_dirs()]) == 2
    assert "resumed" in archived.sweep_file.read_text()


def test_a_trial_is_restored_without_its_sweep(home: ExperimentDir) -> None:
    """Of a sweep that was archived whole a single trial comes back, as a sweep again."""
    move(find(home, "2026-11-20"))
    move(find(home.archive, "2026-11-20/0001"))

    assert len([*home.find_sweep(FRIDAY).find_run_dirs()]) == 1
    assert len([*home.archive.find_sweep(FRIDAY).find_run_dirs()]) == 1


@pytest.mark.parametrize("side", ["home", "archive"])
def test_nothing_is_overwritten(side: str, home: ExperimentDir) -> None:
    """A run that is on both sides stays on both, and nothing else of that call moves."""
    move(find(home, "2026-11-20/0000"))
    shutil.copytree(home.archive.path / FRIDAY, home.path / FRIDAY, dirs_exist_ok=True)
    before = contents(home), contents(home.archive)
    with pytest.raises(LogdirError, match=r"nothing is overwritten; 1 of what .*r00\. Leave"):
        move(find(home if side == "home" else home.archive, "2026-11-20"))

    assert before == (contents(home), contents(home.archive))


def test_what_is_deleted_is_gone(home: ExperimentDir) -> None:
    """A deleted sweep and a deleted trial leave nothing, in the trash neither."""
    delete(find(home, "2026-11-20", "2026-11-21/0001"))

    assert len(list_runs(home)) == 1
    assert [home.path] == [*home.path.parent.iterdir()]


def test_archived_things_can_be_deleted(home: ExperimentDir) -> None:
    """What was archived can be deleted there."""
    move(find(home, "2026-11-20"))
    delete(find(home.archive, "2026-11-20"))

    assert home.archive.sweep_dirs == []
    assert len(list_runs(home)) == 2


def test_a_folder_in_a_run_comes_back_into_it(home: ExperimentDir) -> None:
    """What was archived of a run returns with its sweep, as the run's records are not in both."""
    run_dir = next(home.find_sweep(FRIDAY).find_run_dirs())
    write_session(run_dir.path / "1700000000.1", {"units": 8}, has_config=True)
    before = contents(home)
    move([Entry(home, (*run_dir.path.parts[-3:], "1700000000.1"))])
    assert len(contents(home)) == len(before) - 1
    move(find(home.archive, "2026-11-20"))

    assert before == contents(home)
    assert contents(home.archive) == {}


def test_an_emptied_trial_leaves_no_directory(home: ExperimentDir) -> None:
    """When the only run of a trial goes, no empty directory is left for it."""
    move(find(home, "2026-11-20/0001/r00"))

    assert len(home.find_sweep(FRIDAY).trial_dirs) == 1


@settings(deadline=None, max_examples=15)
@given(
    groups=st.lists(
        st.lists(st.sampled_from(range(6)), min_size=1, max_size=3), min_size=1, max_size=4
    )
)
def test_moves_there_and_back_change_nothing(
    groups: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is archived, in whatever order and parts, all is as before once it is back."""
    home = make_home(tmp_path_factory.mktemp("logs"))
    before = contents(home)
    trials = [
        Entry(home, run.path.parts[-3:-1]) for s in home.find_sweeps() for run in s.find_run_dirs()
    ]
    entries = [*trials, Entry(home, (FRIDAY,)), Entry(home, (SATURDAY,))]
    for group in groups:
        move(drop_nested(entries[i] for i in group if entries[i].path.exists()))
    move([Entry(home.archive, (sweep_dir.id,)) for sweep_dir in home.archive.sweep_dirs])

    assert before == contents(home)


def test_a_description_is_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many trials of a sweep go, its own files are copied once."""
    home = make_home(tmp_path)
    copied: list[str] = []
    copy = shutil.copy2
    monkeypatch.setattr(shutil, "copy2", lambda *a: (copied.append(a[0].name), copy(*a)))
    trials = [path.name for path in home.find_sweeps()[0].trial_dirs]
    move([find_entry(home, f"{FRIDAY}/{trial}") for trial in trials])

    assert ["source.zip", "sweep.json"] == copied


def test_a_failed_delete_leaves_no_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be moved away leaves nothing behind in the trash."""
    home = make_home(tmp_path)
    monkeypatch.setattr(Path, "rename", _refuse)
    with pytest.raises(LogdirError, match="cannot move"):
        delete([find_entry(home, FRIDAY)])

    assert not home.trash_dir.exists()


def _refuse(*_: object) -> None:
    raise OSError(18, "Invalid cross-device link")
