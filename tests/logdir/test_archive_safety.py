"""Whatever happens, nothing is lost, halved, or touched that was not named."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.logdir import trash
from hparams_lab.logdir.archive import check, delete, move
from hparams_lab.logdir.entry import Entry
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.archived_experiment import contents, find, list_runs, make_home
from tests.support.factories import FRIDAY, SATURDAY
from tests.support.locks import another_holds


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps of two trials, of one run each."""
    return make_home(tmp_path / "logs")


@pytest.mark.parametrize("action", [move, delete])
@pytest.mark.parametrize("word", ["2026-11-20", "2026-11-20/0001/r00"])
def test_a_running_sweep_stays(action: object, word: str, home: ExperimentDir) -> None:
    """While a process runs a sweep, neither it nor a part of it is archived or deleted."""
    before = contents(home)
    with (
        another_holds(SweepDir(home.path / FRIDAY)),
        pytest.raises(LogdirError, match=f"another is running {FRIDAY}"),
    ):
        action(find(home, "2026-11-21", word))  # type: ignore[operator]

    assert before == contents(home)


@pytest.mark.parametrize("moves", [True, False], ids=["move", "delete"])
def test_what_would_be_refused_can_be_asked(moves: bool, home: ExperimentDir) -> None:
    """A check says that a sweep is running, and makes no lock for one that never was."""
    entries = find(home, "2026-11-20")
    check(entries, moves=moves)
    assert not SweepDir(home.path / FRIDAY).lock_file.exists()
    refused = pytest.raises(LogdirError, match=f"another is running {FRIDAY}")
    with another_holds(SweepDir(home.path / FRIDAY)), refused:
        check(entries, moves=moves)


def test_nothing_is_restored_into_a_running_sweep(home: ExperimentDir) -> None:
    """A sweep that runs does not get trials it knows nothing of."""
    move(find(home, "2026-11-20/0001"))
    refused = pytest.raises(LogdirError, match=f"another is running {FRIDAY}")
    with another_holds(SweepDir(home.path / FRIDAY)), refused:
        move(find(home.archive, "2026-11-20"))


def test_what_is_deleted_is_out_of_sight_first(
    home: ExperimentDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies while it removes files leaves nothing half in the log directory."""

    def die(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trash, "empty", die)
    with pytest.raises(KeyboardInterrupt):
        delete(find(home, "2026-11-20"))

    assert [SATURDAY] == [sweep_dir.id for sweep_dir in home.sweep_dirs]
    assert len([*home.trash_dir.rglob("*tfevents*")]) == 2


@pytest.mark.parametrize("survived", range(4), ids=lambda number: f"dies in rename {number}")
def test_a_killed_move_is_completed_by_the_next(
    survived: int, home: ExperimentDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a process dies, each run is whole on one side, and the same words go on."""
    every = list_runs(home)
    move(find(home, "2026-11-20/0000"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying(survived))
        with contextlib.suppress(KeyboardInterrupt):
            move(find(home, "2026-11-20", "2026-11-21/0001"))
    between = [*list_runs(home), *list_runs(home.archive)]
    move([entry for entry in find(home, "2026-11-21") if entry.path.exists()])
    move([Entry(home, (sweep_dir.id,)) for sweep_dir in home.sweep_dirs])

    assert every == sorted(between)
    assert every == list_runs(home.archive)


def dying(survived: int) -> Callable[[Path, Path], Path]:
    """Return a `Path.rename` that works so many times, and then its process dies."""
    left = [survived]
    rename = Path.rename

    def act(source: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return rename(source, target)

    return act


def test_what_a_link_points_to_stays(home: ExperimentDir, tmp_path: Path) -> None:
    """Of a run that is a link the link is moved and deleted, and still leads where it led."""
    trial = next(iter(home.find_sweep(FRIDAY).trial_dirs))
    elsewhere = tmp_path / "elsewhere"
    (trial / "r00").rename(elsewhere)
    (trial / "r00").symlink_to("../../../../elsewhere")
    word = f"{FRIDAY}/{trial.name}/r00"
    move(find(home, word))
    archived = home.archive.path / word

    assert archived.is_symlink()
    assert elsewhere == archived.resolve()
    delete(find(home.archive, word))
    assert any(elsewhere.iterdir())
    assert not archived.exists()


def test_nothing_behind_a_link_is_touched(home: ExperimentDir, tmp_path: Path) -> None:
    """A trial of a sweep that is a link to elsewhere is refused, by its link."""
    (home.path / FRIDAY).rename(tmp_path / "elsewhere")
    (home.path / FRIDAY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LogdirError, match=f"behind the link .*{FRIDAY}"):
        delete(find(home, "2026-11-20/0000"))

    assert len(list_runs(home)) == 4
