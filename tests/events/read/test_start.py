"""Reading a run's session start from the head of its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.errors import EventFormatError
from hparams_lab.events import schema
from hparams_lab.events.read.start import Start, read_start
from hparams_lab.events.write.writer import open_writer
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run


@pytest.fixture
def event_file(tmp_path: Path) -> Path:
    """Return the event file of a run."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep())
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.25})
    write_run(spec, {"loss": [1.0] * 50})
    return spec.dir.event_files[0]


def test_start_says_who_the_run_is(event_file: Path) -> None:
    """The start has the run's values, its labels and its Trial ID."""
    start = read_start(event_file)
    trial = event_file.parent.parent

    assert start is not None
    assert {"units": 8.0, "rate": 0.25}.items() <= start.hparams.items()
    assert {"day", "sweep", "commit"} <= start.hparams.keys()
    assert f"{trial.name}@{trial.parent.name}" == start.group_name


@pytest.mark.parametrize("num_bytes", [0, 5, 60], ids=["empty", "torn header", "torn start"])
def test_file_that_has_just_begun_has_none(num_bytes: int, event_file: Path) -> None:
    """A file that ends before its start is whole has none yet."""
    event_file.write_bytes(event_file.read_bytes()[:num_bytes])

    assert read_start(event_file) is None


def test_damage_names_the_file(event_file: Path) -> None:
    """A start that is damaged is an error that says where."""
    content = bytearray(event_file.read_bytes())
    content[60] ^= 1
    event_file.write_bytes(content)

    with pytest.raises(EventFormatError, match=event_file.name):
        read_start(event_file)


VALUES = st.one_of(st.booleans(), st.floats(allow_nan=False), st.text(max_size=20))


@given(hparams=st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=5))
@settings(deadline=None, max_examples=50)
def test_what_is_encoded_is_read(
    hparams: dict[str, bool | float | str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A start that is written is the start that is read."""
    start = Start(hparams, "0000-01234567@2026-11-21_07-34-05", 1_800_000_000.5)
    file = tmp_path_factory.mktemp("start") / "events.out.tfevents.1"
    with open_writer(file) as writer:
        writer.write_summary(start.encode())

    assert start == read_start(file)
    assert schema.START_TAG.encode() in file.read_bytes()
