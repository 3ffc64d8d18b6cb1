"""What is used of Keras that is not public, and the versions that were tried."""

from __future__ import annotations

import pytest

from tests.support.versions import is_tried

# With the last, all tests in tests/keras passed. Try a newer one before it is named here.
TRIED = ("3.4", "3.15")
OWN = {
    "_flatten_layers",
    "_flatten_metrics_in_order",
    "_get_metrics_result_or_logs",
    "_initial_epoch",
    "_should_eval",
    "_symbolic_build",
}


def test_the_installed_version_was_tried() -> None:
    """A release beyond those that were tried is tried first."""
    assert is_tried("keras", *TRIED)


@pytest.mark.slow
def test_each_name_is_there() -> None:
    """What `keras_internals` asks a model for, a model that was fitted has."""
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0)

    assert [] == [name for name in sorted(OWN) if not hasattr(model, name)]
