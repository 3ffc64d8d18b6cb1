"""What a run takes down of its data: its digest, and by which seed rows were chosen."""

from __future__ import annotations

import pytest

from hparams_lab.analysis.trials.selection import read_runs
from hparams_lab.events.read.reader import RunRecord
from tests.conftest import InlineLauncher

MODULE = """
    def train(run):
        {body}
        return {{"loss": 1.0}}

    EXPERIMENT = lab.Experiment(
        name="facts",
        hparams=[HParam("x", Discrete([1, 2]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        load_data=lambda: {data},
        train=train,
    )
"""
ROWS = "([[i] for i in range(20)], [i % 2 for i in range(20)])"


def run_one(
    launch_inline: InlineLauncher, body: str = "pass", data: str = ROWS, **options: object
) -> RunRecord:
    """Launch a sweep and return its first run."""
    home = launch_inline(MODULE.format(body=body, data=data), **options)
    return read_runs(home.path.parent)[-1]


def test_equal_data_have_equal_digests(launch_inline: InlineLauncher) -> None:
    """Two sweeps over the same data say so, one over other data does not."""
    first, again, other = (
        run_one(launch_inline, data=data).data_digest for data in (ROWS, ROWS, "[1, 2]")
    )

    assert first == again != other
    assert 64 == len(first)


def test_data_of_unknown_kind_have_no_digest(launch_inline: InlineLauncher) -> None:
    """Where no digest can be taken, nothing is claimed."""
    assert "" == run_one(launch_inline, data="object()").data_digest


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("run.split(*run.data)", {}),
        ("run.split(*run.data)", {"folds": 2}),
        ("run.use_fold()", {"folds": 2}),
        ("run.subset(*run.data)", {"subset": 0.5}),
    ],
    ids=["hold-out", "folds", "own folds", "subset"],
)
def test_a_run_that_chose_rows_says_by_which_seed(
    launch_inline: InlineLauncher, body: str, options: dict[str, object]
) -> None:
    """The seed of the split is recorded; another seed of the sweep is another split."""
    first = run_one(launch_inline, body, **options).split_seed
    other = run_one(launch_inline, body, seed=1, **options).split_seed

    assert None not in (first, other)
    assert first != other


@pytest.mark.parametrize("body", ["pass", "run.fold", "run.use_fold()", "run.subset(*run.data)"])
def test_a_run_that_chose_none_says_so(launch_inline: InlineLauncher, body: str) -> None:
    """Asking for the fold without folds, or for a subset without one, chooses no rows."""
    assert run_one(launch_inline, body).split_seed is None
