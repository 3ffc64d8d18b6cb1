"""Every path in a log directory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.errors import LogdirError, UnknownExperimentError
from hparams_lab.logdir.layout import (
    ExperimentDir,
    RunDir,
    SweepDir,
    archive_of,
    experiment_dir,
    find_experiments,
)
from hparams_lab.runs.trial import make_trial

START = datetime(2026, 11, 21, 7, 34, 5)
SWEEP_IDS = ["2026-11-20_18-00-00", "2026-11-21_07-34-05", "2026-11-21_09-00-00"]
TRIAL_ID = make_trial(7, Assignment({"units": 16})).id


def make_home(tmp_path: Path, *sweep_ids: str) -> ExperimentDir:
    """Return the directory of an experiment with sweeps of those ids."""
    home = experiment_dir(tmp_path / "logs", "digits")
    for sweep_id in sweep_ids:
        (home.path / sweep_id).mkdir(parents=True)
        (home.path / sweep_id / "sweep.json").touch()
    return home


@pytest.mark.parametrize(
    ("repeat", "fold", "name"),
    [(0, None, "r00"), (12, None, "r12"), (0, 3, "r00f03"), (100, 100, "r100f100")],
)
def test_a_run_directory_says_what_the_run_is(
    repeat: int, fold: int | None, name: str, tmp_path: Path
) -> None:
    """Sweep, trial, repeat and fold are read off the path."""
    run_dir = SweepDir(tmp_path / SWEEP_IDS[0]).run_dir(TRIAL_ID, repeat=repeat, fold=fold)

    assert RunDir(tmp_path / SWEEP_IDS[0] / TRIAL_ID / name, repeat, fold) == run_dir
    assert (SWEEP_IDS[0], TRIAL_ID) == (run_dir.sweep_id, run_dir.trial_id)


def test_runs_are_found_as_they_were_made(tmp_path: Path) -> None:
    """Names parse back, by trial and then by run; other files and folders are no runs."""
    sweep = SweepDir(tmp_path / SWEEP_IDS[0])
    trials = [make_trial(i, Assignment({"i": i}), max_trials=10**5).id for i in (1, 0, 10_000)]
    made = [
        sweep.run_dir(trial, repeat=repeat, fold=fold)
        for trial in sorted(trials)
        for repeat, fold in [(0, None), (0, 1), (1, None), (12, 34)]
    ]
    for run_dir in reversed(made):
        run_dir.path.mkdir(parents=True)
    for other in (f"{trials[0]}/rXX", f"{trials[0]}/r0", f"{trials[0]}/r00.tmp", "notes/r00"):
        (sweep.path / other).mkdir(parents=True)
    (sweep.path / trials[0] / "r77").touch()

    assert made == list(sweep.find_run_dirs())


def test_an_empty_sweep_has_no_runs(tmp_path: Path) -> None:
    """A sweep that has no directory yet has no runs."""
    assert list(SweepDir(tmp_path / SWEEP_IDS[0]).find_run_dirs()) == []


def test_event_files_are_listed_in_tensorboards_order(tmp_path: Path) -> None:
    """Event files go by name; what a run printed and why it failed are none."""
    run_dir = RunDir(tmp_path)
    names = ["events.out.tfevents.1.a", "events.out.tfevents.2.a"]
    for path in (*(tmp_path / name for name in reversed(names)), run_dir.output_file):
        path.touch()
    run_dir.failure_file.touch()

    assert names == [path.name for path in run_dir.event_files]


def begin(home: ExperimentDir, now: Callable[[], datetime]) -> SweepDir:
    """Make a sweep's directory and its file, as a launch does."""
    sweep = home.create_sweep(now)
    sweep.sweep_file.touch()
    return sweep


def ticking(*offsets_secs: float) -> Iterator[datetime]:
    """Yield START plus each of the offsets."""
    return iter([START + timedelta(seconds=offset) for offset in offsets_secs])


def test_a_sweep_is_named_after_its_start(tmp_path: Path) -> None:
    """A new sweep has a directory of its own and an id that can be found again."""
    home = make_home(tmp_path)
    sweep = begin(home, lambda: START)

    assert sweep.path.is_dir()
    assert sweep.id == "2026-11-21_07-34-05"
    assert [sweep] == home.find_sweeps()


def test_sweeps_sort_by_their_start(tmp_path: Path) -> None:
    """Ids sort as times do, across seconds, days and years."""
    home = make_home(tmp_path)
    times = [START + timedelta(seconds=seconds) for seconds in (-(10**9), -1, 0, 10**5, 10**9)]
    made = [begin(home, lambda time=time: time) for time in reversed(times)]

    assert made[::-1] == home.find_sweeps()


def test_two_sweeps_of_one_second_have_two_ids(tmp_path: Path) -> None:
    """The later of two sweeps waits for the next second."""
    home = make_home(tmp_path)
    clock = ticking(0, 0.2, 0.9, 1.1)
    first, second = (begin(home, lambda: next(clock)) for _ in range(2))

    assert [first, second] == home.find_sweeps()
    assert "2026-11-21_07-34-06" == second.id


def test_a_log_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """A file in the place of the log directory is an error with the way out."""
    (tmp_path / "logs").write_text("")
    with pytest.raises(LogdirError, match=r"cannot write to the log directory: .*--logdir"):
        make_home(tmp_path).create_sweep(lambda: START)


