"""A report as somebody opens it, offline."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.factories import FRIDAY, SATURDAY
from tests.support.plot_trials import log_points

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE_WIDTH = 390


@dataclass
class Opened:
    """A page that was opened, and what it did meanwhile.

    Attributes:
        page: in Chromium.
        requests: addresses that it asked for, but its own and those that hold their content.
        complaints: what it wrote to the console, and errors of its script.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of two days, written by the program; two of the runs failed."""
    folder = tmp_path_factory.mktemp("report")
    log_points(
        folder / "logs",
        sweep_ids=(FRIDAY, SATURDAY),
        curve=(0.1, 0.2, 0.3),
        failed=lambda index: index == 3,
        description="Is <b>this</b> bold?",
    )
    words = [sys.executable, "-m", "hparams_lab", "report", "toy"]
    subprocess.run(words, cwd=folder, check=True)
    return folder / "toy.html"


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Opened]:
    """Return the report as Chromium shows it, from the file, without a network."""
    context = browser.new_context(offline=True)
    seen = Opened(context.new_page())
    address = file.as_uri()
    seen.page.on(
        "request",
        lambda request: (
            None
            if request.url == address or request.url.startswith("data:")
            else seen.requests.append(request.url)
        ),
    )
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.goto(address)
    yield seen
    context.close()


def read_column(page: Page, header: str) -> list[str]:
    """Return the texts of a column of the table of trials, from above."""
    headers = page.locator("#trials th").all_inner_texts()
    place = [text.split()[0] for text in headers].index(header) + 1
    return page.locator(f"#trials tbody td:nth-child({place})").all_inner_texts()


def test_nothing_leaves_the_page_and_nothing_complains(opened: Opened) -> None:
    """The page asks for nothing, and its policy has nothing to refuse."""
    opened.page.locator("#trials th button").first.click()

    assert ([], []) == (opened.requests, opened.complaints)


def test_all_pictures_are_drawn(opened: Opened) -> None:
    """Each of the five pictures is decoded, with its title for those who do not see it."""
    sizes = opened.page.locator("figure img").evaluate_all(
        "images => images.map(image => [image.complete, image.naturalWidth, image.alt])"
    )

    assert 5 == len(sizes)
    assert all(complete and width > 100 and alt for complete, width, alt in sizes)


def test_markup_in_a_description_is_read(opened: Opened) -> None:
    """What the user wrote is shown as it was written."""
    assert "Is <b>this</b> bold?" == opened.page.locator(".question").inner_text()


def test_a_click_sorts_by_number(opened: Opened) -> None:
    """A click sorts a column upwards, a second downwards; what has no number stays last."""
    header = opened.page.locator("#trials th button", has_text="accuracy")
    header.click()
    upwards = read_column(opened.page, "accuracy")
    header.click()
    downwards = read_column(opened.page, "accuracy")
    numbers = [float(text) for text in upwards if text != "-"]

    assert (sorted(numbers), ["-", "-"]) == (numbers, upwards[-2:])
    assert numbers[::-1] == [float(text) for text in downwards if text != "-"]
    assert ["-", "-"] == downwards[-2:]


def test_a_key_sorts_by_word(opened: Opened) -> None:
    """Headers are reached and pressed by the keyboard, and say in which way they sort."""
    header = opened.page.locator("#trials th", has_text="kind")
    header.locator("button").press("Enter")
    kinds = read_column(opened.page, "kind")

    assert sorted(kinds) == kinds
    assert "ascending" == header.get_attribute("aria-sort")


def test_the_page_fits_a_phone(opened: Opened) -> None:
    """On a narrow screen only tables are moved sideways, never the page."""
    opened.page.set_viewport_size({"width": PHONE_WIDTH, "height": 800})

    assert PHONE_WIDTH == opened.page.evaluate("document.documentElement.scrollWidth")
