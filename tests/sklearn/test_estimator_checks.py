from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hparams_lab.sklearn import SweepCV
from tests.support.estimators import make_search

pytest.importorskip("sklearn", "1.6", reason="expected failures cannot be listed before")

SEARCHES = [
    make_search(Ridge(), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise"),
    make_search(
        make_pipeline(StandardScaler(), GaussianNB()),
        {"gaussiannb__var_smoothing": [1e-9, 1e-8]},
        cv=2,
        error_score="raise",
    ),
]


def _list_expected_failures(search: SweepCV) -> dict[str, str]:
    """Return check to reason, as scikit-learn has them of its own `GridSearchCV`."""
    if not isinstance(search.estimator, Ridge):
        return {}
    return {"check_supervised_y_2d": "a regressor takes two-dimensional targets as they are"}


# Of estimators that warn of the checks' own odd data.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.soak
@parametrize_with_checks(SEARCHES, expected_failed_checks=_list_expected_failures)
def test_it_passes_the_checks_of_scikit_learn(
    estimator: SweepCV, check: Callable[[Any], None]
) -> None:
    """A search passes scikit-learn's checks of estimators as far as `GridSearchCV` does."""
    check(estimator)
