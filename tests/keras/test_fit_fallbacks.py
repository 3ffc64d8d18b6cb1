"""Where `lab.keras.fit` leaves training to `model.fit`, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.models import CASES, ROWS, SIGNS, Case, make_dense
from tests.support.training_loops import (
    EPOCHS,
    SilentRun,
    assert_equal_histories,
    make_model,
    train_by_keras,
    train_by_lab,
)

pytestmark = [
    pytest.mark.slow,  # starts TensorFlow
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed"),  # as model.fit has by default
]


def test_batch_callbacks_see_every_batch() -> None:
    """A callback that acts on batches is called for each of them, and it is said why."""
    import keras

    batches: list[int] = []

    class Counter(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            batches.append(batch)

    with pytest.warns(UserWarning, match="batch by batch, as the callback Counter acts on batches"):
        train_by_lab(CASES["unbuilt"], callbacks=[Counter()])

    assert [0, 1, 2] * EPOCHS == batches


def test_test_batch_callbacks_see_every_batch() -> None:
    """A callback that acts on the batches of validation is called for each of them."""
    import keras

    batches: list[int] = []
    seen = keras.callbacks.LambdaCallback()
    seen.on_test_batch_end = lambda batch, logs=None: batches.append(batch)
    with pytest.warns(UserWarning, match="LambdaCallback acts on batches"):
        train_by_lab(CASES["dense"], callbacks=[seen], validation_batch_size=10)

    assert [0, 1] * EPOCHS == batches


def make_dataset() -> tuple[Any, None]:
    """Return what Keras takes for x alone."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((ROWS, SIGNS)).batch(32), None


def make_generator() -> tuple[Any, None]:
    """Return batches without end."""

    def yield_batches() -> Any:
        while True:
            yield ROWS[:32], SIGNS[:32]

    return yield_batches(), None


@pytest.mark.parametrize(
    ("make", "arguments", "reason"),
    [
        (make_dataset, {}, "_BatchDataset, not arrays"),
        (make_generator, {"steps_per_epoch": 2}, "steps are counted"),
        (lambda: (ROWS, SIGNS), {"steps_per_epoch": 2}, "steps are counted"),
    ],
    ids=["dataset", "generator", "steps"],
)
def test_other_data_is_trained_by_keras(make: Any, arguments: dict[str, Any], reason: str) -> None:
    """Data that is not arrays, or is counted in steps, is trained on all the same."""
    from hparams_lab.keras import fit

    x, y = make()
    with pytest.warns(UserWarning, match=reason):
        history = fit(SilentRun(), make_model(CASES["dense"]), x, y, epochs=2, **arguments)

    assert [0, 1] == history.epoch


def test_a_list_of_callbacks_is_taken_as_it_is() -> None:
    """Keras's own list of callbacks, made by the user, is what is called."""
    import keras

    from hparams_lab.keras import fit

    model = make_model(CASES["dense"])
    callbacks = keras.callbacks.CallbackList(add_history=True, model=model)

    assert [0, 1] == fit(SilentRun(), model, ROWS, SIGNS, epochs=2, callbacks=callbacks).epoch


def test_eager_models_are_trained_by_keras() -> None:
    """A model that is to be run eagerly is, step by step."""
    case = Case(lambda: make_dense(run_eagerly=True), ROWS, SIGNS)
    with pytest.warns(UserWarning, match="it is to be run eagerly"):
        _, history = train_by_lab(case)

    assert train_by_keras(case)[1] == history


def test_models_of_a_strategy_are_trained_by_keras() -> None:
    """A model with a distribution strategy is left to it."""
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        model = make_dense()
    from hparams_lab.keras import fit

    with pytest.warns(UserWarning, match="it has a distribution strategy"):
        history = fit(SilentRun(), model, ROWS, SIGNS)

    assert [0] == history.epoch


@pytest.mark.parametrize(
    ("x", "y", "arguments", "message"),
    [
        (ROWS, SIGNS[:5], {}, "same number of samples"),
        (ROWS, SIGNS, {"validation_split": 0.999}, "not sufficient to split"),
        (ROWS, SIGNS, {"class_weight": {0: 1.0}, "sample_weight": SIGNS[:, 0]}, "same time"),
    ],
    ids=["rows", "split", "weights"],
)
@pytest.mark.filterwarnings("ignore:model.fit trains")
def test_mistakes_are_keras_s_to_tell(x: Any, y: Any, arguments: Any, message: str) -> None:
    """What model.fit refuses is refused in its own words."""
    from hparams_lab.keras import fit

    with pytest.raises(ValueError, match=message):
        fit(SilentRun(), make_model(CASES["dense"]), x, y, **arguments)


def test_a_misspelt_argument_is_refused() -> None:
    """An argument that model.fit has not is an error, not ignored."""
    with pytest.raises(TypeError, match="epoch_count"):
        train_by_lab(CASES["dense"], epoch_count=3)


def test_other_validation_data_is_judged_by_keras() -> None:
    """Validation data may be a dataset while training runs as one program."""
    validation = make_dataset()[0]
    case = Case(make_dense, ROWS, SIGNS, {"validation_data": validation})
    _, history = train_by_lab(case)  # a warning would be an error here

    assert train_by_keras(case)[1]["val_loss"] == pytest.approx(history["val_loss"], abs=1e-5)


def test_savers_by_epoch_are_no_batch_callbacks(tmp_path: Any) -> None:
    """ModelCheckpoint and BackupAndRestore by epoch do not slow training down."""
    import keras

    savers = [
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras"),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    train_by_lab(CASES["dense"], callbacks=savers)  # a warning would be an error here

    assert EPOCHS == len(list(tmp_path.glob("*.keras")))


def test_pandas_is_data_in_memory() -> None:
    """Frames and series train as the arrays that they hold."""
    pandas = pytest.importorskip("pandas")
    frame = Case(make_dense, pandas.DataFrame(ROWS), pandas.Series(SIGNS[:, 0]))

    assert_equal_histories(train_by_keras(frame)[1], train_by_lab(frame)[1])


def test_evaluate_takes_what_is_no_array() -> None:
    """A dataset is judged by model.evaluate, and it is said."""
    from hparams_lab.keras import evaluate

    model = make_model(CASES["dense"])
    expected = model.evaluate(ROWS, SIGNS, batch_size=32, verbose=0)
    with pytest.warns(UserWarning, match="model.evaluate judges this model batch by batch"):
        actual = evaluate(model, make_dataset()[0])

    assert expected == pytest.approx(actual)
    assert not np.isnan(actual).any()
