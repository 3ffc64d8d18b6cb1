"""Files that other tools' own writers wrote; `data/make_foreign.py` says how."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from tensorboard.plugins.hparams import api_pb2

from hparams_lab.errors import LogdirError
from hparams_lab.events.foreign.reader import ForeignRecord, find_foreign, read_foreign
from tests.support.oracle import read_board, read_scalars

DATA = Path(__file__).parents[1] / "data"
TOOLS = ("hp_api", "hp_keras", "keras_tuner", "pytorch", "ray_tune", "tensorboardx")
_STATUS_NAMES = {"RUNNING": "STATUS_UNKNOWN", "SUCCESS": "STATUS_SUCCESS"}


def _read(tool: str, name: str) -> ForeignRecord:
    (record,) = (record for record in read_foreign(DATA / tool) if record.name.startswith(name))
    return record


@pytest.mark.parametrize("tool", TOOLS)
def test_every_row_of_the_dashboard_is_found(tool: str) -> None:
    """The runs are TensorBoard's sessions, under its Trial IDs."""
    expected = read_board(DATA / tool).trial_ids

    assert expected == sorted(record.group_name for record in read_foreign(DATA / tool))


@pytest.mark.parametrize("tool", TOOLS)
def test_statuses_are_the_dashboards(tool: str) -> None:
    """A run without an end is running to us, and unknown to TensorBoard."""
    found = sorted(read_foreign(DATA / tool), key=lambda record: record.group_name)

    assert read_board(DATA / tool).statuses == [_STATUS_NAMES[r.status.value] for r in found]


# Ray names metrics in its config that it writes under other tags.
@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "ray_tune"])
def test_metrics_are_the_dashboards(tool: str) -> None:
    """Each metric that the dashboard shows has the value that it shows."""
    by_group = {record.group_name: record for record in read_foreign(DATA / tool)}
    shown = [
        (by_group[group.name].last_values[_tag_of(metric.name)], metric.value)
        for group in read_board(DATA / tool).session_groups
        for metric in group.metric_values
    ]

    assert shown
    assert [value for _, value in shown] == [pytest.approx(ours, rel=1e-6) for ours, _ in shown]


def _tag_of(name: api_pb2.MetricName) -> str:
    return f"{name.group}/{name.tag}" if name.group else str(name.tag)


@pytest.mark.parametrize("tool", TOOLS)
def test_curves_are_tensorboards(tool: str) -> None:
    """Every point of every directory is the run's, with its step and its time."""
    for run, record in zip(find_foreign(DATA / tool), read_foreign(DATA / tool), strict=True):
        expected = {
            prefix + tag: points
            for folder, prefix in run.parts
            for tag, points in _read_scalars(folder.path).items()
        }
        found = {
            tag: [*zip(curve.steps, curve.wall_times, curve.values, strict=True)]
            for tag, curve in record.curves.items()
        }

        assert expected.keys() == found.keys() == record.metrics.keys()
        for tag, points in expected.items():
            assert points == [pytest.approx(point) for point in found[tag]]


def _read_scalars(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    with contextlib.suppress(KeyError):  # TensorBoard has none of this directory
        return read_scalars(folder)
    return {}


@pytest.mark.parametrize(
    ("tool", "name", "values"),
    [
        ("hp_api", "run-0", {"num_units": 16, "dropout": 0, "bias": True, "optimizer": "adam"}),
        ("hp_keras", "run", {"rate": 0.01, "units": 1}),
        ("tensorboardx", "run0", {"rate": 0.1, "layers": 2, "bias": True}),
        ("pytorch", "same", {"rate": 0.1, "layers": 2, "bias": 1, "act": "relu"}),
        ("ray_tune", "experiment/train_1", {"net/layers": 2, "net/bias": True, "rate": 0.01}),
    ],
)
def test_hyperparameters_have_types_again(tool: str, name: str, values: dict[str, object]) -> None:
    """Whole columns are integers, and the order is that of the config."""
    found = _read(tool, name).assignment

    assert [*values.items()] == [*found.items()]
    assert [type(value) for value in values.values()] == [type(value) for value in found.values()]


def test_sub_runs_are_groups() -> None:
    """The metrics of Keras's `train` and `validation` directories have these before them."""
    tags = {*_read("keras_tuner", "0/").metrics}

    assert {"train/epoch_loss", "validation/epoch_loss"} <= tags


def test_the_session_of_add_hparams_has_the_curves_of_its_training() -> None:
    """The curves beside PyTorch's timestamped sub-run are the run's, `add_scalars` too."""
    record = _read("pytorch", "default/")

    assert [1.0, 0.5, pytest.approx(1 / 3)] == record.curves["loss"].values
    assert {"exact", "split_test/split", "hparam/loss"} <= {*record.metrics}


def test_several_sessions_of_one_training_share_no_curves() -> None:
    """Which of them the training was for, nobody says, so it is none's."""
    found = [record for record in read_foreign(DATA / "pytorch") if "loop" in record.name]

    assert [["hparam/loss"]] * 2 == [[*record.metrics] for record in found]


def test_times_come_from_the_events_where_the_session_has_none() -> None:
    """`add_hparams` writes neither start nor end time; the training's first point began."""
    record = _read("tensorboardx", "run0")

    assert record.curves["loss"].wall_times[0] - record.start_time_secs == pytest.approx(0, abs=1)
    assert record.wall_secs is not None
    assert 0 < record.wall_secs < 60


def test_a_number_that_is_none_becomes_text() -> None:
    """NaN equals nothing, so it stands as text, by which runs can be told apart."""
    found = [record for record in read_foreign(DATA / "pytorch") if "loop" in record.name]

    assert ["nan", "nan"] == [record.assignment["rate"] for record in found]
    assert all(record.assignment.digest for record in found)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("hp_api", "the hp.hparams API"),
        ("hp_keras", "Keras callback"),
        ("keras_tuner", "Keras Tuner"),
        ("ray_tune", "Ray Tune"),
        ("tensorboardx", "add_hparams: a sub-run"),
    ],
)
def test_layouts_have_names(tool: str, words: str) -> None:
    """Each run says which way of writing it is of."""
    assert all(words in run.layout for run in find_foreign(DATA / tool))


@pytest.mark.parametrize(
    ("tool", "sweep"),
    [("hp_api", "hp_api"), ("keras_tuner", "keras_tuner"), ("ray_tune", "experiment")],
)
def test_runs_that_lie_together_are_a_sweep(tool: str, sweep: str) -> None:
    """A run's sweep is the directory that it lies in with others, and its day its start's."""
    assert {sweep} == {record.labels["sweep"] for record in read_foreign(DATA / tool)}
    assert {"day", "sweep"} == {*read_foreign(DATA / tool)[0].labels}


def test_a_directory_without_runs_has_none(tmp_path: Path) -> None:
    """An empty directory is no mistake."""
    assert [] == read_foreign(tmp_path)


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """What is no directory is refused by name."""
    with pytest.raises(LogdirError, match="must be a directory"):
        read_foreign(tmp_path / "none")


def test_minima_are_over_training_and_session() -> None:
    """The least value is one of the curve, not only of what the session holds."""
    loss = _read("tensorboardx", "run0").metrics["loss"]

    assert math.isclose(loss.max, 1.1, rel_tol=1e-6)
    assert 3 == loss.num_points
