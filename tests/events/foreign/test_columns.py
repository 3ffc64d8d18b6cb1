"""The types that the hyperparameters of other tools' runs get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, hparams_config_pb

from hparams_lab.events.foreign.reader import read_foreign
from tests.support.foreign_files import encode_start, write_events


def _read_values(root: Path) -> list[dict[str, Any]]:
    return [dict(record.assignment) for record in read_foreign(root)]


def test_null_and_lists_are_no_values(tmp_path: Path) -> None:
    """What no column can show is as if it had not been given."""
    write_events(tmp_path / "run", encode_start({"rate": None, "sizes": [8.0], "units": 3.0}))

    assert [{"units": 3}] == _read_values(tmp_path)


def test_a_column_of_several_types_keeps_them(tmp_path: Path) -> None:
    """Text beside numbers and bools leaves each what it was."""
    for index, value in enumerate(["auto", 3.0, True]):
        write_events(tmp_path / f"run{index}", encode_start({"depth": value}))

    assert [{"depth": "auto"}, {"depth": 3.0}, {"depth": True}] == _read_values(tmp_path)


@pytest.mark.parametrize(
    ("numbers", "kind"), [([1.0, 2.0], int), ([1.0, 0.5], float), ([2.0**60], float)]
)
def test_numbers_that_are_whole_everywhere_are_integers(
    numbers: list[float], kind: type, tmp_path: Path
) -> None:
    """One number with a fraction, or beyond what doubles count, makes all of them floats."""
    for index, number in enumerate(numbers):
        write_events(tmp_path / f"run{index}", encode_start({"rate": number}))

    assert {kind} == {type(values["rate"]) for values in _read_values(tmp_path)}


def test_declared_fractions_make_floats(tmp_path: Path) -> None:
    """A value that might have had a fraction is no integer, though all that ran are whole."""
    config = hparams_config_pb([HParam("rate", Discrete([0.5, 1.0]))], [])
    write_events(tmp_path, config)
    write_events(tmp_path / "run", encode_start({"rate": 1.0}))

    assert float is type(_read_values(tmp_path)[0]["rate"])


def test_a_declared_bool_is_one(tmp_path: Path) -> None:
    """PyTorch writes a bool as a number; the config knows better."""
    config = hparams_config_pb([HParam("bias", Discrete([False, True]))], [])
    write_events(tmp_path, config)
    write_events(tmp_path / "run", encode_start({"bias": 1.0}))

    assert True is _read_values(tmp_path)[0]["bias"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_texts(number: float, tmp_path: Path) -> None:
    """What equals nothing, or no other number, is distinguished as text."""
    write_events(tmp_path / "run", encode_start({"rate": number}))

    assert [{"rate": str(number)}] == _read_values(tmp_path)


def test_reserved_names_are_not_taken_for_ours(tmp_path: Path) -> None:
    """A hyperparameter called `day` is another thing than the day of the run."""
    write_events(tmp_path / "run", encode_start({"day": "Monday"}))
    (record,) = read_foreign(tmp_path)

    assert {"day_": "Monday"} == dict(record.assignment)
    assert "Monday" not in record.labels.values()
