"""An open dashboard while sweeps come and go: what somebody sees who only watches."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.testing.executors import wait_until
from tests.browser.conftest import open_dashboard, read_table

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# How long a new sweep may take from its first run to the browser.
PATIENCE_MS = 15_000

HEADER = "tf-hparams-table-view vaadin-grid-cell-content"

TOY = """
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

EXPERIMENT = lab.Experiment(
    name="toy",
    hparams=[{hparams}],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=lambda run: {{"loss": float(run.hparams["units"])}},
)
"""
UNITS = 'HParam("units", Discrete([8, 16]))'
OPTIMIZER = 'HParam("optimizer", Discrete(["adam", "sgd"]))'


def words_of(folder: Path, *hparams: str) -> list[str]:
    """Write the experiment with some hparams and return the command line of its sweep."""
    path = folder / "toy.py"
    path.write_text(TOY.format(hparams=", ".join(hparams)))
    words = ["run", str(path), f"--logdir={folder / 'logs'}", "--executor=inline"]
    return [sys.executable, "-m", "hparams_lab", *words]


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Return the directory of an experiment with a sweep of two trials."""
    subprocess.run(words_of(tmp_path, UNITS), check=True, capture_output=True)
    return ExperimentDir(tmp_path / "logs" / "toy")


@pytest.fixture
def page(browser: Browser, home: ExperimentDir) -> Iterator[Page]:
    """Return its HParams tab, opened before anything else happens."""
    with open_dashboard(browser, home) as page:
        yield page


def headers(page: Page) -> list[str]:
    """Return the table's headers, from left to right."""
    return [cell.text for cell in read_table(page)[0]]


def test_wider_sweep_appears_by_itself(page: Page, home: ExperimentDir, tmp_path: Path) -> None:
    """A real sweep with a new axis is in the open page 15 s after its first run, column and rows.

    Nobody touches the page.
    """
    before = headers(page)
    with subprocess.Popen(words_of(tmp_path, UNITS, OPTIMIZER), stdout=subprocess.DEVNULL):
        wait_until(lambda: len(home.find_sweeps()) == 2, timeout_secs=60)
        newest = home.find_sweeps()[-1]
        wait_until(lambda: any(newest.find_run_dirs()), timeout_secs=60)
        cells = page.locator(HEADER)
        cells.get_by_text("optimizer", exact=True).first.wait_for(timeout=PATIENCE_MS)
        cells.get_by_text(newest.id).nth(3).wait_for(timeout=PATIENCE_MS)

    assert "optimizer" not in before
    assert ["optimizer", "units"] == headers(page)[2:4]
    assert len(read_table(page)) == 1 + 2 + 4


def test_archived_trial_disappears_by_itself(
    page: Page, home: ExperimentDir, tmp_path: Path
) -> None:
    """A trial whose directory is moved away leaves the open page."""
    run_dir = next(home.find_sweeps()[0].find_run_dirs())
    gone = page.locator(HEADER).get_by_text(run_dir.trial_id).first
    gone.wait_for()
    shutil.move(run_dir.path.parent, tmp_path / "archived")
    gone.wait_for(state="hidden", timeout=PATIENCE_MS)

    assert len(read_table(page)) == 1 + 1


def test_new_runs_join_the_charts(browser: Browser, home: ExperimentDir, tmp_path: Path) -> None:
    """In an open Time Series tab, too, the runs of a new sweep appear by themselves."""
    rows = "runs-data-table tb-data-table-content-row"
    with open_dashboard(browser, home) as page:
        page.goto(page.url.replace("#hparams", "#timeseries"))
        page.locator(rows).nth(2).wait_for()
        subprocess.run(words_of(tmp_path, UNITS, OPTIMIZER), check=True, capture_output=True)
        page.locator(rows).nth(2 + 4).wait_for(timeout=PATIENCE_MS)
