from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from tensorboard.plugins.hparams.summary_v2 import IntInterval, RealInterval

from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.interop.sklearn import log_search
from tests.support.imported_search import Logged, read_logged

X, Y = load_iris(return_X_y=True)


def log(search: Any, folder: Path) -> Logged:
    """Fit a search, log it and return what there is to see of it."""
    return read_logged(log_search(search.fit(X, Y), folder))


def test_candidates_are_trials_and_folds_their_runs(tmp_path: Path) -> None:
    """The dashboard's rows have scikit-learn's parameters and mean scores."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [0.01, 1.0]}, cv=3)
    logged = log(search, tmp_path)

    assert [0.01, 1.0] == logged.hparam("C")
    assert search.cv_results_["mean_test_score"] == pytest.approx(logged.column("score"))
    assert ["STATUS_SUCCESS"] * 6 == logged.board.statuses
    assert ["score", "fit_time", "score_time"] == logged.board.metrics[:3]


def test_the_best_trial_is_the_searchs(tmp_path: Path) -> None:
    """Our ranking has scikit-learn's best candidate first, with its score and spread."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [0.01, 1.0, 0.1]}, cv=3)
    best = log(search, tmp_path).rows[0]

    assert search.best_params_ == dict(best.assignment)
    assert search.best_score_ == pytest.approx(best.objective_value)
    assert 3 == best.spreads["score"].count


def test_times_have_no_spread_that_is_not_known(tmp_path: Path) -> None:
    """scikit-learn keeps the mean time of a candidate, which is shown once, as it is."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [1.0]}, cv=3)
    logged = log(search, tmp_path)
    spent = search.cv_results_["mean_fit_time"] + search.cv_results_["mean_score_time"]

    assert search.cv_results_["mean_fit_time"] == pytest.approx(logged.column("fit_time"))
    assert "fit_time" not in logged.rows[0].spreads
    assert 3 * spent[0] == pytest.approx(logged.rows[0].wall_secs, abs=1e-4)


def test_all_scores_are_metrics_and_refit_names_the_objective(tmp_path: Path) -> None:
    """Several scorers are columns under their names, that of refit the first."""
    search = GridSearchCV(
        LogisticRegression(tol=1e-2),
        {"C": [0.01, 1.0]},
        cv=2,
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
        return_train_score=True,
    )
    logged = log(search, tmp_path)

    assert "neg_log_loss" == logged.board.metrics[0]
    for tag, key in [("accuracy", "mean_test_accuracy"), ("train/accuracy", "mean_train_accuracy")]:
        assert search.cv_results_[key] == pytest.approx(logged.column(tag))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more")
def test_error_scores_are_failures(tmp_path: Path) -> None:
    """A candidate that could not be fitted is a FAILURE without a score; the others go on."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [-1.0, 1.0]}, cv=2)
    logged = log(search, tmp_path)

    assert ["STATUS_FAILURE"] * 2 + ["STATUS_SUCCESS"] * 2 == logged.board.statuses
    assert 1 == len(logged.column("score"))
    assert "error score" in logged.runs[0].dir.failure_file.read_text()


def test_nested_parameters_of_any_kind_are_shown(tmp_path: Path) -> None:
    """Estimators and None in a pipeline are text, under their nested names."""
    grid = {
        "minmaxscaler": ["passthrough", MinMaxScaler((0, 2))],
        "logisticregression__class_weight": [None, "balanced"],
    }
    pipeline = make_pipeline(MinMaxScaler(), LogisticRegression(tol=1e-2))
    search = GridSearchCV(pipeline, grid, cv=2)
    logged = log(search, tmp_path)

    assert "LogisticRegression" == logged.sweep.experiment
    assert {"passthrough", "MinMaxScaler(feature_range=(0, 2))"} == {*logged.hparam("minmaxscaler")}
    assert {"None", "balanced"} == {*logged.hparam("logisticregression__class_weight")}


def test_dicts_are_taken_apart_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    """Class weights among other values are one parameter, and its text is one value."""
    grid = {"class_weight": [None, {0: 1, 1: 2, 2: 1}]}
    logged = log(GridSearchCV(LogisticRegression(tol=1e-2), grid, cv=2), tmp_path)

    assert ["None", "{0: 1, 1: 2, 2: 1}"] == logged.hparam("class_weight")


