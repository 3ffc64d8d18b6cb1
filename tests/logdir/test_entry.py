"""What lies in an experiment's directory is found by its ids, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.errors import HParamsLabError, UnknownExperimentError, UsageError
from hparams_lab.logdir.entry import Entry, drop_nested, find_entry
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.support.factories import FRIDAY, SATURDAY

TRIALS = ("0000-aaaaaaaa", "0001-bbbbbbbb")


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps of two trials with two runs each, and a folder that is none of ours."""
    home = experiment_dir(tmp_path / "logs", "toy")
    for sweep in (FRIDAY, SATURDAY):
        for trial in TRIALS:
            for run in ("r00", "r00a1"):
                (home.path / sweep / trial / run).mkdir(parents=True)
        (home.path / sweep / "sweep.json").touch()
    (home.path / "from torch" / "run@1").mkdir(parents=True)
    home.config_file.touch()
    return home


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("2026-11-20", (FRIDAY,)),
        (f"{FRIDAY}/", (FRIDAY,)),
        ("2026-11-21/0001", (SATURDAY, TRIALS[1])),
        ("2026-11-21/0001-bbbbbbbb/r00", (SATURDAY, TRIALS[1], "r00")),
        ("2026-11-20/0000/r00a", (FRIDAY, TRIALS[0], "r00a1")),
        (f"{TRIALS[0]}@{SATURDAY}", (SATURDAY, TRIALS[0])),
        ("from torch/run@1", ("from torch", "run@1")),
    ],
    ids=["beginning", "slash", "trial", "exact run", "attempt", "trial id", "foreign"],
)
def test_words_name_entries(word: str, parts: tuple[str, ...], home: ExperimentDir) -> None:
    """Ids, their beginnings, the dashboard's Trial ID and exact foreign paths are understood."""
    assert Entry(home, parts) == find_entry(home, word)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("2026-11", "sweep '2026-11' is ambiguous: 2026-11-20_18-00-00, 2026"),
        ("2026-11-20/00", "trial '00' is ambiguous"),
        ("2026-11-20/0000/x", "'0000-aaaaaaaa' has no run 'x', as in '2026-11-20/0000/x'"),
        ("from", "'toy' has no sweep 'from'"),
        ("0001-bbbbbbbb", "Name a trial with its sweep: SWEEP/0001-bbbbbbbb"),
        ("", "'toy' has no sweep ''"),
        ("2026-11-20//r00", "has no trial ''"),
    ],
)
def test_what_is_not_clear_is_reported(word: str, message: str, home: ExperimentDir) -> None:
    """What names nothing, or several things, is answered with what there is."""
    with pytest.raises(UnknownExperimentError, match=message):
        find_entry(home, word)


@pytest.mark.parametrize(
    "word",
    [f"{FRIDAY}/sweep.json", "events.out.tfevents.0000000000.hparams_config"],
    ids=["description", "config"],
)
def test_a_sweeps_own_files_are_not_entries(word: str, home: ExperimentDir) -> None:
    """What all the rest depends on cannot be named by itself."""
    with pytest.raises(UsageError, match="must be a sweep, a trial or a run"):
        find_entry(home, word)


@settings(deadline=None, max_examples=50)
@given(parts=st.lists(st.sampled_from(["..", ".", "", "~", "*", FRIDAY, TRIALS[0]]), max_size=6))
def test_no_word_leads_out(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A word that is understood names something below the experiment's directory."""
    logdir = tmp_path_factory.mktemp("logs")
    home = experiment_dir(logdir, "toy")
    (home.path / FRIDAY / TRIALS[0]).mkdir(parents=True)
    try:
        entry = find_entry(home, "/".join(parts))
    except HParamsLabError:
        return

    assert os.path.normpath(entry.path) == str(entry.path)
    assert entry.path.is_relative_to(home.path / FRIDAY)


def test_an_entry_within_another_goes_with_it(home: ExperimentDir) -> None:
    """Of a sweep and one of its trials only the sweep is left, and each thing once."""
    words = ["2026-11-20/0000/r00", "2026-11-20", "2026-11-21/0001", "2026-11-20"]
    left = drop_nested([find_entry(home, word) for word in words])

    assert [FRIDAY, f"{SATURDAY}/{TRIALS[1]}"] == [entry.id for entry in left]
