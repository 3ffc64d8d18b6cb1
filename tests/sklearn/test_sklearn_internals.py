"""What is used of scikit-learn that is not public, and the versions that were tried."""

from __future__ import annotations

import inspect

from hparams_lab.sklearn import sklearn_internals
from tests.support.versions import is_tried

# With the last, all tests in tests/sklearn passed. Try a newer one before it is named here.
TRIED = ("1.5", "1.9")


def test_the_installed_version_was_tried() -> None:
    """A release beyond those that were tried is tried first."""
    assert is_tried("scikit-learn", *TRIED)


def test_fits_are_scored_as_ever() -> None:
    """The function that fits and scores once takes what it is given."""
    wanted = {"estimator", "X", "y", "scorer", "train", "test", "parameters", "error_score"}

    assert wanted <= inspect.signature(sklearn_internals.fit_and_score_once).parameters.keys()
