"""Estimators that are quick, and searches of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB

from hparams_lab.sklearn import SweepCV

X, Y = make_classification(60, 5, random_state=0)
SMOOTHINGS = {"var_smoothing": [1e-3, 1.0, 1e-9]}


def make_search(estimator: Any = None, space: Any = None, **options: Any) -> SweepCV:
    """Return a search that logs nowhere, of a quick classifier unless one is given."""
    options = {"logdir": None, **options}
    return SweepCV(estimator or GaussianNB(), SMOOTHINGS if space is None else space, **options)


class Touchy(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that fails to fit with some moods, and says how it was fitted.

    Args:
        mood: `good`; `bad` fails to fit; `undecided` fails to predict.
        noise: how much of NumPy's global generator is in its scores.
    """

    def __init__(self, mood: str = "good", noise: float = 0.0) -> None:
        self.mood = mood
        self.noise = noise

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Touchy:  # noqa: N803
        """Learn nothing."""
        if self.mood == "bad":
            raise RuntimeError("not in the mood")
        self.classes_ = np.unique(y)
        self.draw_ = np.random.random()
        self.weight_ = None if sample_weight is None else float(np.sum(sample_weight))
        return self

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the first class for every row."""
        if self.mood == "undecided":
            raise RuntimeError("cannot decide")
        return np.full(len(X), self.classes_[0])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Return 0.5, and the noise."""
        self.predict(X)
        return 0.5 + self.noise * self.draw_
