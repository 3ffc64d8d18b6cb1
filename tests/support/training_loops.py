"""Training as tests need it: from the same blank state, for a run that remembers nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.models import Case

EPOCHS = 3
TOLERANCE = 1e-5
BATCH_SIZE = 32


@dataclass
class SilentRun:
    """A run that logs nothing."""

    seed: int = 1

    def callbacks(self) -> list[Any]:
        """Return none."""
        return []


def make_model(case: Case, seed: int = 7) -> Any:
    """Return the model of a case, as a new process would make it."""
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    return case.make()


def train_by_keras(case: Case, **arguments: Any) -> tuple[Any, dict[str, list[float]]]:
    """Return the model and the history of `model.fit`."""
    model = make_model(case)
    defaults = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "shuffle": False, "verbose": 0}
    history = model.fit(case.x, case.y, **{**defaults, **case.arguments, **arguments})
    return model, history.history


def train_by_lab(
    case: Case, *, run: Any = None, **arguments: Any
) -> tuple[Any, dict[str, list[float]]]:
    """Return the model and the history of `lab.keras.fit`."""
    from hparams_lab.keras import fit

    model = make_model(case)
    defaults = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "shuffle": False}
    all_arguments = {**defaults, **case.arguments, **arguments}
    history = fit(run or SilentRun(), model, case.x, case.y, **all_arguments)
    return model, history.history


def assert_equal_histories(
    expected: dict[str, list[float]], actual: dict[str, list[float]]
) -> None:
    """Compare names, their order, and values to within the tolerance."""
    assert list(expected) == list(actual)
    for name, values in expected.items():
        assert values == pytest.approx(actual[name], abs=TOLERANCE), name
