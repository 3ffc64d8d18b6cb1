"""The links that `hparams_lab dashboard` prints, followed in a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.servers import running
from tests.support.story import NUM_RUNS, write_story

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_TIMEOUT_MS = 60_000

# The name and the colour of each run in the list beside the charts.
READ_COLORS = """
() => [...document.querySelectorAll("runs-data-table tb-data-table-content-row")].map(row =>
    [row.innerText.trim(), row.querySelector(".run-color-swatch")?.style.background])
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve two experiments and return the links that are printed, by their titles."""
    logdir = tmp_path_factory.mktemp("story")
    write_story(logdir)
    words = [sys.executable, "-m", "hparams_lab", "dashboard", f"--logdir={logdir}", "--port=0"]
    with running(words) as process:
        yield dict(read_links(process))


def read_links(process: subprocess.Popen[str]) -> Iterator[tuple[str, str]]:
    """Yield title and URL of each link, until the last line that is printed at first."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.fullmatch(r"(.*): (http://\S+)\n", line):
            yield found[1], found[2]
        if line.startswith("Ctrl-C"):
            return


def read_colors(browser: Browser, url: str) -> dict[str, str]:
    """Follow a link and return the colour of each run by its name, and check the pinned card."""
    page: Page = browser.new_page(viewport={"width": 1800, "height": 1000})
    page.goto(url)
    rows = page.locator("runs-data-table tb-data-table-content-row")
    rows.nth(NUM_RUNS).wait_for(timeout=_TIMEOUT_MS)  # the columns are a run, too
    page.locator("metrics-pinned-view scalar-card").first.wait_for(timeout=_TIMEOUT_MS)
    assert "accuracy" in page.locator("metrics-pinned-view").inner_text()
    colors = {name: color for name, color in page.evaluate(READ_COLORS) if "/" in name}
    page.close()
    return colors


def by_group(colors: dict[str, str], pattern: str) -> dict[str, set[str]]:
    """Return the colours of the runs by what a pattern captures of their names."""
    groups: dict[str, set[str]] = {}
    for name, color in colors.items():
        found = re.search(pattern, name)
        groups.setdefault(found[1] if found else "", set()).add(color)
    return groups


def test_days_have_colours_of_their_own(browser: Browser, links: dict[str, str]) -> None:
    """By day: runs of one day share a colour, days differ, the objective is pinned."""
    groups = by_group(read_colors(browser, links["Time Series by day"]), r"(\d{4}-\d\d-\d\d)_")

    assert {"2026-11-20", "2026-11-21"} == {*groups}
    assert [1, 1] == [len(colors) for colors in groups.values()]
    assert len(set.union(*groups.values())) == 2


def test_optimizers_have_colours_of_their_own(browser: Browser, links: dict[str, str]) -> None:
    """By the first swept word: runs of one value share a colour, values differ."""
    groups = by_group(read_colors(browser, links["Time Series by optimizer"]), r",optimizer=(\w+)")

    assert {"adam", "sgd", ""} == {*groups}
    assert len(groups["adam"]) == len(groups["sgd"]) == 1
    assert len(set.union(*groups.values())) == 3
