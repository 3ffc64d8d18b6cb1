"""When a compiled program serves another model, and that it carries nothing over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.support.models import CASES, ROWS, SIGNS
from tests.support.training_loops import TOLERANCE, SilentRun, train_by_keras, train_by_lab

pytestmark = pytest.mark.slow  # starts TensorFlow


def make_net(
    *, rate: Any = 0.1, dropout: float = 0.2, units: int = 4, layer: Any = None, **compiled: Any
) -> Any:
    """Return a net whose parts are as given."""
    import keras

    keras.utils.clear_session(free_memory=False)
    layers = [
        keras.Input((8,)),
        *([layer] if layer is not None else []),
        keras.layers.Dense(units, "relu"),
        keras.layers.Dropout(dropout),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    defaults = {"optimizer": keras.optimizers.SGD(rate), "loss": "mse", "metrics": ["accuracy"]}
    model.compile(**{**defaults, **compiled})
    return model


def find(model: Any, num_rows: int = 75, batch_size: int = 32, dtype: str = "float32") -> Any:
    """Return the program that trains a model on so many rows."""
    from hparams_lab.keras.arrays import pack
    from hparams_lab.keras.program import find_train_program

    arrays = pack(ROWS[:num_rows], SIGNS[:num_rows].astype(dtype))
    return find_train_program(model, arrays, batch_size)


@pytest.mark.parametrize(
    "find_other",
    [
        lambda: find(make_net()),
        lambda: find(make_net(rate=0.01)),
        lambda: find(make_net(), num_rows=64),
        lambda: find(make_net(), batch_size=16),
    ],
    ids=["weights", "learning rate", "rows", "batch size"],
)
def test_what_differs_in_numbers_is_not_traced_again(find_other: Callable[[], Any]) -> None:
    """Other weights, another rate, fold or batch size use the same program."""
    assert find(make_net()) is find_other()


def make_schedule() -> Any:
    """Return a learning rate that changes."""
    import keras

    return keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)


@pytest.mark.parametrize(
    "find_other",
    [
        lambda: find(make_net(dropout=0.3)),
        lambda: find(make_net(units=5)),
        lambda: find(make_net(rate=make_schedule())),
        lambda: find(make_net(loss="mae")),
        lambda: find(make_net(metrics=[])),
        lambda: find(make_net(optimizer="adam")),
        lambda: find(make_net(), dtype="int64"),
    ],
    ids=[
        "dropout",
        "units",
        "schedule",
        "loss",
        "metrics",
        "optimizer",
        "type",
    ],
)
def test_what_differs_in_kind_is_traced(find_other: Callable[[], Any]) -> None:
    """A program never serves a model or data that it does not suit."""
    assert find(make_net()) is not find_other()


def make_adapted() -> Any:
    """Return a layer whose state is a constant of the trace."""
    import keras

    layer = keras.layers.Normalization()
    layer.adapt(ROWS)
    return layer


def make_own_layer() -> Any:
    """Return a layer that a user wrote."""
    import keras

    class Twice(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    return Twice()


def make_without_decay() -> Any:
    """Return an optimizer with an exception that its configuration does not name."""
    import keras

    optimizer = keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_net(layer=make_adapted()),
        lambda: make_net(layer=make_own_layer()),
        lambda: make_net(optimizer=make_without_decay()),
        lambda: make_net(loss=lambda y, y_pred: (y - y_pred) ** 2),
        CASES["custom step"].make,
    ],
    ids=["adapted", "own layer", "decay", "own loss", "own step"],
)
def test_what_may_depend_on_anything_is_traced(make: Callable[[], Any]) -> None:
    """Models with parts that their configuration does not tell have programs of their own."""
    assert find(make()) is not find(make())


@pytest.mark.parametrize("name", ["dense", "branching", "scheduled", "stateful"])
def test_a_program_carries_nothing_over(name: str) -> None:
    """Trained by another model's program, a model ends as by Keras, and the other is untouched."""
    case = CASES[name]
    lender, first = train_by_lab(case)
    before = [np.array(variable.numpy()) for variable in lender.variables]
    expected, _ = train_by_keras(case)
    actual, second = train_by_lab(case)

    assert first == second
    for ours, theirs in zip(actual.variables, expected.variables, strict=True):
        assert theirs.numpy() == pytest.approx(ours.numpy(), abs=TOLERANCE)
    assert all(map(np.array_equal, before, [one.numpy() for one in lender.variables]))


def test_a_borrowed_program_keeps_the_borrower_s_rate() -> None:
    """A model with a rate of 0 does not learn by a program that was traced with another."""
    find(make_net(rate=0.5))
    model = make_net(rate=0.0)
    before = model.get_weights()
    from hparams_lab.keras import fit

    fit(SilentRun(), model, ROWS, SIGNS)

    assert all(map(np.array_equal, before, model.get_weights()))


def test_few_programs_are_kept() -> None:
    """The programs of a long sweep in one process do not pile up."""
    from hparams_lab.keras import program

    for units in range(1, program.MAX_PROGRAMS + 3):
        find(make_net(units=units, metrics=None))

    assert program.MAX_PROGRAMS == len(program._programs)


def test_a_net_is_traced_once() -> None:
    """Metrics and optimizer are built before the trace, which is not done again for them."""
    import keras

    from hparams_lab.keras.arrays import pack
    from hparams_lab.keras.program import _trace, build

    calls = []

    def loss(y: Any, y_pred: Any) -> Any:
        calls.append(1)
        return keras.losses.mean_squared_error(y, y_pred)

    model = make_net(loss=loss, optimizer="adam", metrics=["accuracy", keras.metrics.AUC()])
    arrays = pack(ROWS, SIGNS)
    build(model, arrays)
    calls.clear()
    _trace(model, "train_step", arrays, None, blanks_metrics=True)

    assert [1] == calls


@pytest.mark.parametrize(
    ("name", "is_small"), [("dense", True), ("convolutional", False), ("recurrent", True)]
)
def test_vectors_alone_are_run_in_one_thread(name: str, is_small: bool) -> None:
    """Layers that hand on images keep their ops side by side; an LSTM's last state is a vector."""
    from hparams_lab.keras.arrays import pack
    from hparams_lab.keras.program import find_train_program

    case = CASES[name]
    program = find_train_program(case.make(), pack(case.x, case.y), 32)

    assert is_small is program.is_small
