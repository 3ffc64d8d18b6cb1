from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.estimators import X, Y, make_search
from tests.support.oracle import read_board


def _build(X: Any, y: Any, *, units: int, activation: str = "relu") -> Any:  # noqa: N803
    import keras

    model = keras.Sequential(
        [
            keras.Input(X.shape[1:]),
            keras.layers.Dense(units, activation=activation),
            keras.layers.Dense(y.shape[1], activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy")
    return model


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Keras and TensorFlow as they are imported
def test_a_keras_classifier_is_searched(tmp_path: Path) -> None:
    """Keras's own wrapper is searched, refit and logged like any estimator."""
    from keras.wrappers import SKLearnClassifier

    net = SKLearnClassifier(
        _build, model_kwargs={"units": 4}, fit_kwargs={"epochs": 2, "verbose": 0}
    )
    space = {"model_kwargs": [{"units": 2}, {"units": 8, "activation": "tanh"}]}
    search = make_search(net, space, cv=2, logdir=tmp_path, random_state=0).fit(X, Y)

    assert ["STATUS_SUCCESS"] * 4 == read_board(tmp_path / "sweep_cv").statuses
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert X.shape[:1] == search.predict(X).shape
