"""The picture in the documents: TensorBoard on a real sweep, taken anew on request."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.logdir.layout import experiment_dir
from tests.browser.conftest import HEIGHT, WIDTH, open_dashboard

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SCREENSHOT = ROOT / "docs" / "images" / "dashboard.png"


def take_screenshot(request: pytest.FixtureRequest, logdir: Path) -> None:
    """Run the experiment `mnist`, which takes a minute, and save how its table looks."""
    words = ["run", "mnist", f"--logdir={logdir}"]
    subprocess.run([sys.executable, "-m", "hparams_lab", *words], cwd=ROOT, check=True)
    browser = request.getfixturevalue("browser")
    with open_dashboard(browser, experiment_dir(logdir, "mnist")) as page:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOT)


def test_screenshot_is_readable_and_light(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The picture has the size of a whole table and loads quickly; --update_golden retakes it."""
    if request.config.getoption("--update_golden"):
        take_screenshot(request, tmp_path)
    content = SCREENSHOT.read_bytes()

    assert struct.unpack(">II", content[16:24]) == (WIDTH, HEIGHT)
    assert len(content) < 300_000
