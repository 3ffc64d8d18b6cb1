"""A refit: the same train function on all rows, and the model that it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import maximize
from hparams_lab.logdir.layout import RefitDir, SweepDir
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.testing import FakeRunWriter
from tests.support.factories import SATURDAY

SWEEP_DIR = SweepDir(Path("/logs/toy") / SATURDAY)
X = np.arange(60)
Y = X % 3


def make_run(*, fold: int | None = None, **changes: Any) -> Run:
    """Return a run of a sweep with some options."""
    run_dir = SWEEP_DIR.run_dir("0000-3f2a9c1b", fold=fold)
    spec = RunSpec(run_dir, Assignment({}), 17, 3, "none", **changes)
    return Run(spec, None, objective=maximize("accuracy"), sink=FakeRunWriter())


SPLITS = [{}, {"fold": 0, "num_folds": 3}, {"subset": 0.5}]


@pytest.mark.parametrize("options", SPLITS, ids=["hold_out", "folds", "subset"])
def test_a_refit_trains_on_all_rows(options: dict[str, Any]) -> None:
    """`split` gives a refit all rows in their order, and holds out what a run would."""
    _, _, *held_out = make_run(**options).split(X, Y)
    x, y, *held_out_too = make_run(**options, refit=True).split(X, Y)

    assert (X.tolist(), Y.tolist()) == (x.tolist(), y.tolist())
    assert [part.tolist() for part in held_out] == [part.tolist() for part in held_out_too]


def test_a_refit_takes_no_subset() -> None:
    """`subset` gives a refit everything, and has been heeded by that."""
    run = make_run(subset=0.1, refit=True)
    x, y = run.subset(X, Y)

    assert (60, 60) == (len(x), len(y))
    assert [] == run.unused_options


def test_a_refit_knows_what_it_trains_on() -> None:
    """What `split` or `subset` gave is known to a refit alone, as a run need not keep it."""
    runs = [make_run(refit=refit) for refit in (True, False)]
    assert () == runs[0].trained_on
    for run in runs:
        run.split(X, Y)

    assert [2, 0] == [len(run.trained_on) for run in runs]
    assert runs[0].trained_on[0] is X


def test_the_last_model_is_kept() -> None:
    """A train function that trains several models leaves the last one."""
    run = make_run()
    assert run.model is None
    run.keep_model("first")
    run.keep_model("second")

    assert "second" == run.model


def test_a_refit_is_no_run_of_its_trial(tmp_path: Path) -> None:
    """A refit lies in its trial's directory, where no reader takes it for a run."""
    sweep_dir = SweepDir(tmp_path / SATURDAY)
    folder = sweep_dir.refit_dir("0000-3f2a9c1b")
    folder.path.mkdir(parents=True)

    assert [] == list(sweep_dir.find_run_dirs())
    assert sweep_dir.path / "0000-3f2a9c1b" == folder.path.parent


@pytest.mark.parametrize(
    ("names", "is_complete"),
    [
        (["model_card.md", "model.keras"], True),
        (["model_card.md", "model.weights.h5"], True),
        (["model_card.md"], False),
        (["model.keras"], False),
        ([], False),
    ],
    ids=repr,
)
def test_a_refit_is_a_card_with_a_model(
    tmp_path: Path, names: list[str], is_complete: bool
) -> None:
    """A folder with anything less may be somebody's own."""
    for name in names:
        (tmp_path / name).touch()

    assert is_complete == RefitDir(tmp_path).is_complete
