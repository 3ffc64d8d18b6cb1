"""Saving models of all kinds, and loading them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.keras.save import Saved, save_model
from hparams_lab.logdir.layout import RefitDir

pytestmark = [
    pytest.mark.slow,
    # h5py asks Keras's variables for copies in NumPy 1's way.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

X = np.random.default_rng(0).random((300, 4)).astype("float32")
EVERYTHING = ["model.json", "model.keras", "model.weights.h5"]


class Doubled(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    def call(self, x: Any) -> Any:
        return 2 * x


class Net(keras.Model):  # type: ignore[misc]  # Keras has no types
    def __init__(self, units: int = 3, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.dense = keras.layers.Dense(units)
        self.out = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.out(self.dense(x))


class Chain(keras.Model):  # type: ignore[misc]  # Keras has no types
    def __init__(self, steps: list[Any]) -> None:
        super().__init__()
        self.steps = steps

    def call(self, x: Any) -> Any:
        for step in self.steps:
            x = step(x)
        return x


class Forgetful(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Has a number that its config does not."""

    factor = 1.0

    def call(self, x: Any) -> Any:
        return self.factor * x


class Closed(Net):
    """Takes none of the arguments that Keras has every layer take."""

    def __init__(self) -> None:
        super().__init__()


def own_loss(y: Any, prediction: Any) -> Any:
    """Return the mean absolute error."""
    return keras.ops.mean(keras.ops.abs(y - prediction))


OWN = {
    "Doubled": Doubled,
    "Net": Net,
    "Chain": Chain,
    "Closed": Closed,
    "Forgetful": Forgetful,
    "own_loss": own_loss,
}


def chain(*layers: Any) -> keras.Model:
    """Return the layers as a model of four inputs."""
    return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])


def train(model: keras.Model, loss: Any = "mse", x: Any = X) -> keras.Model:
    """Train a model a little."""
    model.compile("adam", loss)
    model.fit(x, np.ones((300, 1), "float32"), verbose=0)
    return model


def save(model: keras.Model, folder: Path, *, inputs: Any = X) -> Saved:
    """Save a model whose own code is importable from `nets`."""
    return save_model(model, RefitDir(folder), inputs=[inputs], own=OWN, module="nets")


def run_loading(saved: Saved, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the model that the printed lines load."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {**OWN}
    lines = [line for line in saved.loading.splitlines() if not line.startswith("from nets")]
    exec("\n".join(lines), names)
    return names["model"]


Make = Callable[[], Any]

MODELS: Mapping[str, Make] = {
    "sequential": lambda: train(chain(keras.layers.Dropout(0.2))),
    "not told its input": lambda: train(keras.Sequential([keras.layers.Dense(1)])),
    "own layer": lambda: train(chain(Doubled())),
    "own class": lambda: train(Net()),
    "own loss": lambda: train(chain(), own_loss),
    "loss in a function": lambda: train(chain(), lambda y, p: own_loss(y, p)),
    "weighted": lambda: train(chain(keras.layers.BatchNormalization(), keras.layers.Dense(5))),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models_come_back_in_both_forms(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both forms are there, and the printed lines load a model that predicts the same."""
    model = make()
    saved = save(model, tmp_path)

    assert EVERYTHING == sorted(path.name for path in tmp_path.iterdir())
    assert [] == list(saved.left_out)
    assert saved.check.endswith("the same for 256 rows of the data: equal to the last bit")
    loaded = run_loading(saved, tmp_path, monkeypatch)
    np.testing.assert_array_equal(model.predict(X, verbose=0), loaded.predict(X, verbose=0))


def test_own_classes_are_imported_by_name(tmp_path: Path) -> None:
    """The lines that load a model say from where its own classes are imported."""
    loading = save(train(chain(Doubled())), tmp_path).loading

    assert "from nets import Doubled" in loading
    assert 'custom_objects={"Doubled": Doubled}' in loading


def test_python_code_is_not_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lambda layer's code is in the .keras file; why there is no JSON is said in one line."""
    model = train(chain(keras.layers.Lambda(lambda x: 2 * x)))
    saved = save(model, tmp_path)

    (line,) = saved.left_out
    assert line.startswith("model.json with model.weights.h5 left out, as Keras cannot save it so")
    assert "\n" not in line
    assert ["model.keras"] == [path.name for path in tmp_path.iterdir()]
    loaded = run_loading(saved, tmp_path, monkeypatch)
    np.testing.assert_array_equal(model.predict(X, verbose=0), loaded.predict(X, verbose=0))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Chain([keras.layers.Dense(1)]), "was created by passing non-serializable"),
        (Closed, "Unable to revive model from config"),
    ],
    ids=["without a config", "closed"],
)
def test_a_class_that_keras_cannot_make_leaves_its_weights(
    tmp_path: Path, make: Make, reason: str
) -> None:
    """Where only the experiment's code can build a model, its weights are saved alone."""
    model = train(make())
    saved = save(model, tmp_path)
    again = train(make())
    again.load_weights(tmp_path / "model.weights.h5")

    assert reason in saved.left_out[0]
    assert ["model.weights.h5"] == [path.name for path in tmp_path.iterdir()]
    np.testing.assert_array_equal(model.predict(X, verbose=0), again.predict(X, verbose=0))


def test_a_model_that_comes_back_otherwise_is_an_error(tmp_path: Path) -> None:
    """A layer whose config forgets a number is found out, and the file is named."""
    layer = Forgetful()
    layer.factor = 3.0
    with pytest.raises(LogdirError, match=r"model\.keras must predict what the trained model does"):
        save(train(chain(layer)), tmp_path)


@pytest.mark.parametrize("inputs", [np.ones((300, 7)), np.ones(300), 3, "text", None], ids=repr)
def test_rows_that_do_not_fit_are_replaced(tmp_path: Path, inputs: Any) -> None:
    """Where nothing known fits the model, as train reshaped it, random rows are compared."""
    saved = save(train(chain()), tmp_path, inputs=inputs)

    assert "the same for 256 random rows: equal to the last bit" in saved.check


def test_several_inputs_and_outputs_are_compared(tmp_path: Path) -> None:
    """A model of two inputs and two outputs comes back."""
    one, two = keras.Input((4,), name="one"), keras.Input((), dtype="int32", name="two")
    table = keras.layers.Embedding(3, 2)(two)
    joined = keras.layers.Concatenate()([one, table])
    model = keras.Model([one, two], {"a": keras.layers.Dense(1)(joined), "b": joined})
    both = [X, np.ones(300, "int32")]
    model.predict(both, verbose=0)

    assert "256 rows of the data" in save(model, tmp_path, inputs=both).check
    assert "256 random rows" in save(model, tmp_path, inputs=X).check


def test_few_rows_are_enough(tmp_path: Path) -> None:
    """Data of fewer rows than are compared is compared whole."""
    assert "for 3 rows of the data" in save(train(chain()), tmp_path, inputs=X[:3]).check
