"""How a run failed, as a text in plain TensorBoard, whose status only says that it did."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import ENDED_TAG, Ending, Status
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.oracle import read_board
from tests.support.servers import running_tensorboard

WHY = "the run was stopped after its <time> limit of *5* s | `at last`"
FAILURES = [ending for ending in Ending if ending.status is Status.FAILURE]


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """A sweep without runs."""
    return add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep())


def end(sweep_dir: SweepDir, ending: Ending, *, index: int = 0) -> RunSpec:
    """Write a run and its end."""
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1 * (index + 1)}, index=index)
    write_run(spec, {"loss": [0.5]}, ending=None)
    end_run(spec.dir, spec, ending, reason=WHY)
    return spec


@pytest.mark.parametrize("ending", FAILURES)
def test_every_way_to_fail_is_a_failure(ending: Ending, sweep_dir: SweepDir) -> None:
    """TensorBoard's status filter finds all failures, none of them among the running."""
    spec = end(sweep_dir, ending)
    record = read_run(spec.dir, make_sweep().space)

    assert ["STATUS_FAILURE"] == read_board(sweep_dir.path).statuses
    assert record is not None
    assert (ending, WHY) == (record.ending, record.reason)


def test_only_failures_have_the_text(sweep_dir: SweepDir) -> None:
    """A run that succeeded has no text of its end."""
    specs = [
        end(sweep_dir, ending, index=index)
        for index, ending in enumerate([Ending.COMPLETE, Ending.PRUNED, Ending.CRASHED])
    ]
    has_text = [
        any(ENDED_TAG.encode() in file.read_bytes() for file in spec.dir.event_files)
        for spec in specs
    ]

    assert [False, False, True] == has_text


def test_a_reason_may_hold_what_is_no_text(sweep_dir: SweepDir) -> None:
    """A reason that names a file whose name is no UTF-8 is written, and read, escaped."""
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
    write_run(spec, {}, ending=None)
    end_run(spec.dir, spec, Ending.FAILED, reason="no file \udcff")
    record = read_run(spec.dir, make_sweep().space)

    assert record is not None
    assert r"no file \udcff" == record.reason


def ask(url: str, **values: str) -> Any:
    """Return what a route of TensorBoard answers."""
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(values)}") as response:
        return json.load(response)


@pytest.mark.slow
@pytest.mark.parametrize("load_fast", [True, False], ids=["fast", "python"])
def test_the_text_tab_says_how_it_ended(load_fast: bool, sweep_dir: SweepDir) -> None:
    """Either loader serves ending and reason to the Text tab, and the run is a failure."""
    run = end(sweep_dir, Ending.TIMED_OUT).dir.path.relative_to(sweep_dir.path)
    with running_tensorboard(sweep_dir.path, load_fast=load_fast) as server:
        board = server.wait_for(lambda board: board.has_ended(1))
        route = f"{server.url}/data/plugin/text"
        while ENDED_TAG not in ask(f"{route}/tags").get(str(run), []):
            time.sleep(0.05)
        (shown,) = ask(f"{route}/text", run=str(run), tag=ENDED_TAG)

    assert ["STATUS_FAILURE"] == board.statuses
    assert "<strong>timed out</strong>" in shown["text"]
    assert "after its &lt;time&gt; limit of *5* s | `at last`" in shown["text"]
