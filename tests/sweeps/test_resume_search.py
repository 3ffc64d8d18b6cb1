"""Searches that learn, interrupted at any run: resumed, they end as if nothing had been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare import tags
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from tests.conftest import WriteModule
from tests.support.resumption import InlineSweeps, assert_all_succeeded, outcomes, read, spreads

# The file `interrupt` names a run by its number, and how many of its nine reports it makes.
TOY = """
    from pathlib import Path

    def train(run):
        folder = Path(__file__).parent
        interrupt = folder / "interrupt"
        begun = folder / "begun"
        number = len(begun.read_text()) if begun.exists() else 0
        begun.write_text("x" * (number + 1))
        loss = (run.hparams["x"] - 0.3) ** 2 + run.hparams["units"] + run.seed / 2**40
        for step in range(9):
            if interrupt.exists() and interrupt.read_text() == f"{number} {step}":
                raise KeyboardInterrupt("now")
            run.report(loss + 1 / (step + 1), step)
        return {"loss": loss}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[
            lab.Axis(HParam("x", RealInterval(0.0, 1.0)), grid_points=4),
            HParam("units", Discrete([1, 2, 3])),
        ],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""

SEARCHES: dict[str, dict[str, Any]] = {
    "one_at_a_time": {"search": "one_at_a_time"},
    "bayes": {"search": "bayes", "trials": 14},
    "hyperband": {"search": "hyperband", "trials": 14},
    "asha": {"search": "asha", "trials": 14},
    "racing": {"racing": True, "repeats": 5},
    "median": {
        "search": "random",
        "search_options": {"pruner": "median"},
        "trials": 14,
    },
}


def launch_interrupted(toy: InlineSweeps, folder: Path, where: str, **options: Any) -> SweepDir:
    """Return the directory of a sweep that was interrupted: in which run, after which report."""
    (folder / "interrupt").write_text(where)
    with pytest.raises(KeyboardInterrupt, match="now"):
        toy.launch(**options)
    (folder / "interrupt").unlink()
    return toy.started.sweep_dir


@pytest.mark.slow
@pytest.mark.parametrize(("where", "repeats"), [("0 2", 1), ("3 0", 2), ("5 0", 1), ("6 2", 2)])
@pytest.mark.parametrize("search", SEARCHES)
def test_resumed_search_ends_as_an_undisturbed_one(
    search: str, where: str, repeats: int, write_module: WriteModule, tmp_path: Path
) -> None:
    """Interrupted anywhere and resumed, a search has the trials, ids and values of peace."""
    toy = InlineSweeps(write_module(TOY), tmp_path / "logs")
    options = {"repeats": repeats, **SEARCHES[search]}
    sweep_dir = launch_interrupted(toy, tmp_path, where, **options)
    toy.resume(sweep_dir)
    records = read(sweep_dir)

    assert_all_succeeded(sweep_dir, len(records))
    undisturbed = toy.launch(**options)
    assert outcomes(undisturbed) == outcomes(sweep_dir)
    assert spreads(undisturbed) == spreads(sweep_dir)
    assert [run.ending for run in read(undisturbed)] == [run.ending for run in records]


def test_pruned_runs_are_not_made_again(write_module: WriteModule, tmp_path: Path) -> None:
    """A pruned run is a result: a resumed sweep leaves it, and its missing repeats, alone."""
    toy = InlineSweeps(write_module(TOY), tmp_path / "logs")
    sweep_dir = toy.launch(search="asha", trials=14, repeats=2)
    pruned = [run for run in read(sweep_dir) if run.ending is Ending.PRUNED]
    toy.resume(sweep_dir)

    assert pruned
    assert [] == toy.results
    assert all(run.last_values[tags.BUDGET] < 9 for run in pruned)
