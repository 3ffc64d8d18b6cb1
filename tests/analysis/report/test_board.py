from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.plugins.image import metadata
from tensorboard.util import tensor_util

from hparams_lab.analysis.plots.saving import PNG, encode_figure
from hparams_lab.analysis.plots.style import make_figure
from hparams_lab.analysis.report.board import encode_image, write_board
from hparams_lab.errors import LogdirError
from tests.support.oracle import count_configs, read_board
from tests.support.plot_trials import GRID, log_points
from tests.support.servers import TensorBoardServer, running_tensorboard

NOON = datetime(2026, 11, 21, 12, 0, 0)
EVENING = datetime(2026, 11, 21, 18, 0, 0)
WRITE_WITH_TENSORFLOW = """
import pathlib, sys
import tensorflow as tf
folder = pathlib.Path(sys.argv[1])
pixels = tf.io.decode_png((folder / "picture.png").read_bytes())[None]
with tf.summary.create_file_writer(str(folder)).as_default():
    tf.summary.image("heatmap", pixels, step=0)
"""
TEXTS = {"comparison": "**better** by 0.1"}


@pytest.fixture
def png() -> bytes:
    """Return a picture of 300 by 150 pixels."""
    return encode_figure(make_figure(2.0, 1.0), PNG)


def load(folder: Path) -> plugin_event_accumulator.EventAccumulator:
    """Return what TensorBoard's loader makes of a directory."""
    accumulator = plugin_event_accumulator.EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def fetch(server: TensorBoardServer, route: str) -> Any:
    """Return what a plugin of a running TensorBoard answers."""
    with urllib.request.urlopen(f"{server.url}/data/plugin/{route}") as answer:
        content = answer.read()
    return json.loads(content) if answer.headers["Content-Type"] == "application/json" else content


def test_an_image_is_what_tensorboard_reads(tmp_path: Path, png: bytes) -> None:
    """The plugin of the Images tab finds width, height and the picture's own bytes."""
    folder = write_board(log_points(tmp_path, GRID[:1]), {"heatmap": ("A title", png)}, TEXTS)
    (event,) = load(folder).Tensors("heatmap")

    assert [b"300", b"150", png] == tensor_util.make_ndarray(event.tensor_proto).tolist()
    assert ["heatmap"] == list(load(folder).PluginTagToContent(metadata.PLUGIN_NAME))
    assert "A title" == load(folder).SummaryMetadata("heatmap").summary_description


def test_a_text_is_what_tensorboard_reads(tmp_path: Path, png: bytes) -> None:
    """The plugin of the Text tab finds the Markdown as it was given."""
    folder = write_board(log_points(tmp_path, GRID[:1]), {}, TEXTS)
    (event,) = load(folder).Tensors("comparison")

    assert ["comparison"] == list(load(folder).PluginTagToContent("text"))
    assert b"**better** by 0.1" == tensor_util.make_ndarray(event.tensor_proto).item()


def test_the_table_has_no_row_more(tmp_path: Path, png: bytes) -> None:
    """The HParams table has the same columns, rows and values before and after."""
    home = log_points(tmp_path, GRID[:3])
    before = read_board(home.path)
    write_board(home, {"heatmap": ("", png)}, TEXTS)
    after = read_board(home.path)

    assert (before.experiment, before.trial_ids) == (after.experiment, after.trial_ids)
    assert before.column("accuracy") == after.column("accuracy")
    assert 1 == count_configs(home.path)


def test_each_call_is_a_directory_of_its_own(tmp_path: Path, png: bytes) -> None:
    """What was written before stays as it is, under its own time."""
    home = log_points(tmp_path, GRID[:1])
    first = write_board(home, {"days": ("", png)}, {}, now=lambda: NOON)
    content = {path: path.read_bytes() for path in first.iterdir()}
    second = write_board(home, {}, TEXTS, now=lambda: EVENING)

    assert ["2026-11-21_12-00-00", "2026-11-21_18-00-00"] == [first.name, second.name]
    assert content == {path: path.read_bytes() for path in first.iterdir()}


def test_two_of_one_second_take_turns(tmp_path: Path) -> None:
    """The second of two that begin together waits for a name that is free."""
    home = log_points(tmp_path, GRID[:1])
    times = iter([NOON, NOON, NOON, EVENING])
    folders = [write_board(home, {}, TEXTS, now=lambda: next(times)) for _ in range(2)]

    assert ["2026-11-21_12-00-00", "2026-11-21_18-00-00"] == [each.name for each in folders]


def test_a_report_is_no_sweep(tmp_path: Path) -> None:
    """Readers of runs do not see it."""
    home = log_points(tmp_path, GRID[:1])
    sweeps = home.find_sweeps()
    write_board(home, {}, TEXTS)

    assert sweeps == home.find_sweeps()


def test_a_file_in_the_way_is_reported(tmp_path: Path) -> None:
    """Where the folder of reports cannot be made, one sentence says so."""
    home = log_points(tmp_path, GRID[:1])
    home.reports_dir.write_text("")

    with pytest.raises(LogdirError, match="Do without --to_tensorboard"):
        write_board(home, {}, TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("load_fast", [False, True], ids=["Python loader", "Rust loader"])
def test_plain_tensorboard_shows_both_tabs(tmp_path: Path, png: bytes, load_fast: bool) -> None:
    """`tensorboard --logdir logs/NAME` serves picture and text, and the rows of the trials."""
    home = log_points(tmp_path, GRID[:3])
    name = f"reports/{write_board(home, {'heatmap': ('', png)}, TEXTS).name}"
    with running_tensorboard(home.path, load_fast=load_fast) as server:
        board = server.wait_for(lambda board: board.has_ended(3))
        (image,) = fetch(server, f"images/images?run={name}&tag=heatmap&sample=0")
        shown = fetch(server, f"images/individualImage?{image['query']}")
        (text,) = fetch(server, f"text/text?run={name}&tag=comparison")

    assert 3 == len(board.trial_ids)
    assert png == shown
    assert "<strong>better</strong>" in text["text"]


@pytest.mark.slow
def test_an_image_is_what_tensorflow_writes(tmp_path: Path, png: bytes) -> None:
    """The summary of a picture equals the one that `tf.summary.image` writes of its pixels."""
    (tmp_path / "picture.png").write_bytes(png)
    subprocess.run([sys.executable, "-c", WRITE_WITH_TENSORFLOW, str(tmp_path)], check=True)
    theirs = load(tmp_path)
    (value,) = encode_image("heatmap", png).value

    assert theirs.SummaryMetadata("heatmap").plugin_data == value.metadata.plugin_data
    assert theirs.SummaryMetadata("heatmap").data_class == value.metadata.data_class
    (event,) = theirs.Tensors("heatmap")
    assert [b"300", b"150"] == tensor_util.make_ndarray(event.tensor_proto).tolist()[:2]
    assert event.tensor_proto.tensor_shape == value.tensor.tensor_shape
