"""What somebody sees who opens the HPARAMS tab of a sweep, without a click."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser

from hparams_lab.logdir.layout import ExperimentDir
from tests.browser.conftest import Cell, open_dashboard, read_table
from tests.conftest import InlineLauncher
from tests.support.dashboard_modules import SEVEN
from tests.support.oracle import read_board

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDir:
    """Return an experiment with a finished sweep: seven hparams, of which five are swept."""
    return InlineLauncher(tmp_path_factory.mktemp("seven"))(SEVEN)


@pytest.fixture(scope="module")
def table(browser: Browser, home: ExperimentDir) -> list[list[Cell]]:
    """Return the table's rows as Chromium draws them, the headers first."""
    with open_dashboard(browser, home) as page:
        return read_table(page)


def texts(cells: Sequence[Cell]) -> list[str]:
    """Return the whole texts of some cells."""
    return [cell.text for cell in cells]


def test_first_five_columns_are_the_swept_ones(table: list[list[Cell]]) -> None:
    """The five hparams that are shown are the five that were swept, constants are not."""
    assert ["kappa", "mu", "nu", "omega", "zeta"] == texts(table[0][2:7])


def test_metrics_come_after_them_the_objective_first(table: list[list[Cell]]) -> None:
    """All metrics are shown under their display names, what is sought before the rest."""
    assert ["Accuracy", "loss"] == texts(table[0][7:])


def test_no_cell_is_empty(table: list[list[Cell]]) -> None:
    """Every row has its values and its metrics."""
    empty = [row for row in table[1:] for cell in (row[0], *row[2:]) if not cell.text]

    assert len(table) > 20
    assert not empty


def test_rows_are_the_trials(table: list[list[Cell]], home: ExperimentDir) -> None:
    """The rows are the sweep's trials in their order, each with its sweep and its trial's id."""
    ids = texts([row[0] for row in table[1:]])
    (sweep_dir,) = home.find_sweeps()
    trials = sorted(run_dir.trial_id for run_dir in sweep_dir.find_run_dirs())

    assert read_board(home.path).trial_ids[: len(ids)] == ids
    assert all(sweep_dir.id in shown and t in shown for shown, t in zip(ids, trials, strict=False))


def test_trial_ids_can_be_read(table: list[list[Cell]], home: ExperimentDir) -> None:
    """The narrow column of Trial IDs shows each trial's own id, not what all have in common."""
    visible = [row[0].visible for row in table[1:]]
    (sweep_dir,) = home.find_sweeps()
    trials = sorted(run_dir.trial_id for run_dir in sweep_dir.find_run_dirs())

    assert trials[: len(visible)] == [shown[: len(trials[0])] for shown in visible]
