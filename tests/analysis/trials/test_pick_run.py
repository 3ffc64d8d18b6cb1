from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.analysis.trials.pick_run import pick_run
from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run


def write_repeats(spec: RunSpec, count: int) -> None:
    """Write a trial of so many runs."""
    for repeat in range(count):
        run_dir = type(spec.dir)(spec.dir.path.with_name(f"r{repeat:02d}"), repeat)
        write_run(RunSpec(run_dir, spec.assignment, repeat, 3, "none"), {"accuracy": [0.5]})


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Two trials of two runs on Friday, one of one on Saturday, and one of another experiment."""
    friday = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep(FRIDAY))
    saturday = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep(SATURDAY))
    other = add_sweep(
        ExperimentDir(tmp_path / "other toy"), make_sweep("2026-11-22_10-00-00", experiment="other")
    )
    for index, units in enumerate((8, 16)):
        write_repeats(make_spec(friday, {"units": units, "rate": 0.1}, index=index), 2)
    write_repeats(make_spec(saturday, {"units": 8, "rate": 0.1}), 1)
    write_repeats(make_spec(other, {"units": 16, "rate": 0.1}), 11)
    return tmp_path


def first_trial(logdir: Path, sweep_id: str = FRIDAY) -> str:
    """Return the id of the first trial of a sweep of `toy`."""
    return sorted(path.name for path in (logdir / "toy" / sweep_id).glob("0*"))[0]


@pytest.mark.parametrize(
    ("word", "sweep_id", "run", "num_others"),
    [
        ("toy/2026-11-20_18-00-00/0000/r01", FRIDAY, "r01", 0),
        ("toy/2026-11-20/0000/r01", FRIDAY, "r01", 0),
        ("2026-11-20/0000/r01", FRIDAY, "r01", 0),
        ("2026-11-20/0000", FRIDAY, "r00", 1),
        ("2026-11-20/0000/", FRIDAY, "r00", 1),
        ("2026-11-21/0", SATURDAY, "r00", 0),
        ("oth/2026/0000/r10", "2026-11-22_10-00-00", "r10", 0),
        ("2026-11-22/0/r10", "2026-11-22_10-00-00", "r10", 0),
    ],
)
def test_ids_and_their_beginnings_name_a_run(
    logdir: Path, word: str, sweep_id: str, run: str, num_others: int
) -> None:
    """Experiment and run may be left out; a trial stands for its first run."""
    picked = pick_run(logdir, word)

    assert (sweep_id, run) == (picked.record.dir.sweep_id, picked.record.dir.path.name)
    assert (sweep_id, num_others) == (picked.sweep.id, len(picked.others))


@pytest.mark.parametrize("tail", ["/r01", "/r01/", ""], ids=["run", "with a slash", "trial"])
def test_a_path_names_a_run(logdir: Path, monkeypatch: pytest.MonkeyPatch, tail: str) -> None:
    """The path of a run's directory, or its trial's, needs no logdir."""
    monkeypatch.chdir(logdir / "toy")
    word = f"../toy/{FRIDAY}/{first_trial(logdir)}{tail}"
    picked = pick_run(Path("/nowhere"), word)

    assert (FRIDAY, "r01" if tail else "r00") == (picked.sweep.id, picked.record.dir.path.name)


def test_the_name_of_a_run_picks_it_again(logdir: Path) -> None:
    """What a run is called is a word for it."""
    picked = pick_run(logdir, "2026-11-22/0/r10")

    assert picked.record.dir == pick_run(logdir, picked.name).record.dir


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("2026-11-20/000", "trial '2026-11-20/000' is ambiguous: toy/.*/0000-.*, toy/.*/0001-"),
        ("2026/0000", "is ambiguous: other toy/2026-11-22.*, toy/2026-11-20.*, toy/2026-11-21"),
        ("2026-11-20/0000/r", "run '2026-11-20/0000/r' is ambiguous: r00, r01. Name one"),
        ("2026-11-20/0000/r02", "has no run 'r02' that can be read. Did you mean 'r01'."),
        ("2026-11-20/0007", "no trial '0007' in 2026-11-20_18-00-00. It has 0000-"),
        ("2026-11-20/0000-1efb0213", "no trial .* Did you mean '0000-1efb0212'?"),
        ("2025/0000", "there is no sweep '2025', as '2025/0000' says. It has 2026-11-22"),
        ("toi/2026/0000", "there is no experiment 'toi' in .* Did you mean 'toy'?"),
    ],
)
def test_words_that_name_no_single_run_are_refused(logdir: Path, word: str, message: str) -> None:
    """Where a word fits none or several, the error names what there is."""
    with pytest.raises(UnknownExperimentError, match=message):
        pick_run(logdir, word)


@pytest.mark.parametrize("word", ["", "/", "0000", "a/b/c/d/e", "2026//r00", "toy/2026-11-20/"])
def test_words_of_another_form_are_refused(logdir: Path, word: str) -> None:
    """The error says how a run is named."""
    with pytest.raises(
        (UsageError, UnknownExperimentError), match=r"SWEEP/TRIAL|no run of a sweep"
    ):
        pick_run(logdir, word)


@pytest.mark.parametrize("depth", ["toy", f"toy/{FRIDAY}", "."])
def test_other_directories_are_no_runs(logdir: Path, depth: str) -> None:
    """The path of an experiment or a sweep names no run."""
    with pytest.raises(UnknownExperimentError, match="is the directory of no run of a sweep"):
        pick_run(logdir, str(logdir / depth))


def test_an_empty_logdir_is_named(tmp_path: Path) -> None:
    """Where nothing is logged, the error says where it looked."""
    with pytest.raises(UnknownExperimentError, match=f"nothing is logged in {tmp_path}"):
        pick_run(tmp_path, "2026/0000")


def test_a_trial_that_never_began_has_no_run(logdir: Path) -> None:
    """A directory without a session start is no run."""
    for file in (logdir / "toy" / SATURDAY).glob("*/*/*tfevents*"):
        file.write_bytes(b"")

    with pytest.raises(UnknownExperimentError, match="has no readable run"):
        pick_run(logdir, "2026-11-21/0")
