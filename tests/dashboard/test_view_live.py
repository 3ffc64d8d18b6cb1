"""The page that keeps itself fresh: what its script gets."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hparams_lab.dashboard.serve.server import serving
from hparams_lab.dashboard.view.view import View, open_view
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.testing.executors import wait_until
from tests.support.servers import TensorBoardServer
from tests.support.story import add_run, write_friday, write_saturday

pytestmark = [
    pytest.mark.slow,
    # Of the code that TensorBoard brings along, when it is imported.
    pytest.mark.filterwarnings("ignore:html5lib's sanitizer:DeprecationWarning"),
]


@pytest.fixture
def view(tmp_path: Path) -> Iterator[View]:
    """Return a view of a sweep of two trials."""
    write_friday(tmp_path)
    with open_view(tmp_path, ["toy"]) as view:
        yield view


@pytest.fixture
def url(view: View) -> Iterator[str]:
    """Return the address of a TensorBoard that has read all of it."""
    with serving(view, port=0) as url:
        TensorBoardServer(url.rstrip("/")).wait_for(lambda board: board.has_ended(2))
        yield url


def get(url: str) -> str:
    """Return what is answered."""
    with urllib.request.urlopen(url) as response:
        return str(response.read().decode())


def ask(url: str) -> dict[str, str]:
    """Return what the script gets."""
    return dict(json.loads(get(f"{url}hparams_lab/state")))


def test_page_has_the_script_and_its_columns(url: str) -> None:
    """The page loads the script and tells it which columns it has itself."""
    found = re.search(r'<script src="\./(\S+)" data-columns="(\w+)">', get(url))
    assert found is not None

    assert "app-header-reload" in get(url + found[1])
    assert ask(url)["columns"] == found[2]


def test_page_and_its_files_are_tensorboards(url: str) -> None:
    """The page's own script, which is compressed behind TensorBoard's back, is there."""
    (script,) = re.findall(r'src="(index\.js\S*)"', get(url))

    assert "tb-webapp" in get(url)
    assert len(get(url + script)) > 1_000_000


def test_state_rests_while_nothing_changes(url: str) -> None:
    """Asked again, the answer is the same, in whatever order TensorBoard lists things."""
    assert ask(url) == ask(url)


def test_new_run_changes_the_content(url: str, tmp_path: Path) -> None:
    """A run that comes changes the content, and leaves the columns as they are."""
    before = ask(url)
    (sweep_dir,) = ExperimentDir(tmp_path / "toy").find_sweeps()
    add_run(sweep_dir, {"units": 8, "rate": 0.2}, 2)
    wait_until(lambda: ask(url)["content"] != before["content"])

    assert before["columns"] == ask(url)["columns"]


def test_new_columns_are_told_when_tensorboard_has_them(url: str, tmp_path: Path) -> None:
    """Columns are said to have changed once TensorBoard answers with the new ones."""
    before = ask(url)
    write_saturday(tmp_path)
    wait_until(lambda: ask(url)["columns"] != before["columns"])

    assert "optimizer" in TensorBoardServer(url.rstrip("/")).ask().hparams


def test_nobody_listens_afterwards(view: View) -> None:
    """When serving ends, the port is free again."""
    with serving(view, port=0) as url:
        get(url)

    wait_until(lambda: is_refused(url))


def is_refused(url: str) -> bool:
    """Return whether nobody listens there."""
    try:
        get(url)
    except urllib.error.URLError as error:
        return isinstance(error.reason, ConnectionRefusedError)
    except ConnectionResetError:  # who listened is just about to end
        return False
    return False
