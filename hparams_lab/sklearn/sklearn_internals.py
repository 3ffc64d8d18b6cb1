"""What is used of scikit-learn that is not public, so that a release breaks one file.

It is what scikit-learn's own and other packages' searches are made of.
`tests/sklearn/test_sklearn_internals.py` names the versions that were tried.
"""

from __future__ import annotations

from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params, _num_samples

__all__ = [
    "BaseSearchCV",
    "Interval",
    "StrOptions",
    "check_method_params",
    "fit_and_score_once",
    "insert_error_scores",
    "num_samples",
    "warn_or_raise_about_fit_failures",
]

check_method_params = _check_method_params
fit_and_score_once = _fit_and_score
insert_error_scores = _insert_error_scores
num_samples = _num_samples
warn_or_raise_about_fit_failures = _warn_or_raise_about_fit_failures
