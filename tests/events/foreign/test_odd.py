"""Layouts and files of other tools that their writers would rarely leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary_v2 import HParam, hparams_config_pb
from tensorboard.plugins.scalar.summary import scalar_pb

from hparams_lab.events.foreign.reader import ForeignRecord, find_foreign, read_foreign
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.foreign_files import encode_end, encode_point, encode_start, write_events


def _read_one(root: Path) -> ForeignRecord:
    (record,) = read_foreign(root)
    return record


def test_a_session_without_hyperparameters_is_a_run(tmp_path: Path) -> None:
    """A session start that says nothing is still one."""
    write_events(tmp_path / "run", encode_start({}), encode_point("loss", 0.5))

    assert {} == dict(_read_one(tmp_path).assignment)


def test_the_trial_id_is_the_groups(tmp_path: Path) -> None:
    """A group name is the Trial ID; without one it is the session's path, as TensorBoard's."""
    write_events(tmp_path / "a" / "b", encode_start({"x": 1.0}, group_name="first"))
    write_events(tmp_path / "a" / "c", encode_start({"x": 1.0}))

    assert ["first", "a/c"] == [record.group_name for record in read_foreign(tmp_path)]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (api_pb2.STATUS_SUCCESS, (Status.SUCCESS, 2.0)),
        (api_pb2.STATUS_FAILURE, (Status.FAILURE, 2.0)),
        (api_pb2.STATUS_RUNNING, (Status.RUNNING, None)),
    ],
    ids=["success", "failure", "running"],
)
def test_an_end_without_a_time_is_at_the_last_event(
    status: int, expected: tuple[Status, float | None], tmp_path: Path
) -> None:
    """A session end says how it ended; `RUNNING`, written as an end, is none."""
    write_events(
        tmp_path / "run", encode_start({"x": 1.0}), encode_point("loss", 1.0), encode_end(status)
    )
    record = _read_one(tmp_path)

    assert expected == (record.status, record.wall_secs)


def test_an_absurd_time_gives_no_day(tmp_path: Path) -> None:
    """A start time of no calendar is no reason not to read the run."""
    write_events(tmp_path / "run", encode_start({"x": 1.0}, start_time_secs=1e300))

    assert "day" not in _read_one(tmp_path).labels


def test_sessions_within_sessions_keep_their_scalars(tmp_path: Path) -> None:
    """A directory's scalars are those of the nearest session above it."""
    write_events(tmp_path / "outer", encode_start({"x": 1.0}), encode_point("loss", 1.0))
    write_events(tmp_path / "outer" / "inner", encode_start({"x": 2.0}))
    write_events(tmp_path / "outer" / "inner" / "test", encode_point("loss", 2.0))

    assert [["loss"], ["test/loss"]] == [[*record.metrics] for record in read_foreign(tmp_path)]


def test_a_config_above_is_not_a_training(tmp_path: Path) -> None:
    """Scalars beside a config above a plain session are not the session's."""
    write_events(tmp_path, hparams_config_pb([HParam("x")], []), encode_point("other", 1.0))
    write_events(tmp_path / "run", encode_start({"x": 1.0}))

    assert {} == _read_one(tmp_path).metrics


def test_points_of_training_and_session_are_one_curve(tmp_path: Path) -> None:
    """A tag in both has the training's points first, and the session's as its last."""
    config = hparams_config_pb([HParam("x")], [])
    write_events(tmp_path / "run", encode_point("loss", 3.0), encode_point("loss", 2.0))
    write_events(
        tmp_path / "run" / "1800.5", config, encode_start({"x": 1.0}), encode_point("loss", 1.0)
    )
    record = _read_one(tmp_path)

    assert [3.0, 2.0, 1.0] == record.curves["loss"].values
    assert (3, 1.0, 0, 1.0, 3.0) == record.metrics["loss"]


def test_groups_of_a_session_with_a_training_are_its_own(tmp_path: Path) -> None:
    """What lies below the session is named from there, what lies beside it from the training."""
    run = tmp_path / "run"
    write_events(run, encode_point("loss", 3.0))
    write_events(run / "side", encode_point("loss", 2.0))
    write_events(run / "1800.5", hparams_config_pb([HParam("x")], []), encode_start({"x": 1.0}))
    write_events(run / "1800.5" / "test", encode_point("loss", 1.0))

    assert {"loss": 3.0, "side/loss": 2.0, "test/loss": 1.0} == _read_one(tmp_path).last_values


def test_series_of_tensors_may_say_only_once_what_they_are(tmp_path: Path) -> None:
    """TensorFlow 1 leaves the metadata of all but the first point of a series out."""
    points = [scalar_pb("loss", number) for number in (0.5, 0.25)]
    points[1].value[0].ClearField("metadata")
    write_events(tmp_path / "run", encode_start({"x": 1.0}), *points)
    record = _read_one(tmp_path)

    assert [0.5, 0.25] == record.curves["loss"].values
    assert 2 == record.metrics["loss"].num_points


def test_damage_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """A record with a wrong checksum is named with its file; what came before counts."""
    file = write_events(
        tmp_path / "run" / "train", encode_point("loss", 1.0), encode_point("loss", 2.0)
    )
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    write_events(tmp_path / "run", encode_start({"x": 1.0}))
    record = _read_one(tmp_path)

    assert record.damage.startswith("train/events.out.tfevents.1800000000.host: the record")
    assert [1.0] == record.curves["train/loss"].values


def test_a_file_that_is_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    """The last record of a file that is being written is not there yet."""
    file = write_events(
        tmp_path / "run", encode_start({"x": 1.0}), encode_point("a", 1.0), encode_point("b", 2.0)
    )
    file.write_bytes(file.read_bytes()[:-3])

    assert ["a"] == [*_read_one(tmp_path).metrics]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """Links are followed, as TensorBoard does, but each directory is read once."""
    write_events(tmp_path / "elsewhere" / "run", encode_start({"x": 1.0}))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "run" / "back").symlink_to(tmp_path / "root")

    assert ["link/run"] == [run.name for run in find_foreign(tmp_path / "root")]


def test_runs_of_ours_are_passed_over(tmp_path: Path) -> None:
    """A run that this package wrote is not foreign, wherever it lies."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep())
    write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.1}), {"loss": [1.0]})
    write_events(tmp_path / "theirs", encode_start({"x": 1.0}))

    assert ["theirs"] == [run.name for run in find_foreign(tmp_path)]


def test_a_run_may_be_named_itself(tmp_path: Path) -> None:
    """The directory of one session is as good a root as one above it."""
    write_events(tmp_path / "logs" / "run", encode_start({"x": 1.0}), encode_point("loss", 0.5))
    record = _read_one(tmp_path / "logs" / "run")

    assert ({"loss": 0.5}, "run") == (record.last_values, record.labels["sweep"])
