"""Where the sweeps and runs of these tests go."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import SATURDAY, make_spec


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """Where the sweep goes."""
    (tmp_path / SATURDAY).mkdir()
    return SweepDir(tmp_path / SATURDAY)


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    """A run with x = 1."""
    return make_spec(SweepDir(tmp_path / SATURDAY), {"x": 1})
