"""A view while the log directory changes or is in disorder; and that it changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.dashboard.view.view import View, open_view
from tests.support.factories import FRIDAY
from tests.support.oracle import count_configs, read_board
from tests.support.story import (
    add_run,
    write_friday,
    write_other,
    write_saturday,
    write_story,
)


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return the time and the content of all that lies in a folder."""
    return {
        str(path): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *folder.rglob("*")]
    }


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """The log directory is, byte for byte and time for time, what it was before the view."""
    write_story(tmp_path)
    before = fingerprint(tmp_path)
    with open_view(tmp_path) as view:
        view.look()
        read_board(view.path)

    assert before == fingerprint(tmp_path)
    assert not view.path.exists()


def test_unreadable_sweep_is_told_once_and_left_out(tmp_path: Path) -> None:
    """A sweep.json that is none costs a sentence and that sweep, however often one looks."""
    write_friday(tmp_path)
    (write_saturday(tmp_path).sweep_file).write_text(json.dumps({"format": 1}))
    warnings: list[str] = []
    with open_view(tmp_path, ["toy"], warn=warnings.append) as view:
        view.look()
        ids = read_board(view.path).trial_ids

    assert [FRIDAY] * 2 == [trial_id.partition("@")[2] for trial_id in ids]
    assert len(warnings) == 1
    assert "does not describe a sweep" in warnings[0]


def test_damaged_head_is_told_and_left_out(tmp_path: Path) -> None:
    """A run whose session start is damaged costs a sentence and that run."""
    run_dir = next(write_friday(tmp_path).find_run_dirs())
    content = bytearray(run_dir.event_files[0].read_bytes())
    content[60] ^= 1
    run_dir.event_files[0].write_bytes(content)
    warnings: list[str] = []
    with open_view(tmp_path, ["toy"], warn=warnings.append) as view:
        ids = read_board(view.path).trial_ids

    assert len(ids) == 1
    assert [True] == ["damaged" in warning for warning in warnings]


@pytest.mark.parametrize("name", ["somebody's notes", "2026-11-21_07-34-06", ".archive"])
def test_other_directory_is_passed_over(name: str, tmp_path: Path) -> None:
    """What is no sweep in an experiment's directory is no matter."""
    write_friday(tmp_path)
    (tmp_path / "toy" / name).mkdir()
    with open_view(tmp_path, ["toy"], warn=pytest.fail) as view:
        assert len(view.runs) == 2


@pytest.mark.parametrize("place", ["toy/foreign", "foreign"], ids=["below", "beside"])
def test_runs_of_other_tools_are_told_once(place: str, tmp_path: Path) -> None:
    """Event files that no sweep wrote are left out, and a sentence says what shows them."""
    write_friday(tmp_path)
    (tmp_path / place / "run").mkdir(parents=True)
    (tmp_path / place / "run" / "events.out.tfevents.1.host").touch()
    warnings: list[str] = []
    with open_view(tmp_path, warn=warnings.append) as view:
        view.look()

    assert [f"tensorboard --logdir={tmp_path / place}"] == [
        warning.partition(". ")[2].removesuffix(" does.") for warning in warnings
    ]


def test_new_experiment_joins_a_view_of_all(tmp_path: Path) -> None:
    """An experiment that comes later is shown in a view of all, with its columns."""
    write_friday(tmp_path)
    with open_view(tmp_path) as view:
        before = read_board(view.path)
        write_other(tmp_path)
        view.look()
        after = read_board(view.path)
        num_configs = count_configs(view.path)

    assert "experiment" not in before.hparams
    assert "experiment" in after.hparams
    assert len(after.trial_ids) == 4
    assert num_configs == 1


def test_runs_that_come_and_go_are_followed(tmp_path: Path) -> None:
    """A new run has a row, and one whose directory is gone has none."""
    sweep_dir = write_friday(tmp_path)
    with open_view(tmp_path, ["toy"]) as view:
        state = view.state
        run_dir = add_run(sweep_dir, {"units": 8, "rate": 0.2}, 2)
        view.look()
        with_it = read_board(view.path).trial_ids
        run_dir.path.parent.rename(tmp_path / "away")
        view.look()
        without_it = read_board(view.path).trial_ids

    assert 3 == len(with_it)
    assert 2 == len(without_it)
    assert state == view.state


SWEEPS = {"friday": write_friday, "saturday": write_saturday, "other": write_other}


def snapshot(view: View) -> dict[str, bytes]:
    """Return what TensorBoard finds in a view: each event file's content, by run."""
    found = {
        Path(folder, name).relative_to(view.path): Path(folder, name).read_bytes()
        for folder, _, names in os.walk(view.path, followlinks=True)
        for name in names
    }
    # Columns have another name each time, and the time at which they were written.
    return {str(path): b for path, b in found.items() if "_columns" not in path.parts[0]}


@given(
    steps=st.lists(st.sets(st.sampled_from(sorted(SWEEPS))), min_size=2, max_size=4),
)
@settings(deadline=None, max_examples=15)
def test_view_is_a_function_of_the_log_directory(
    steps: list[set[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However it came about, a view is what a new one of the same log directory is."""
    logdir, away = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("away")
    homes = {name: write(away / name).path for name, write in SWEEPS.items()}
    with open_view(logdir) as view:
        for present in steps:
            for name, path in homes.items():
                place = logdir / path.relative_to(away / name)
                if place.exists() and name not in present:
                    place.rename(path)
                elif name in present and not place.exists():
                    place.parent.mkdir(exist_ok=True)
                    path.rename(place)
            view.look()
            with open_view(logdir) as fresh:
                assert snapshot(fresh) == snapshot(view)
                assert read_board(fresh.path).experiment == read_board(view.path).experiment
