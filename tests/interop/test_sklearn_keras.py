from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from hparams_lab.interop.sklearn import log_search
from tests.support.imported_search import read_logged

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore")  # of Keras's wrapper and scikit-learn's checks of it
def test_a_search_over_a_keras_model_is_logged(tmp_path: Path) -> None:
    """Arguments of a Keras model's builder are hparams like any other's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    from sklearn.model_selection import GridSearchCV

    def build(X: np.ndarray, y: np.ndarray, units: int) -> keras.Model:  # noqa: N803 - its words
        model = keras.Sequential(
            [keras.layers.Input(X.shape[1:]), keras.layers.Dense(units), keras.layers.Dense(2)]
        )
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, metrics=["accuracy"])
        return model

    x = np.random.default_rng(0).normal(size=(40, 3))
    classifier = keras.wrappers.SKLearnClassifier(build, fit_kwargs={"epochs": 1, "verbose": 0})
    grid = {"model_kwargs": [{"units": 2}, {"units": 4}]}
    search = GridSearchCV(classifier, grid, cv=2).fit(x, (x[:, 0] > 0).astype(int))
    logged = read_logged(log_search(search, tmp_path))

    assert "SKLearnClassifier" == logged.sweep.experiment
    assert [2.0, 4.0] == logged.hparam("model_kwargs__units")
    assert search.cv_results_["mean_test_score"] == pytest.approx(logged.column("score"))
