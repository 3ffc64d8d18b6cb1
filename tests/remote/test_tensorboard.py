"""Plain TensorBoard on what was uploaded: its own S3 reader, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.remote.conftest import OnMachine
from tests.support.oracle import count_configs, read_board

pytestmark = pytest.mark.slow


def test_it_shows_what_was_uploaded(swept: OnMachine, url: str) -> None:
    """TensorBoard, pointed at the URL of an experiment, has all rows and the right columns."""
    where: Any = f"{url}/hill"
    board = read_board(where)

    assert ["STATUS_SUCCESS"] * 3 == board.statuses
    assert "x" == board.hparams[0]
    assert [0.0, 4.0, 8.0] == sorted(board.column("height").values())


def test_it_finds_one_config(swept: OnMachine, url: str) -> None:
    """After another sweep with other values there is still one config, of both."""
    swept("second", "run", "hill", "--executor=inline", "--set=x=1.5", "--set=kind=good")
    where: Any = f"{url}/hill"

    assert 1 == count_configs(where)
    assert 4 == len(read_board(where).trial_ids)
