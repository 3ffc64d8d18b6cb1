"""Whole sweeps with --reuse: what is executed, and what the dashboard shows of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from tests.conftest import WriteModule
from tests.support.oracle import read_board
from tests.support.resumption import InlineSweeps, outcomes, read, spreads

# Each execution leaves a line in the file `executed`.
TOY = """
    from pathlib import Path

    def train(run):
        with (Path(__file__).parent / "executed").open("a") as file:
            print(run.hparams["units"], run.repeat, file=file)
        run.scalar("height", 1.0, 3)
        return {"loss": run.hparams["units"] + run.seed / 2**31}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("units", Discrete([1, 2]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


@pytest.fixture
def toy(write_module: WriteModule, tmp_path: Path) -> InlineSweeps:
    """Sweeps over two points."""
    return InlineSweeps(write_module(TOY), tmp_path / "logs")


@pytest.fixture
def swept(toy: InlineSweeps) -> SweepDir:
    """A finished sweep over the two points."""
    return toy.launch()


def count_executed(folder: Path) -> int:
    """Return how many runs were executed."""
    return len((folder / "executed").read_text().splitlines())


def test_same_sweep_is_taken_over_whole(toy: InlineSweeps, swept: SweepDir, tmp_path: Path) -> None:
    """The same sweep again executes nothing, and has the same values, series and seeds."""
    again = toy.launch(reuse=True)

    assert 2 == count_executed(tmp_path)
    assert outcomes(swept) == outcomes(again)
    assert [run.curves for run in read(swept)] == [run.curves for run in read(again)]


def test_only_the_rest_is_executed(toy: InlineSweeps, swept: SweepDir, tmp_path: Path) -> None:
    """Another sweep executes what no earlier one has run: here the second repeats."""
    again = toy.launch(reuse=True, repeats=2)

    assert 4 == count_executed(tmp_path)
    assert spreads(toy.launch(repeats=2)) == spreads(again)
    assert ["r01", "r01"] == [run.dir.path.name for run in read(again) if not run.reused_from]


def test_dashboard_shows_both_sweeps(toy: InlineSweeps, swept: SweepDir) -> None:
    """Runs that were taken over are rows of the new sweep; the earlier one keeps its own."""
    again = toy.launch(reuse=True)
    board = read_board(swept.path.parent)

    assert ["STATUS_SUCCESS"] * 4 == board.statuses
    assert [swept.id, again.id] * 2 == [
        board.values(trial_id)["sweep"] for trial_id in board.trial_ids
    ]
    assert 2 == len(set(board.column("loss").values()))


def test_failures_are_executed_again(toy: InlineSweeps, write_module: WriteModule) -> None:
    """What failed is not taken over."""
    write_module(TOY.replace('return {"loss"', 'return {"lost"'))
    toy.launch()
    again = toy.launch(reuse=True)

    assert [Ending.FAILED] * 2 == [run.ending for run in read(again)]
    assert ["", ""] == [run.reused_from for run in read(again)]


OTHERS: dict[str, dict[str, Any]] = {"seed": {"seed": 1}, "nothing": {"reuse": False}}


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_another_seed_or_none_asked_for_executes_all(
    options: dict[str, Any], toy: InlineSweeps, swept: SweepDir, tmp_path: Path
) -> None:
    """With another seed, or without `--reuse`, each run is executed."""
    toy.launch(**{"reuse": True, **options})

    assert 4 == count_executed(tmp_path)


def test_edited_experiment_takes_nothing_over(
    toy: InlineSweeps, swept: SweepDir, write_module: WriteModule, tmp_path: Path
) -> None:
    """With another text of the experiment's module each run is executed."""
    write_module(TOY.replace("2**31", "2**30"))
    toy.launch(reuse=True)

    assert 4 == count_executed(tmp_path)
