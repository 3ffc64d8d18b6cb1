from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

import hparams_lab as lab
from hparams_lab.sklearn import SweepCV
from tests.support.estimators import SMOOTHINGS, Touchy, X, Y, make_search

REPEATED = RepeatedKFold(n_splits=3, n_repeats=2, random_state=1)
SCALED = make_pipeline(StandardScaler(), GaussianNB())


def _score_twice(estimator: Any, X: Any, y: Any) -> dict[str, float]:  # noqa: N803
    right = accuracy_score(y, estimator.predict(X))
    return {"right": right, "wrong": 1 - right}


def _assert_same_results(expected: GridSearchCV, actual: SweepCV) -> None:
    """Compare all that two searches found, but for how long it took."""
    timeless = [key for key in expected.cv_results_ if "time" not in key]
    assert expected.cv_results_.keys() == actual.cv_results_.keys()
    for key in timeless:
        np.testing.assert_array_equal(expected.cv_results_[key], actual.cv_results_[key], key)
        kinds = [np.ma.asarray(search.cv_results_[key]).dtype for search in (expected, actual)]
        assert kinds[0] == kinds[1], key
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(expected, name, None) == getattr(actual, name, None), name


@pytest.mark.parametrize(
    ("estimator", "grid", "options"),
    [
        pytest.param(GaussianNB(), SMOOTHINGS, {}, id="lone score"),
        pytest.param(GaussianNB(), SMOOTHINGS, {"return_train_score": True}, id="train score"),
        pytest.param(GaussianNB(), SMOOTHINGS, {"scoring": "f1"}, id="named score"),
        pytest.param(GaussianNB(), SMOOTHINGS, {"scoring": get_scorer("recall")}, id="scorer"),
        pytest.param(
            GaussianNB(), SMOOTHINGS, {"scoring": ["f1", "recall"], "refit": "recall"}, id="scores"
        ),
        pytest.param(
            GaussianNB(), SMOOTHINGS, {"scoring": {"a": "f1"}, "refit": False}, id="no refit"
        ),
        pytest.param(
            GaussianNB(), SMOOTHINGS, {"scoring": _score_twice, "refit": "wrong"}, id="function"
        ),
        pytest.param(
            GaussianNB(), SMOOTHINGS, {"refit": lambda results: 2}, id="chosen by a function"
        ),
        pytest.param(GaussianNB(), SMOOTHINGS, {"cv": REPEATED}, id="repeats"),
        pytest.param(
            GaussianNB(), SMOOTHINGS, {"cv": [(np.arange(40), np.arange(40, 60))]}, id="split"
        ),
        pytest.param(Ridge(), {"alpha": [0.1, 1, 10], "tol": [1e-3]}, {"cv": 3}, id="regressor"),
        pytest.param(PCA(), {"n_components": [1, 2]}, {}, id="transformer"),
        pytest.param(
            SCALED,
            {"standardscaler": ["passthrough", MinMaxScaler()], "gaussiannb__priors": [None]},
            {},
            id="pipeline's steps",
        ),
    ],
)
def test_it_finds_what_a_grid_search_finds(estimator: Any, grid: Any, options: Any) -> None:
    """For the same grid, the results are those of `GridSearchCV`, to the last digit."""
    expected = GridSearchCV(estimator, grid, **options).fit(X, Y)
    actual = make_search(estimator, grid, **options).fit(X, Y)

    _assert_same_results(expected, actual)


def test_conditional_axes_leave_holes() -> None:
    """A parameter that a candidate does not have is masked in the results."""
    kernel = HParam("kernel", Discrete(["linear", "poly"]))
    degree = lab.Axis(HParam("degree", Discrete([2, 3])), when={kernel: "poly"})
    search = make_search(SVC(), [kernel, degree], cv=2).fit(X, Y)

    assert [True, False, False] == list(search.cv_results_["param_degree"].mask)
    assert {"kernel": "linear"} == search.cv_results_["params"][0]


def test_it_answers_for_the_best_estimator() -> None:
    """Predictions, classes and names of features are the best estimator's."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcde"))
    search = make_search().fit(frame, Y)

    np.testing.assert_array_equal(search.best_estimator_.predict(frame), search.predict(frame))
    np.testing.assert_array_equal([0, 1], search.classes_)
    assert list("abcde") == list(search.feature_names_in_)
    assert 5 == search.n_features_in_
    assert search.score(frame, Y) == search.best_estimator_.score(frame, Y)
    assert search.refit_time_ > 0


@pytest.mark.parametrize(
    ("estimator", "has", "lacks"),
    [
        (GaussianNB(), "predict_proba", "decision_function"),
        (Ridge(), "predict", "predict_proba"),
        (PCA(), "inverse_transform", "predict"),
    ],
    ids=repr,
)
def test_it_has_the_methods_of_its_estimator(estimator: Any, has: str, lacks: str) -> None:
    """What the estimator cannot do, the search has no method for."""
    search = make_search(estimator)

    assert hasattr(search, has)
    assert not hasattr(search, lacks)


def test_it_is_cloned_and_set_like_any_estimator() -> None:
    """Parameters, nested ones too, are got, set and cloned."""
    search = clone(make_search(SCALED).set_params(estimator__gaussiannb__var_smoothing=0.5))

    assert 0.5 == search.estimator.steps[1][1].var_smoothing
    assert {"search", "trials", "random_state", "estimator__standardscaler"} <= {
        *search.get_params()
    }


def test_it_is_a_step_of_a_pipeline() -> None:
    """A pipeline may end with a search, and be cross-validated with it."""
    model = make_pipeline(StandardScaler(), make_search(cv=2))

    assert 3 == len(cross_val_score(model, X, Y, cv=3))


def test_it_is_pickled_once_fitted() -> None:
    """A fitted search predicts the same after a pickle."""
    search = make_search().fit(X, Y)

    np.testing.assert_array_equal(search.predict(X), pickle.loads(pickle.dumps(search)).predict(X))


def test_groups_reach_the_splitter() -> None:
    """`fit(groups=...)` is for the splitter."""
    search = make_search(cv=GroupKFold(2)).fit(X, Y, groups=np.repeat([0, 1, 2], 20))

    assert 2 == search.n_splits_


def test_sample_weights_are_split_with_the_rows() -> None:
    """Each fit has the weights of its rows, and the last has all."""
    search = make_search(Touchy(), {"mood": ["good"]}).fit(X, Y, sample_weight=np.ones(60))

    assert 60.0 == search.best_estimator_.weight_


def test_metadata_is_routed() -> None:
    """With metadata routing, weights go where they were requested, under the name given."""
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = (
            Touchy().set_fit_request(sample_weight="w").set_score_request(sample_weight=False)
        )
        search = make_search(estimator, {"mood": ["good"]}).fit(X, Y, w=np.ones(60))

    assert 60.0 == search.best_estimator_.weight_


def test_splits_are_drawn_once() -> None:
    """A splitter that shuffles anew each time is asked once: all candidates see its splits."""
    cv = StratifiedKFold(3, shuffle=True, random_state=np.random.RandomState(0))
    search = make_search(space={"var_smoothing": [1e-9, 2e-9]}, cv=cv).fit(X, Y)

    assert 1 == len({search.cv_results_["split0_test_score"][i] for i in range(2)})


def test_callbacks_are_refused() -> None:
    """scikit-learn's callbacks are refused rather than forgotten."""
    with pytest.raises(NotImplementedError, match="SweepCV has no callbacks"):
        make_search().set_callbacks(print)
