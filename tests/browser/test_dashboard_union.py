"""Two experiments and three sweeps with drifting spaces, as somebody sees them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import HEIGHT, WIDTH, read_table
from tests.support.servers import read_url, running
from tests.support.story import HPARAM_COLUMNS, METRIC_COLUMNS, all_trial_ids, write_story

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NUM_STARTS = int(os.environ.get("NUM_STARTS", "3"))  # ten were right when this was built
TRIAL_IDS = "tf-hparams-table-view .table-cell"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log directory with all three sweeps."""
    folder = tmp_path_factory.mktemp("story")
    write_story(folder)
    return folder


@pytest.mark.parametrize("start", [f"start {number}" for number in range(1, NUM_STARTS + 1)])
def test_every_start_shows_all(start: str, browser: Browser, logdir: Path) -> None:
    """Each start draws the varied columns first, all metrics, and a row for each trial."""
    words = [sys.executable, "-m", "hparams_lab", "dashboard", f"--logdir={logdir}", "--port=0"]
    with running(words) as process:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{read_url(process)}/#hparams")
        trial_ids = all_trial_ids(logdir)
        page.locator(TRIAL_IDS, has_text=trial_ids[-1]).first.wait_for(timeout=60_000)
        header, *rows = [[cell.text for cell in row] for row in read_table(page)]
        page.close()

    assert HPARAM_COLUMNS[:5] == header[2:7]
    assert METRIC_COLUMNS == header[7:]
    assert trial_ids == sorted(row[0] for row in rows)
