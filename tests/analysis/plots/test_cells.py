from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import HParam, RealInterval

from hparams_lab.analysis.plots.heatmap import fill_cells, keep_fixed
from hparams_lab.declare.axis import Axis
from hparams_lab.errors import UsageError
from tests.support.plot_trials import GRID, KIND, UNITS, log_points, score_units, show

WIDE_RATE = Axis(HParam("rate", RealInterval(0.0001, 1.0)), scale="log")
SCATTERED = [{"units": 8, "rate": 10 ** (-index / 5), "kind": "plain"} for index in range(20)]


def test_a_cell_is_the_mean_over_the_other_hyperparameters(tmp_path: Path) -> None:
    """Each cell holds the mean of its trials, columns and rows in increasing order."""
    trials = show(log_points(tmp_path, score=lambda v: score_units(v) + (v["kind"] == "plain")))
    cells = fill_cells(trials, x="rate", y="units")

    assert (["0.001", "0.01", "0.1"], ["8", "16"]) == (cells.x.labels, cells.y.labels)
    np.testing.assert_allclose([[0.58, 0.68, 0.58], [0.66, 0.76, 0.66]], cells.means, rtol=1e-6)
    assert (2, 2) == (cells.counts.min(), cells.counts.max())


def test_a_cell_without_trials_has_no_value(tmp_path: Path) -> None:
    """A combination that nobody tried is NaN, and did not fail."""
    trials = show(log_points(tmp_path, GRID[:-2]))
    cells = fill_cells(trials, x="rate", y="units")

    assert np.argwhere(np.isnan(cells.means)).tolist() == [[1, 2]]
    assert not cells.failed.any()


def test_a_cell_of_failed_trials_says_so(tmp_path: Path) -> None:
    """A combination that was tried and failed is told from one that was not tried."""
    trials = show(log_points(tmp_path, failed=lambda index: index < 2))
    cells = fill_cells(trials, x="rate", y="units")

    assert np.argwhere(cells.failed).tolist() == [[0, 0]]
    assert np.isnan(cells.means[0, 0])


def test_many_numbers_are_sorted_into_bins_of_their_scale(tmp_path: Path) -> None:
    """Twenty rates become eight bins, evenly spaced by their logarithms, that hold all trials."""
    trials = show(log_points(tmp_path, SCATTERED, hparams=(UNITS, WIDE_RATE, KIND)))
    cells = fill_cells(trials, x="rate", y="units")
    widths = np.diff(np.log(cells.x.edges))

    assert (8, 20) == (len(cells.x.labels), cells.counts.sum())
    np.testing.assert_allclose(widths, widths[0])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_every_value_falls_into_the_bin_that_holds_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A value lies between the edges of the bin that it is counted in."""
    rates = data.draw(st.lists(st.floats(0.0001, 1.0), min_size=13, max_size=16, unique=True))
    points = [{"units": 8, "rate": rate, "kind": "plain"} for rate in rates]
    home = log_points(tmp_path_factory.mktemp("bins"), points, hparams=(UNITS, WIDE_RATE, KIND))
    division = fill_cells(show(home), x="rate", y="units").x
    edges = division.edges

    for rate in rates:
        index = division.index_of(rate)
        assert edges[index] * (1 - 1e-9) <= rate <= edges[index + 1] * (1 + 1e-9)


def test_words_stand_in_declared_order(tmp_path: Path) -> None:
    """The values of a hyperparameter without numbers keep the order of their axis."""
    axis = Axis(KIND, grid=["plain", "fancy"])
    trials = show(log_points(tmp_path, hparams=(UNITS, WIDE_RATE, axis)))

    assert ["plain", "fancy"] == fill_cells(trials, x="units", y="kind").y.labels


def test_fixing_a_value_keeps_its_trials(tmp_path: Path) -> None:
    """A value is fixed as it is typed, whatever its type."""
    kept = keep_fixed(show(log_points(tmp_path)), {"rate": "1e-2", "kind": "fancy"})

    assert [(16, 0.01), (8, 0.01)] == [
        (row.assignment["units"], row.assignment["rate"]) for row in kept.rows
    ]


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"rat": "0.1"}, "no hyperparameter 'rat'. Did you mean 'rate'"),
        ({"rate": "0.05"}, r"got '0.05'\. They have 0.001, 0.01, 0.1"),
        ({"rate": "high"}, "got 'high'"),
    ],
    ids=["no such name", "no such value", "no number"],
)
def test_what_is_fixed_must_be_there(tmp_path: Path, fixed: dict[str, str], message: str) -> None:
    """A name or a value that no trial has is refused with those that there are."""
    with pytest.raises(UsageError, match=message):
        keep_fixed(show(log_points(tmp_path)), fixed)