def test_a_file_in_the_place_of_a_sweep_is_reported(tmp_path: Path) -> None:
    """A file of the sweep's name does not make the launch wait for ever."""
    home = make_home(tmp_path)
    home.path.mkdir(parents=True)
    (home.path / SWEEP_IDS[1]).touch()
    with pytest.raises(LogdirError, match=r"must be a directory\. Move it away"):
        home.create_sweep(lambda: START)


def test_sweeps_are_found_oldest_first(tmp_path: Path) -> None:
    """Sweeps go by their ids; other folders and files are no sweeps."""
    home = make_home(tmp_path, *reversed(SWEEP_IDS), "archive", f"{SWEEP_IDS[0]}.tmp")
    (home.path / "2026-01-01_00-00-00").touch()

    assert SWEEP_IDS == [sweep.id for sweep in home.find_sweeps()]


@pytest.mark.parametrize("prefix", ["2026-11-20", "2026-11-21_07", SWEEP_IDS[2]])
def test_a_sweep_is_found_by_the_beginning_of_its_id(prefix: str, tmp_path: Path) -> None:
    """As much of an id as is unique is enough."""
    found = make_home(tmp_path, *SWEEP_IDS).find_sweep(prefix)

    assert found.id.startswith(prefix)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("2026-11-21", f"sweep '2026-11-21' is ambiguous: {', '.join(SWEEP_IDS[1:])}."),
        ("", f"is ambiguous: {', '.join(SWEEP_IDS)}. Name one of them."),
        (
            "2026-11-21_07-34-06",
            f"has no sweep '2026-11-21_07-34-06'. Did you mean '{SWEEP_IDS[1]}",
        ),
        ("zzz", f"experiment 'digits' has no sweep 'zzz'. It has {', '.join(SWEEP_IDS)}."),
    ],
    ids=["two", "all", "misspelt", "unknown"],
)
def test_no_or_many_sweeps_are_reported(prefix: str, message: str, tmp_path: Path) -> None:
    """A prefix of none or of several is answered with the ids there are."""
    home = make_home(tmp_path, *SWEEP_IDS)
    with pytest.raises(UnknownExperimentError, match=re.escape(message)):
        home.find_sweep(prefix)


def test_a_sweep_that_is_being_made_is_not_found(tmp_path: Path) -> None:
    """A directory without sweep.json does not hide the sweeps beside it."""
    home = make_home(tmp_path, *SWEEP_IDS)
    home.create_sweep(lambda: START + timedelta(days=9))

    assert SWEEP_IDS == [sweep.id for sweep in home.find_sweeps()]


def test_an_experiment_without_sweeps_has_none(tmp_path: Path) -> None:
    """Where nothing was logged, nothing is found, and that is said."""
    home = make_home(tmp_path)

    assert home.find_sweeps() == []
    with pytest.raises(UnknownExperimentError, match=r"has no sweep '2026'\. It has none\."):
        home.find_sweep("2026")


@pytest.mark.parametrize("name", ["a b", "it's", 'a"b', "größe 数", "a.b", "%s", "[x]*"])
def test_odd_names_are_found_again(name: str, tmp_path: Path) -> None:
    """Spaces, quotes and any script are fine in the names of logdir and experiment."""
    logdir = tmp_path / f"logs of {name}"
    home = experiment_dir(logdir, name)
    run_dir = begin(home, lambda: START).run_dir(TRIAL_ID, fold=2)
    run_dir.path.mkdir(parents=True)

    assert [home] == find_experiments(logdir)
    assert name == home.name
    assert [run_dir] == list(home.find_sweeps()[0].find_run_dirs())


def test_experiments_are_those_with_a_sweep(tmp_path: Path) -> None:
    """Experiments are listed by name; empty and hidden folders and files are none."""
    for path in (f"b/{SWEEP_IDS[0]}", f"a/{SWEEP_IDS[0]}", "empty", f".hidden/{SWEEP_IDS[0]}"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "sweep.json").touch()
    (tmp_path / "file").touch()

    assert [experiment_dir(tmp_path, name) for name in ("a", "b")] == find_experiments(tmp_path)
    assert find_experiments(tmp_path / "gone") == []


def test_a_relative_logdir_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths do not depend on where later code happens to stand."""
    monkeypatch.chdir(tmp_path)

    assert tmp_path / "logs" / "digits" == experiment_dir("logs", "digits").path
    assert experiment_dir(Path("logs"), "digits").config_file.is_absolute()


def test_the_archive_is_laid_out_as_the_log_directory(tmp_path: Path) -> None:
    """An experiment and its archive lead to each other, and the archive is no experiment."""
    home = make_home(tmp_path, SWEEP_IDS[0])
    archive = home.archive
    (archive.path / SWEEP_IDS[1]).mkdir(parents=True)
    (archive.path / SWEEP_IDS[1] / "sweep.json").touch()

    assert home == archive.origin
    assert (False, True) == (home.is_archive, archive.is_archive)
    assert [archive] == find_experiments(archive_of(tmp_path / "logs"))
    assert [home] == find_experiments(tmp_path / "logs")


def test_a_sweep_says_what_describes_it(tmp_path: Path) -> None:
    """Intent and code of a sweep are told from its lock and its trials, the intent last."""
    sweep = SweepDir(tmp_path / SWEEP_IDS[0])
    (sweep.path / TRIAL_ID).mkdir(parents=True)
    for path in (sweep.sweep_file, sweep.source_file(1), sweep.diff_file(), sweep.lock_file):
        path.touch()

    assert [sweep.source_file(1), sweep.diff_file(), sweep.sweep_file] == sweep.description_files
    assert [sweep.path / TRIAL_ID] == sweep.trial_dirs
