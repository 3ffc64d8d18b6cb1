"""Models that look alike are not taken for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.models import CLASSES, ROWS, SIGNS
from tests.support.training_loops import SilentRun

pytestmark = pytest.mark.slow  # starts TensorFlow

ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def make(change: Callable[[Any], object] = id, **compiled: Any) -> Any:
    """Return a small compiled net, changed; the same for the same arguments."""
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    change(model)
    return model


def fit(model: Any) -> dict[str, list[float]]:
    """Return the history of `lab.keras.fit`."""
    from hparams_lab.keras import fit

    history = fit(SilentRun(), model, ROWS, ONE_HOT, shuffle=False, epochs=2)
    return dict(history.history)


def fit_by_keras(model: Any) -> dict[str, list[float]]:
    """Return the history of `model.fit`."""
    return dict(model.fit(ROWS, ONE_HOT, shuffle=False, epochs=2, verbose=0).history)


def make_huber(delta: float) -> Any:
    """Return a model whose loss has an argument that Keras leaves out of its configuration."""
    import keras

    return make(loss=keras.losses.Huber(delta=delta))


def make_cosine(axis: int) -> Any:
    """Return a model whose metric has an argument that Keras leaves out."""
    import keras

    return make(metrics=[keras.metrics.CosineSimilarity(axis=axis)])


def freeze(model: Any) -> None:
    """Keep one variable from being trained, without a word to its layer."""
    model.layers[0].kernel.trainable = False


def regularize(model: Any) -> None:
    """Set what a layer's configuration does not show."""
    import keras

    model.layers[0].kernel.regularizer = keras.regularizers.L2(1.0)


def replace_optimizer(model: Any) -> None:
    """Set another optimizer than the model was compiled with."""
    import keras

    model.optimizer = keras.optimizers.Adam(0.1)


def keep_optimizer(model: Any) -> None:
    """Compile again with an optimizer that has states of all variables, now that few train."""
    model.optimizer.build(model.trainable_variables)
    model.layers[0].trainable = False
    model.compile(model.optimizer, "mse")


def train_few(model: Any) -> None:
    """Compile with an optimizer that has states of those variables only that train."""
    model.layers[0].trainable = False
    model.compile("sgd", "mse")


@pytest.mark.parametrize(
    ("make_first", "make_second"),
    [
        (lambda: make_huber(1.0), lambda: make_huber(0.1)),
        (lambda: make_cosine(-1), lambda: make_cosine(0)),
        (make, lambda: make(freeze)),
        (make, lambda: make(regularize)),
        (make, lambda: make(replace_optimizer)),
        (lambda: make(keep_optimizer), lambda: make(train_few)),
        (lambda: make(train_few), lambda: make(keep_optimizer)),
    ],
    ids=[
        "argument of a loss",
        "argument of a metric",
        "frozen variable",
        "regularized variable",
        "optimizer",
        "optimizer of before",
        "optimizer of after",
    ],
)
def test_hidden_differences_are_seen(
    make_first: Callable[[], Any], make_second: Callable[[], Any]
) -> None:
    """What a model's configuration does not tell keeps it from another's program."""
    fit(make_first())
    expected, actual = fit_by_keras(make_second()), fit(make_second())

    assert list(expected) == list(actual)
    for name, values in expected.items():
        assert values == pytest.approx(actual[name], abs=1e-5)


@pytest.mark.parametrize("metric", ["F1Score", "R2Score", "AUC", "MeanIoU"])
def test_metrics_that_are_made_late_are_carried(metric: str) -> None:
    """A metric that makes its variables when it sees a batch serves every model alike."""
    import keras

    options = {"MeanIoU": {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False}}

    def make_it() -> Any:
        return make(metrics=[getattr(keras.metrics, metric)(**options.get(metric, {}))])

    expected = fit_by_keras(make_it())
    first, second = fit(make_it()), fit(make_it())

    for name, values in expected.items():
        assert np.asarray(values) == pytest.approx(np.asarray(first[name]), abs=1e-5)
        assert np.array_equal(first[name], second[name])


@pytest.mark.parametrize("batch_size", [np.int64(16), np.int32(16), 16], ids=["int64", "int32", ""])
def test_batch_sizes_of_numpy_are_whole_numbers(batch_size: Any) -> None:
    """A batch size may come from NumPy."""
    from hparams_lab.keras import fit

    assert [0] == fit(SilentRun(), make(), ROWS, ONE_HOT, batch_size=batch_size).epoch


@pytest.mark.filterwarnings("ignore:model.fit trains")
def test_a_batch_size_below_one_is_refused() -> None:
    """A batch of no rows is Keras's error, not a loop without end."""
    from hparams_lab.keras import fit

    with pytest.raises(ValueError, match="Invalid value"):
        fit(SilentRun(), make(), ROWS, ONE_HOT, batch_size=-1)


def test_series_are_columns() -> None:
    """A pandas Series is a column to Keras, and so to us."""
    pandas = pytest.importorskip("pandas")
    from hparams_lab.keras.arrays import pack

    assert (75, 1) == pack(ROWS, pandas.Series(SIGNS[:, 0])).tensors[1].shape


def test_stopping_before_an_epoch_ends_it_after_a_batch() -> None:
    """A callback that stops training as an epoch begins leaves it one batch, as in Keras."""
    import keras

    class Stopper(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    from hparams_lab.keras import fit

    arguments = {"epochs": 3, "shuffle": False, "batch_size": 16}
    expected = make().fit(ROWS, ONE_HOT, callbacks=[Stopper()], verbose=0, **arguments).history
    actual = fit(SilentRun(), make(), ROWS, ONE_HOT, callbacks=[Stopper()], **arguments).history

    assert expected["loss"] == pytest.approx(actual["loss"], abs=1e-5)


def test_validation_data_is_checked_before_training() -> None:
    """Validation data of the wrong form is refused at once."""
    from hparams_lab.keras import fit

    model = make()
    with pytest.raises(ValueError, match="Data is expected to be in format"):
        fit(SilentRun(), model, ROWS, ONE_HOT, validation_data=(ROWS, SIGNS, SIGNS, SIGNS))

    assert 0 == model.optimizer.iterations
