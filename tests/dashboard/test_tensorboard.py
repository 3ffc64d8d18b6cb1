"""The real TensorBoard, started again and again, shows a sweep whole: the same each time."""

from __future__ import annotations

import pytest

from hparams_lab.events.read.reader import read_runs
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.sweep import Sweep
from tests.conftest import InlineLauncher
from tests.support.dashboard_modules import SEVEN
from tests.support.oracle import read_board
from tests.support.servers import running_tensorboard

NUM_TRIALS = 32

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ExperimentDir:
    """Return a finished sweep of seven hparams, five of them swept; its folder has an odd name."""
    module = SEVEN.replace('"seven"', repr('the "7" größten 🙂\'s'))
    return InlineLauncher(tmp_path_factory.mktemp("seven"))(module)


@pytest.mark.parametrize("start", ["first", "second", "third"])
@pytest.mark.parametrize("load_fast", [True, False], ids=["fast", "python"])
def test_every_start_shows_the_whole_sweep(
    load_fast: bool, start: str, home: ExperimentDir
) -> None:
    """Each start, with either loader, has all rows, readable ids, the columns in order."""
    with running_tensorboard(home.path, load_fast=load_fast) as server:
        board = server.wait_for(lambda board: board.has_ended(NUM_TRIALS))
    (sweep_dir,) = home.find_sweeps()
    runs = read_runs(sweep_dir, Sweep.read(sweep_dir).space)

    assert [run.group_name for run in runs] == board.trial_ids
    assert ["kappa", "mu", "nu", "omega", "zeta"] == board.differing == board.hparams[:5]
    assert ["alpha", "beta", "commit", "day", "sweep"] == board.hparams[5:]
    assert ["accuracy", "loss"] == board.metrics
    assert {run.group_name: 5.0 for run in runs} == board.column("accuracy")
    assert read_board(home.path) == board
