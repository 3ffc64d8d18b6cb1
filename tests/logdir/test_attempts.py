"""A second attempt at a run: a directory of its own, and the first one out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.logdir.layout import SweepDir
from tests.support.factories import SATURDAY

TRIAL_ID = "0007-3f2a9c1b"


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """A sweep's directory."""
    return SweepDir(tmp_path / SATURDAY)


@pytest.mark.parametrize(
    ("fold", "names"),
    [(None, ["r01", "r01a1", "r01a2"]), (3, ["r01f03", "r01f03a1", "r01f03a2"])],
    ids=["repeat", "fold"],
)
def test_attempts_are_counted(fold: int | None, names: list[str], sweep_dir: SweepDir) -> None:
    """The next attempt at a run is the same repeat and fold, in a directory of its own."""
    first = sweep_dir.run_dir(TRIAL_ID, repeat=1, fold=fold)
    second = first.next_attempt()
    attempts = [first, second, second.next_attempt()]

    assert names == [run.path.name for run in attempts]
    assert [(1, fold, 0), (1, fold, 1), (1, fold, 2)] == [
        (run.repeat, run.fold, run.attempt) for run in attempts
    ]


def test_attempts_are_found(sweep_dir: SweepDir) -> None:
    """Each attempt is found as it was made."""
    first = sweep_dir.run_dir(TRIAL_ID, fold=2)
    made = [first, first.next_attempt(), sweep_dir.run_dir(TRIAL_ID, fold=2, attempt=12)]
    for run_dir in made:
        run_dir.path.mkdir(parents=True)

    assert sorted(made) == list(sweep_dir.find_run_dirs())


def test_a_superseded_run_has_no_event_files(sweep_dir: SweepDir) -> None:
    """Its event files are kept under names that no reader takes; other files stay."""
    run_dir = sweep_dir.run_dir(TRIAL_ID)
    run_dir.path.mkdir(parents=True)
    names = ["events.out.tfevents.1.host", "events.out.tfevents.1.host.end", "output.log"]
    for name in names:
        (run_dir.path / name).write_text(name)
    run_dir.supersede()

    assert [] == run_dir.event_files
    assert {name.replace("tfevents", "superseded"): name for name in names} == {
        path.name: path.read_text() for path in run_dir.path.iterdir()
    }


def test_superseding_twice_is_superseding(sweep_dir: SweepDir) -> None:
    """A run that is out of sight stays as it is."""
    run_dir = sweep_dir.run_dir(TRIAL_ID)
    run_dir.path.mkdir(parents=True)
    (run_dir.path / "events.out.tfevents.1.host").touch()
    run_dir.supersede()
    before = list(run_dir.path.iterdir())
    run_dir.supersede()

    assert before == list(run_dir.path.iterdir())
