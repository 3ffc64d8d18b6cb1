"""The real TensorBoard on a view: whole at every start, and right while the runs change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hparams_lab.dashboard.view.view import View, open_view
from tests.support.oracle import Board
from tests.support.servers import TensorBoardServer, running_tensorboard
from tests.support.story import (
    HPARAM_COLUMNS,
    METRIC_COLUMNS,
    NUM_RUNS,
    all_trial_ids,
    write_friday,
    write_other,
    write_saturday,
    write_story,
)

pytestmark = pytest.mark.slow

NUM_STARTS = int(os.environ.get("NUM_STARTS", "3"))  # ten were right when this was built

both_loaders = pytest.mark.parametrize("load_fast", [True, False], ids=["fast", "python"])


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log directory with two experiments and three sweeps that nobody changes."""
    folder = tmp_path_factory.mktemp("story")
    write_story(folder)
    return folder


@pytest.fixture(scope="module")
def view(logdir: Path) -> Iterator[View]:
    """Return a view of all of them."""
    with open_view(logdir) as view:
        yield view


@pytest.mark.parametrize("start", [f"start {number}" for number in range(1, NUM_STARTS + 1)])
@both_loaders
def test_every_start_shows_all(load_fast: bool, start: str, view: View, logdir: Path) -> None:
    """Each start has all columns in their order, all rows, and no two trials in one."""
    with running_tensorboard(view.path, load_fast=load_fast) as server:
        board = server.wait_for(lambda board: board.has_ended(NUM_RUNS))

    assert HPARAM_COLUMNS == board.hparams
    assert HPARAM_COLUMNS[:4] == board.differing
    assert METRIC_COLUMNS == board.metrics
    assert all_trial_ids(logdir) == board.trial_ids
    assert [1] * NUM_RUNS == [len(group.sessions) for group in board.session_groups]


def shows(server: TensorBoardServer, columns: list[str], num_rows: int) -> Board:
    """Return what is shown once there are these hparam columns and so many ended rows."""
    return server.wait_for(lambda board: columns == board.hparams and board.has_ended(num_rows))


@both_loaders
def test_changes_are_followed(load_fast: bool, tmp_path: Path) -> None:
    """Without a restart a wider sweep is shown, then another experiment; what goes is gone."""
    one, several = ["rate", "units", "commit", "day", "sweep"], HPARAM_COLUMNS
    wider = ["optimizer", *one]
    write_friday(tmp_path)
    with open_view(tmp_path) as view, running_tensorboard(view.path, load_fast=load_fast) as server:
        shows(server, one, 2)
        saturday = write_saturday(tmp_path)
        shows(server, wider, 4)
        other = write_other(tmp_path)
        assert all_trial_ids(tmp_path) == shows(server, several, 6).trial_ids
        saturday.path.rename(tmp_path / "archived")
        shows(server, [name for name in several if name != "optimizer"], 4)
        shutil.rmtree(other.path)
        assert ["0.1", "0.5"] == [f"{rate:g}" for rate in rates_of(shows(server, one, 2))]


def rates_of(board: Board) -> list[float]:
    """Return the numbers in the column of rates, sorted."""
    return sorted(board.values(trial_id)["rate"] for trial_id in board.trial_ids)


@both_loaders
def test_superseded_attempt_is_replaced(load_fast: bool, tmp_path: Path) -> None:
    """When an attempt gives way to another, its trial shows that one alone."""
    run_dir = next(write_friday(tmp_path).find_run_dirs())
    with open_view(tmp_path) as view, running_tensorboard(view.path, load_fast=load_fast) as server:
        before = server.wait_for(lambda board: board.has_ended(2))
        again = run_dir.next_attempt()
        shutil.copytree(run_dir.path, again.path)
        run_dir.supersede()
        after = server.wait_for(
            lambda board: ",r00a1" in str(board.session_groups) and board.has_ended(2)
        )

    assert before.trial_ids == after.trial_ids
