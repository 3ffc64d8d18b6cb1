"""What is read of a run is what TensorBoard itself reads, and more of it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import EventFormatError
from hparams_lab.events.read.reader import RunRecord, is_whole, read_events, read_run, read_runs
from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import SATURDAY, make_spec, make_sweep, ticking, write_run
from tests.support.oracle import read_scalars

SPACE = make_sweep().space


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """Return the directory of a sweep without runs."""
    return SweepDir(tmp_path / "toy" / SATURDAY)


@pytest.fixture
def spec(sweep_dir: SweepDir) -> RunSpec:
    """Return the spec of a run that has not begun."""
    return make_spec(sweep_dir, {"units": 8, "rate": 0.1})


def read_one(run_dir: RunDir, space: SearchSpace = SPACE) -> RunRecord:
    """Return the record of a run that has begun."""
    record = read_run(run_dir, space)
    assert record is not None
    return record


def as_float32(value: float) -> float:
    """Return the 32-bit float nearest to a number."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


FLOAT32 = st.floats(width=32, allow_nan=False)
TAGS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
SERIES = st.dictionaries(TAGS, st.lists(FLOAT32, min_size=1, max_size=4), min_size=1, max_size=3)


@given(SERIES)
def test_scalars_are_what_tensorboard_reads(
    tmp_path_factory: pytest.TempPathFactory, scalars: Mapping[str, Sequence[float]]
) -> None:
    """Steps, wall times and values equal those of TensorBoard's own event accumulator."""
    spec = make_spec(SweepDir(tmp_path_factory.mktemp("toy") / SATURDAY), {"units": 8})
    write_run(spec, scalars)
    ours = {
        tag: list(zip(series.steps, series.wall_times, series.values, strict=True))
        for tag, series in read_one(spec.dir).curves.items()
    }

    assert read_scalars(spec.dir.path) == ours


def test_values_are_32_bit(spec: RunSpec) -> None:
    """A value comes back as TensorBoard has it: as the nearest 32-bit float."""
    write_run(spec, {"loss": [0.1]})

    assert {"loss": as_float32(0.1)} == read_one(spec.dir).last_values


def test_long_series_is_read_whole(spec: RunSpec) -> None:
    """Every point of a series comes back, where TensorBoard keeps a thousand."""
    write_run(spec, {"loss": [float(step) for step in range(1500)]})

    assert list(range(1500)) == read_one(spec.dir).curves["loss"].steps


@pytest.mark.parametrize("ending", [*Ending, None])
def test_ending_comes_back(ending: Ending | None, spec: RunSpec) -> None:
    """A run says why it ended, and is running without an end."""
    write_run(spec, {"loss": [0.5]}, ending=ending)
    record = read_one(spec.dir)

    assert ending is record.ending
    assert (record.end_time_secs is None) is (record.status is Status.RUNNING)


def test_times_come_back(spec: RunSpec) -> None:
    """Start and end are those of the writer's clock, and between them is the run's time."""
    write_run(spec, {}, clock=ticking(100.0))
    record = read_one(spec.dir)

    assert (100.5, 101.5, 1.0) == (
        record.start_time_secs,
        record.end_time_secs,
        record.wall_secs,
    )


def test_identity_comes_back(spec: RunSpec) -> None:
    """Seed, labels and Trial ID are those of the spec."""
    write_run(spec, {})
    record = read_one(spec.dir)

    assert (spec.seed, spec.group_name) == (record.seed, record.group_name)
    assert {"day": "2026-11-21", "sweep": SATURDAY, "commit": "0123abcd"} == dict(record.labels)


def test_values_have_the_types_of_their_domains(sweep_dir: SweepDir) -> None:
    """Numbers, which TensorBoard keeps as doubles, are integers again where they were."""
    space = SearchSpace(
        [
            HParam("count", IntInterval(1, 8)),
            HParam("rate", RealInterval(0.0, 4.0)),
            HParam("flag", Discrete([False, True])),
            HParam("name", Discrete(["1", "2"])),
        ]
    )
    assignment = space.validate({"count": 3, "rate": 3, "flag": True, "name": "1"})
    spec = make_spec(sweep_dir, assignment)
    write_run(spec, {})

    assert assignment.canonical_json == read_one(spec.dir, space).assignment.canonical_json


def test_value_outside_the_space_is_kept(spec: RunSpec) -> None:
    """A value that the space no longer allows is shown as it was, not lost."""
    write_run(spec, {})
    narrower = SearchSpace([HParam("units", Discrete([64])), HParam("rate", Discrete([0.1]))])

    assert {"units": 8.0, "rate": 0.1} == dict(read_one(spec.dir, narrower).assignment)


def test_runs_come_in_order(sweep_dir: SweepDir) -> None:
    """The runs of a sweep come by trial, and directories without a start are passed over."""
    for index in (2, 0, 1):
        write_run(make_spec(sweep_dir, {"units": 8, "rate": index / 10}, index=index), {})
    sweep_dir.run_dir("0003-00000000").path.mkdir(parents=True)

    assert ["0000", "0001", "0002"] == [
        record.dir.trial_id[:4] for record in read_runs(sweep_dir, SPACE)
    ]


@pytest.mark.parametrize("kept", [0, 5, 30])
def test_run_without_a_start_is_none(kept: int, spec: RunSpec) -> None:
    """A file that has no whole session start yet is no run yet."""
    write_run(spec, {})
    (path,) = spec.dir.event_files
    path.write_bytes(path.read_bytes()[:kept])

    assert read_run(spec.dir, SPACE) is None


def test_damage_is_told_and_the_rest_is_read(spec: RunSpec) -> None:
    """What lies before the damage is read; the damage is told with its file."""
    write_run(spec, {"loss": [0.5, 0.25]})
    (path,) = spec.dir.event_files
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the end's payload
    path.write_bytes(content)
    record = read_one(spec.dir)

    assert (Status.RUNNING, {"loss": 0.25}) == (record.status, record.last_values)
    assert record.damage.startswith(f"{path.name}: the record at byte ")


def test_events_before_damage_are_yielded(spec: RunSpec) -> None:
    """Reading a damaged file raises, having yielded what is whole."""
    write_run(spec, {})
    (path,) = spec.dir.event_files
    path.write_bytes(path.read_bytes() + b"\x00" * 20)
    events = read_events(path)

    assert [next(events) for _ in range(5)]
    with pytest.raises(EventFormatError, match="is damaged"):
        next(events)


@pytest.mark.parametrize(("num_cut", "expected"), [(0, True), (1, False), (17, False)])
def test_whole_file_is_told_from_a_torn_one(num_cut: int, expected: bool, spec: RunSpec) -> None:
    """A file is whole if it ends with a whole record."""
    write_run(spec, {})
    (path,) = spec.dir.event_files
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - num_cut])

    assert expected is is_whole(path)


def test_first_end_counts(spec: RunSpec) -> None:
    """Of two ends in two files the first by name counts, as in TensorBoard."""
    write_run(spec, {})
    (path,) = spec.dir.event_files
    write_run(other := make_spec(SweepDir(path.parent / SATURDAY), {}), {}, ending=Ending.FAILED)
    other.dir.event_files[0].rename(path.with_name(f"{path.name}.later"))

    assert Status.SUCCESS is read_one(spec.dir).status
