from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - makes the next exist
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV, HalvingRandomSearchCV

from hparams_lab.interop.sklearn import log_search
from tests.support.imported_search import Logged, read_logged

X, Y = load_iris(return_X_y=True)
GRID = {"C": [1e-3, 1e-2, 1e-1, 1.0]}


@pytest.fixture(scope="module")
def search() -> HalvingGridSearchCV:
    """A search that gave 40 rows to four candidates, and 80 to the better two."""
    return HalvingGridSearchCV(
        LogisticRegression(tol=1e-2), GRID, cv=2, factor=2, min_resources=40, max_resources=80,
        random_state=0,
    ).fit(X, Y)  # fmt: skip


@pytest.fixture(scope="module")
def logged(search: HalvingGridSearchCV, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """That search on the board."""
    return read_logged(log_search(search, tmp_path_factory.mktemp("logs")))


def test_a_candidate_of_several_iterations_is_one_trial(logged: Logged) -> None:
    """Six rows of results are four trials, as there are four candidates."""
    assert GRID["C"] == logged.hparam("C")
    assert [2] * 4 == [len(group.sessions) for group in logged.board.session_groups]


def test_only_full_results_are_scores(search: HalvingGridSearchCV, logged: Logged) -> None:
    """The objective is what the last iteration gave; who did not get there was pruned."""
    last = search.cv_results_["iter"] == 1

    assert ["SUCCESS"] * 2 + ["PRUNED"] * 2 == [row.label for row in logged.rows]
    assert sorted(search.cv_results_["mean_test_score"][last]) == pytest.approx(
        sorted(logged.column("score"))
    )


def test_the_best_trial_is_of_the_last_iteration(
    search: HalvingGridSearchCV, logged: Logged
) -> None:
    """Our best is scikit-learn's, whatever better scores fewer rows may have given."""
    best = logged.rows[0]

    assert search.best_params_ == dict(best.assignment)
    assert search.best_score_ == pytest.approx(best.objective_value)


def test_scores_on_the_way_are_a_curve_over_resources(logged: Logged) -> None:
    """What each iteration gave stands at its resources, of those that were dropped too."""
    best, dropped = logged.rows[0].runs[0], logged.rows[-1].runs[0]

    assert [40, 80] == best.curves["report/score"].steps
    assert [40] == dropped.curves["report/score"].steps
    assert best.last_values["score"] == best.last_values["report/score"]


def test_iteration_and_resources_are_columns(logged: Logged) -> None:
    """Each row says how far it came, and on what."""
    reached = {row.trial_id: row.metrics for row in logged.rows}

    assert [1, 1, 0, 0] == [metrics["iter"] for metrics in reached.values()]
    assert [80, 80, 40, 40] == [metrics["n_resources"] for metrics in reached.values()]


def test_a_resource_that_is_a_parameter_is_no_hparam(tmp_path: Path) -> None:
    """Trees that grow in number from iteration to iteration are budget, not choice."""
    search = HalvingRandomSearchCV(
        RandomForestClassifier(random_state=0), {"max_depth": [1, 2, None]}, n_candidates=3,
        cv=2, factor=3, resource="n_estimators", max_resources=6, min_resources=2, random_state=0,
    ).fit(X, Y)  # fmt: skip
    logged = read_logged(log_search(search, tmp_path))

    assert ["max_depth"] == [axis.name for axis in logged.sweep.space]
    assert [6, 2, 2] == [row.metrics["n_resources"] for row in logged.rows]
