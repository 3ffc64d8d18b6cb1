"""What a run trains on, what it reports, and which options of the sweep it heeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import Pruned
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import Ask, Run, RunSpec
from hparams_lab.testing import FakeRunWriter
from tests.support.factories import SATURDAY

SWEEP_DIR = SweepDir(Path("/logs/toy") / SATURDAY)
PLAIN = RunSpec(SWEEP_DIR.run_dir("0000-3f2a9c1b"), Assignment({}), 17, 3, "none")
X = np.arange(60)
Y = X % 3


def make_run(
    ask: Ask | None = None,
    *,
    fold: int | None = None,
    sink: FakeRunWriter | None = None,
    **changes: Any,
) -> Run:
    """Return a run of a sweep with some options."""
    run_dir = SWEEP_DIR.run_dir("0000-3f2a9c1b", fold=fold)
    spec = replace(PLAIN, dir=run_dir, **changes)
    keywords = {} if ask is None else {"ask": ask}
    return Run(spec, None, objective=minimize("loss"), sink=sink or FakeRunWriter(), **keywords)


def test_folds_hold_each_row_out_once() -> None:
    """Over a trial's folds every row is held out in exactly one run."""
    runs = [make_run(fold=fold, num_folds=4) for fold in range(4)]
    splits = [run.split(X, Y) for run in runs]

    assert X.tolist() == sorted(row for split in splits for row in split[2])
    assert all(sorted([*train, *held]) == X.tolist() for train, _, held, _ in splits)


def test_folds_are_the_same_for_every_trial() -> None:
    """Runs of one fold see one split, whatever their values and seeds."""
    one, two = (make_run(fold=1, num_folds=3, seed=seed).split(X, Y) for seed in (1, 2))

    assert [part.tolist() for part in one] == [part.tolist() for part in two]


@pytest.mark.parametrize("folds", [{}, {"fold": 1, "num_folds": 3}], ids=["hold_out", "folds"])
def test_groups_stay_on_one_side(folds: dict[str, int]) -> None:
    """Rows of one group are trained on or held out together."""
    groups = X // 5
    train, _, held_out, _ = make_run(**folds).split(X, Y, groups=groups)

    assert not set(groups[train]) & set(groups[held_out])


def test_a_subset_is_of_the_training_rows() -> None:
    """With a subset fewer rows are trained on, and just as many held out."""
    train, y_train, held_out, _ = make_run(subset=0.5).split(X, Y)
    full = make_run().split(X, Y)

    assert (24, [8, 8, 8]) == (len(train), np.bincount(y_train).tolist())
    assert full[2].tolist() == held_out.tolist()
    assert set(train) < set(full[0])


def test_data_that_come_split_can_be_thinned_out() -> None:
    """`run.subset` returns all rows, or with a subset its share of them."""
    whole, part = make_run().subset(X, Y), make_run(subset=0.1).subset(X, Y)

    assert X.tolist() == whole[0].tolist()
    assert (6, [2, 2, 2]) == (len(part[0]), np.bincount(part[1]).tolist())
    assert (part[0] % 3 == part[1]).all()


def test_a_run_knows_its_folds() -> None:
    """Which fold is held out, and of how many, is at hand for data that split otherwise."""
    run = make_run(fold=2, num_folds=5)

    assert (2, 5) == (run.fold, run.num_folds)
    assert (None, None) == (make_run().fold, make_run().num_folds)


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "folds": (
        {"fold": 0, "num_folds": 3},
        "with --folds train must call run.split or run.use_fold",
    ),
    "subset": ({"subset": 0.5}, "with --subset train must call run.split or run.subset. Do so."),
    "pruner": ({"prunes": True}, "with a pruner train must call run.report, or pass"),
}


@pytest.mark.parametrize(("changes", "sentence"), OPTIONS.values(), ids=OPTIONS)
def test_an_unused_option_is_reported(changes: dict[str, Any], sentence: str) -> None:
    """A train that ignores the sweep's folds, subset or pruner is reported with how to use them."""
    (sentence_found,) = make_run(**changes).unused_options

    assert sentence_found.startswith(sentence)


USED: dict[str, tuple[dict[str, Any], Callable[[Run], object]]] = {
    "no_option": ({}, lambda run: None),
    "split": ({"fold": 0, "num_folds": 3, "subset": 0.5}, lambda run: run.split(X, Y)),
    "fold": ({"fold": 0, "num_folds": 3}, lambda run: run.use_fold()),
    "subset": ({"subset": 0.5}, lambda run: run.subset(X, Y)),
    "report": ({"prunes": True}, lambda run: run.report(0.5, 0)),
}


@pytest.mark.parametrize(("changes", "use"), USED.values(), ids=USED)
def test_a_used_option_is_not_reported(
    changes: dict[str, Any], use: Callable[[Run], object]
) -> None:
    """Each way to use an option is enough."""
    run = make_run(**changes)
    use(run)

    assert [] == run.unused_options


def test_a_report_asks_the_strategy() -> None:
    """The strategy is asked with the value and how many there have been."""
    asked: list[tuple[float, int]] = []

    def ask(value: float, budget: int) -> tuple[bool, int | None]:
        asked.append((value, budget))
        return False, None

    run = make_run(ask, prunes=True)
    run.report(0.5, 10)
    run.report(np.float32(0.25), 20)

    assert [(0.5, 1), (0.25, 2)] == asked


def test_a_judged_run_says_how_far_it_came() -> None:
    """Epochs and rungs are written with each report, at the number of reports."""
    sink = FakeRunWriter()
    run = make_run(lambda value, budget: (False, budget // 2), sink=sink, prunes=True)
    for step in (0, 5, 9):
        run.report(0.5, step)

    assert [(1, 1.0), (2, 2.0), (3, 3.0)] == sink.points["epochs_run"]
    assert [(1, 0.0), (2, 1.0), (3, 1.0)] == sink.points["rung"]
    assert [0, 5, 9] == [step for step, _ in sink.points["report/loss"]]


def test_a_pruned_run_has_said_how_far_it_came() -> None:
    """The strategy's stop is raised once budget and rung are written."""
    run = make_run(lambda value, budget: (budget == 2, 1), prunes=True)
    run.report(0.5, 0)
    with pytest.raises(Pruned, match="stopped by the search after 2 reported values"):
        run.report(0.75, 1)

    assert {"report/loss": 0.75, "epochs_run": 2.0, "rung": 1.0} == run.last_values


def test_a_run_that_is_not_judged_asks_nobody() -> None:
    """Without a pruner a report is a scalar and nothing else."""

    def refuse(value: float, budget: int) -> tuple[bool, int | None]:
        raise AssertionError

    sink = FakeRunWriter()
    make_run(refuse, sink=sink).report(0.5, 0)

    assert {"report/loss": [(0, 0.5)]} == sink.points
