"""A real Chromium, and the dashboard's table as somebody sees it there."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from hparams_lab.logdir.layout import ExperimentDir
from tests.support.servers import read_url, running

# Wide enough for the five hparams and the metrics that the table shows by default.
WIDTH, HEIGHT = 1960, 920

_TIMEOUT_MS = 60_000
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)

# The texts of the table's rows, and how much of each is not cut off. The grid draws as many
# rows as fit, in any order of elements, each cell in a slot.
_READ_ROWS = """
grid => {
    const visible = cell => {
        const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        while (text.nextNode() && !text.currentNode.data.trim());
        const box = text.currentNode.parentElement.getBoundingClientRect();
        const range = document.createRange();
        range.selectNodeContents(text.currentNode);
        for (let end = text.currentNode.length; end > 0; end--) {
            range.setEnd(text.currentNode, end);
            if (range.getBoundingClientRect().right <= box.right)
                return text.currentNode.data.slice(0, end).trim();
        }
        return "";
    };
    const cellsOf = row => [...row.children]
        .filter(cell => !cell.part.contains("details-cell"))
        .map(cell => cell.querySelector("slot").assignedNodes()[0]);
    const rows = [...grid.shadowRoot.querySelectorAll("#header tr, #items tr:not([hidden])")];
    return rows
        .map(row => [row.getBoundingClientRect().top, cellsOf(row)])
        .sort(([top], [otherTop]) => top - otherTop)
        .map(([_, cells]) => cells.map(cell => [cell.innerText.trim(), visible(cell)]));
}
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a Chromium; without one the test is skipped, but fails in CI."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        reason = "there is no chromium; install it or set CHROMIUM to its path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield chromium
        chromium.close()


@dataclass(frozen=True)
class Cell:
    """A cell of the table.

    Attributes:
        text: its whole text.
        visible: what the width of its column leaves of it.
    """

    text: str
    visible: str


def read_table(page: Page) -> list[list[Cell]]:
    """Return the rows that are drawn, the headers first, cells from left to right."""
    rows = page.locator("tf-hparams-table-view vaadin-grid").evaluate(_READ_ROWS)
    return [[Cell(*cell) for cell in row] for row in rows]


@contextlib.contextmanager
def open_dashboard(browser: Browser, home: ExperimentDir) -> Iterator[Page]:
    """Serve an experiment by `hparams_lab dashboard` and open the HPARAMS tab."""
    words: Sequence[str] = ["dashboard", home.name, f"--logdir={home.path.parent}", "--port=0"]
    with running([sys.executable, "-m", "hparams_lab", *words]) as process:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{read_url(process)}/#hparams")
        trial_ids = page.locator("tf-hparams-table-view .table-cell", has_text="@")
        trial_ids.first.wait_for(timeout=_TIMEOUT_MS)
        yield page
        page.close()