def test_a_parameter_of_one_grid_is_absent_in_the_others(tmp_path: Path) -> None:
    """What only one of two grids has is a conditional axis, with no value elsewhere."""
    grids = [
        {"solver": ["lbfgs"], "C": [0.1, 1.0]},
        {"solver": ["saga"], "l1_ratio": [0.0, 1.0], "C": [1.0]},
    ]
    estimator = LogisticRegression(tol=0.1, max_iter=1000)
    logged = log(GridSearchCV(estimator, grids, cv=2), tmp_path)

    assert [None, None, 0.0, 1.0] == logged.hparam("l1_ratio")
    assert {"solver": ("saga",)} == logged.sweep.space["l1_ratio"].conditions
    assert 6 == logged.sweep.space.size  # 2 * (1 + 2): C has all its values in both


def test_distributions_give_their_bounds(tmp_path: Path) -> None:
    """Axes that were drawn from have their distribution's bounds and scale."""
    space = {"C": loguniform(1e-3, 1e1), "max_iter": randint(50, 101), "tol": norm(0.1, 0.001)}
    search = RandomizedSearchCV(LogisticRegression(), space, n_iter=3, cv=2, random_state=1)
    axes = log(search, tmp_path).sweep.space

    assert "log" == axes["C"].scale
    assert (1e-3, 1e1) == pytest.approx((axes["C"].domain.min_value, axes["C"].domain.max_value))
    assert (50, 100) == (axes["max_iter"].domain.min_value, axes["max_iter"].domain.max_value)
    assert isinstance(axes["max_iter"].domain, IntInterval)
    assert isinstance(axes["tol"].domain, RealInterval)


def test_values_that_were_not_drawn_are_declared_all_the_same(tmp_path: Path) -> None:
    """A random search's list is the axis, also where it did not come to all of it."""
    space = {"C": [0.1, 1.0, 10.0]}
    search = RandomizedSearchCV(LogisticRegression(tol=1e-2), space, n_iter=2, cv=2, random_state=0)

    assert (0.1, 1.0, 10.0) == log(search, tmp_path).sweep.space["C"].levels


def test_many_numbers_are_filtered_as_an_interval(tmp_path: Path) -> None:
    """Twelve numbers of a grid obey the rule for the dashboard's filters."""
    search = GridSearchCV(LogisticRegression(tol=0.1), {"C": np.logspace(-2, 0, 12)}, cv=2)
    logged = log(search, tmp_path)

    assert isinstance(logged.sweep.space["C"].domain, RealInterval)
    assert 12 == logged.sweep.space.size


def test_repeated_folds_are_repeats(tmp_path: Path) -> None:
    """Splits that are drawn twice are two repeats of the folds, of which the interval knows."""
    cv = RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)
    logged = log(GridSearchCV(LogisticRegression(tol=1e-2), {"C": [1.0]}, cv=cv), tmp_path)

    assert (2, 2) == (logged.sweep.repeats, logged.sweep.folds)
    assert ["r00f00", "r00f01", "r01f00", "r01f01"] == [r.dir.path.name for r in logged.runs]


def test_a_single_split_is_no_fold(tmp_path: Path) -> None:
    """A search on one split has a run a trial and no spread."""
    cv = PredefinedSplit([0 if row % 5 == 0 else -1 for row in range(len(Y))])
    logged = log(GridSearchCV(LogisticRegression(tol=1e-2), {"C": [1.0]}, cv=cv), tmp_path)

    assert ["r00"] == [run.dir.path.name for run in logged.runs]
    assert "n/score" not in logged.board.metrics


def test_logging_twice_makes_two_sweeps(tmp_path: Path) -> None:
    """A search has no time of its own, so each call is a sweep."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [1.0]}, cv=2).fit(X, Y)
    first, second = (log_search(search, tmp_path, name="mine") for _ in range(2))

    assert tmp_path / "mine" == first.parent == second.parent
    assert first != second


def test_a_search_must_be_fitted(tmp_path: Path) -> None:
    """A search that has not run is told to."""
    with pytest.raises(UsageError, match=r"must be fitted.*GridSearchCV"):
        log_search(GridSearchCV(LogisticRegression(), {"C": [1.0]}), tmp_path)


def test_a_search_must_vary_something(tmp_path: Path) -> None:
    """A grid without parameters has nothing to show."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {}, cv=2).fit(X, Y)

    with pytest.raises(UsageError, match="must vary a parameter"):
        log_search(search, tmp_path)


def test_a_log_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A place that cannot hold a log directory is named."""
    search = GridSearchCV(LogisticRegression(tol=1e-2), {"C": [1.0]}, cv=2).fit(X, Y)
    (tmp_path / "logs").touch()

    with pytest.raises(LogdirError, match="cannot write to the log directory"):
        log_search(search, tmp_path / "logs")
