"""`lab.keras.fit` against `model.fit`, the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.models import CASES, SIGNS, STEPS, SUMS, Case, make_dense
from tests.support.training_loops import (
    TOLERANCE,
    SilentRun,
    assert_equal_histories,
    make_model,
    train_by_keras,
    train_by_lab,
)

pytestmark = [
    pytest.mark.slow,  # starts TensorFlow
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]

Trained = tuple[Any, dict[str, list[float]]]


@pytest.fixture(scope="module", params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of a case."""
    return str(request.param)


@pytest.fixture(scope="module")
def by_keras(name: str) -> Trained:
    """Return the model and the history of model.fit."""
    return train_by_keras(CASES[name])


@pytest.fixture(scope="module")
def by_lab(name: str) -> Trained:
    """Return the model and the history of lab.keras.fit."""
    return train_by_lab(CASES[name])


def test_histories_are_equal(by_keras: Trained, by_lab: Trained) -> None:
    """Losses, metrics and validation of each epoch are those of model.fit."""
    assert_equal_histories(by_keras[1], by_lab[1])


def test_weights_are_equal(by_keras: Trained, by_lab: Trained) -> None:
    """The trained weights, and the optimizer's state, are those of model.fit."""
    variables = [(*model.variables, *model.optimizer.variables) for model, _ in (by_keras, by_lab)]

    for expected, actual in zip(*variables, strict=True):
        assert expected.numpy() == pytest.approx(actual.numpy(), abs=TOLERANCE)


def test_judgements_are_equal(name: str, by_lab: Trained) -> None:
    """The values of evaluate are those of model.evaluate."""
    from hparams_lab.keras import evaluate

    case, model = CASES[name], by_lab[0]
    if name == "stateful":
        pytest.skip("what it was shown before counts")
    expected = model.evaluate(case.x, case.y, batch_size=32, verbose=0)

    assert expected == pytest.approx(evaluate(model, case.x, case.y, batch_size=32), abs=TOLERANCE)


def test_judgements_have_names() -> None:
    """With return_dict the values are named as those of model.evaluate."""
    from hparams_lab.keras import evaluate

    case = CASES["branching"]
    model = make_model(case)
    expected = model.evaluate(case.x, case.y, verbose=0, return_dict=True)

    assert expected == pytest.approx(evaluate(model, case.x, case.y, return_dict=True), abs=1e-5)


def test_the_model_is_keras_s_own_again() -> None:
    """After fit the model trains, judges and predicts by Keras as if nothing had been."""
    model, _ = train_by_lab(CASES["dense"])
    reference, _ = train_by_keras(CASES["dense"])
    case = CASES["dense"]
    histories = [
        one.fit(case.x, case.y, shuffle=False, verbose=0).history for one in (model, reference)
    ]

    assert_equal_histories(*histories)
    assert model.predict(case.x, verbose=0) == pytest.approx(reference.predict(case.x, verbose=0))


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffling_is_seeded_by_the_run(shuffle: Any) -> None:
    """Equal seeds give equal histories, other seeds others."""
    case = CASES["dense"]  # with dropout, the order within a batch matters
    first, again, other = (
        train_by_lab(case, run=SilentRun(seed), shuffle=shuffle)[1] for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_epochs_are_shuffled_anew() -> None:
    """Fitting epoch by epoch is fitting them at once: each has an order of its own."""
    from hparams_lab.keras import fit

    case = CASES["unbuilt"]
    _, at_once = train_by_lab(case, shuffle=True)
    model = make_model(case)
    losses = [
        fit(SilentRun(), model, case.x, case.y, batch_size=32).history["loss"][0] for _ in range(3)
    ]

    assert at_once["loss"] == losses


def test_every_row_counts_once_an_epoch() -> None:
    """Shuffled, the loss of an epoch with a rate of 0 is that of all rows."""
    import keras

    def make_still() -> Any:
        model = keras.Sequential(
            [keras.Input((5, 4)), keras.layers.Flatten(), keras.layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(0.0), "mse")
        return model

    model, history = train_by_lab(Case(make_still, STEPS, SUMS), shuffle=True, batch_size=10)

    assert model.evaluate(STEPS, SUMS, verbose=0) == pytest.approx(history["loss"][-1], abs=1e-4)


def test_shuffled_training_is_as_good() -> None:
    """Over six seeds, the accuracy with shuffling is that of model.fit within noise."""
    scores: list[list[float]] = [[], []]
    for seed in range(6):
        for train, found in zip((train_by_keras, train_by_lab), scores, strict=True):
            case = Case(make_dense, CASES["dense"].x, SIGNS)
            run = {"run": SilentRun(seed)} if train is train_by_lab else {}
            _, history = train(case, shuffle=True, epochs=5, batch_size=16, **run)
            found.append(history["accuracy"][-1])
    by_keras, by_lab = map(np.asarray, scores)
    noise = np.hypot(by_keras.std(ddof=1), by_lab.std(ddof=1)) / np.sqrt(6)

    assert abs(by_keras.mean() - by_lab.mean()) < 4 * noise


def test_initial_epoch_is_kept() -> None:
    """Training that begins at a later epoch numbers its epochs from there."""
    from hparams_lab.keras import fit

    case = CASES["unbuilt"]
    history = fit(SilentRun(), make_model(case), case.x, case.y, initial_epoch=2, epochs=5)

    assert [2, 3, 4] == history.epoch


def test_early_stopping_is_kept() -> None:
    """Keras's own callbacks stop training, restore weights and lower the rate as with model.fit."""
    import keras

    def make_callbacks() -> list[Any]:
        return [
            keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, min_delta=0.1),
        ]

    case = CASES["dense"]
    expected, expected_history = train_by_keras(case, epochs=20, callbacks=make_callbacks())
    actual, history = train_by_lab(case, epochs=20, callbacks=make_callbacks())

    assert expected_history["learning_rate"] == history["learning_rate"]
    assert len(expected_history["loss"]) == len(history["loss"])
    assert expected.get_weights()[0] == pytest.approx(actual.get_weights()[0], abs=TOLERANCE)
