"""What the doctor finds wrong with what runs say of themselves."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from hparams_lab.events.write.writer import open_writer
from hparams_lab.logdir.archive import move
from hparams_lab.logdir.entry import find_entry
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import FRIDAY
from tests.support.oracle import read_board
from tests.support.sick_logdir import find, kinds, make_healthy, write_session


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps that nothing is wrong with."""
    return make_healthy(tmp_path / "logs")


def advised(home: ExperimentDir, kind: str) -> str:
    """Return the id that the advice for a finding of a kind tells to archive."""
    words = find(home, kind).advice.split()
    return words[words.index("archive") + 2]


def test_mixed_types_are_found(home: ExperimentDir) -> None:
    """An hparam that is a text in one run and a number in others is named, with that run."""
    write_session(home.path / "other", {"units": "many", "rate": 0.1})
    found = find(home, "mixed types")

    assert "'units' is a number in 4 and text in 1 of the runs" in found.problem
    assert [home.path / "other"] == [*found.paths]
    assert advised(home, "mixed types") == "other"


@pytest.mark.parametrize("value", [math.nan, math.inf], ids=str)
def test_an_hparam_that_is_not_finite_is_found(value: float, home: ExperimentDir) -> None:
    """NaN and infinity are named, and TensorBoard has no such cell."""
    write_session(home.path / "other", {"units": 8, "rate": value}, group="other")
    found = find(home, "hparam not finite")

    assert "'rate' is NaN or infinite in 1 run: other." in found.problem
    assert "rate" not in read_board(home.path).values("other")


def test_a_copied_sweep_is_found(home: ExperimentDir) -> None:
    """A sweep that was copied shares its rows; archiving what the advice names parts them."""
    shutil.copytree(home.path / FRIDAY, home.path / "2026-11-22_00-00-00")
    merged = [len(group.sessions) for group in read_board(home.path).session_groups]
    word = advised(home, "shared Trial ID")
    move([find_entry(home, word)])

    assert ([1, 1, 2, 2], "2026-11-22_00-00-00") == (sorted(merged), word)
    assert [1] * 4 == [len(group.sessions) for group in read_board(home.path).session_groups]
    assert "shared Trial ID" not in kinds(home)


def test_a_trial_id_with_two_assignments_is_found(home: ExperimentDir) -> None:
    """Runs of one Trial ID and different hparams are named."""
    for name, rate in (("a", 0.1), ("b", 0.2)):
        write_session(home.path / "other" / name, {"units": 8, "rate": rate}, group="mine")
    found = find(home, "shared Trial ID")

    assert (
        "Runs of more than one trial share 1 Trial ID: mine; 1 run too many: other/b."
        in found.problem
    )


def test_repeats_share_their_trial_id(home: ExperimentDir) -> None:
    """Runs of one trial are one row, as they should be, and runs without an ID one each."""
    for name in ("a", "b"):
        write_session(home.path / "other" / name, {"units": 8, "rate": 0.1}, group="mine")
    for rate in (0.1, 0.2):
        write_session(home.path / f"loose {rate}", {"units": 8, "rate": rate})

    assert "shared Trial ID" not in kinds(home)


def test_a_run_name_that_begins_like_a_sessions_is_found(home: ExperimentDir) -> None:
    """A run without hparams beside a session, with its name as a beginning, is named."""
    write_session(home.path / "spare", {"units": 8, "rate": 0.1})
    (home.path / "spare-eval").mkdir()
    with open_writer(home.path / "spare-eval" / "events.out.tfevents.1") as writer:
        writer.write_scalar("accuracy", 0.5, 0)

    assert "begins with 'spare'" in find(home, "run name prefix").problem


def test_sessions_that_begin_alike_are_told_apart(home: ExperimentDir) -> None:
    """A session whose name begins another's is no problem: TensorBoard takes the longest."""
    for name in ("run1", "run10", "run1/train"):
        write_session(home.path / name, {"units": 8, "rate": 0.1})

    assert "run name prefix" not in kinds(home)


def test_steps_that_are_too_large_are_found(home: ExperimentDir) -> None:
    """A step beyond 31 bits, at which TensorBoard's table fails, is found, and archived away."""
    points = {"accuracy": [(0, 0.5), (2**31, 0.6)]}
    write_session(home.path / "other", {"units": 8, "rate": 0.1}, scalars=points)
    assert "'accuracy' of other" in find(home, "steps too large").problem
    with pytest.raises(ValueError, match="out of range"):
        read_board(home.path)
    move([find_entry(home, advised(home, "steps too large"))])

    assert len(read_board(home.path).session_groups) == 4
    assert [] == kinds(home)


def test_steps_that_go_back_are_found(home: ExperimentDir) -> None:
    """A tag whose steps fall is named with its run."""
    points = {"accuracy": [(0, 0.5), (5, 0.6), (2, 0.7)], "loss": [(0, 1.0), (0, 0.5)]}
    write_session(home.path / "other", {"units": 8, "rate": 0.1}, scalars=points)

    assert find(home, "steps go back").problem == "Steps go back in 'accuracy' of other."
