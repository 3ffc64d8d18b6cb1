"""Whether a model that was loaded back predicts what the trained one does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from hparams_lab.errors import LogdirError

_MAX_ROWS = 256

# What rounding may come to where sums are not taken in the same order.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Sample:
    """Rows that a model takes.

    Attributes:
        rows: arrays, nested as the model takes them.
        what: they are, in words.
        outputs: what the model predicts of them, `[num_outputs]` arrays.
    """

    rows: Any
    what: str
    outputs: Sequence[np.ndarray[Any, Any]]


def take_sample(model: Any, inputs: Iterable[Any]) -> Sample | None:
    """Return rows that a model takes, None if none are to be found.

    Args:
        model: trained.
        inputs: what it may take, likeliest first. If it takes none of them, and tells what
            it does take, the rows are random.
    """
    wanted = keras.tree.flatten(getattr(model, "inputs", None) or [])
    for x in inputs:
        try:
            rows = keras.tree.map_structure(lambda part: np.asarray(part[:_MAX_ROWS]), x)
            shapes = [part.shape for part in keras.tree.flatten(rows)]
            if not wanted or _match(shapes, [tensor.shape for tensor in wanted]):
                return Sample(rows, f"{shapes[0][0]} rows of the data", _predict(model, rows))
        except Exception:  # no input of this model: it is not known of what kind that is
            continue
    if not wanted:
        return None
    made = [_make_rows(tensor) for tensor in wanted]
    rows = made if len(made) > 1 else made[0]
    return Sample(rows, f"{_MAX_ROWS} random rows", _predict(model, rows))


def _make_rows(tensor: Any) -> np.ndarray[Any, Any]:
    shape = (_MAX_ROWS, *(size or 1 for size in tensor.shape[1:]))
    if "float" in tensor.dtype:
        return np.random.default_rng(0).random(shape).astype(tensor.dtype)
    return np.zeros(shape, tensor.dtype)  # a zero is legal in any table of embeddings


def _match(shapes: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int | None, ...]]) -> bool:
    return len(shapes) == len(wanted) and all(
        len(shape) == len(other)
        and all(size in (None, given) for size, given in zip(other[1:], shape[1:], strict=True))
        for shape, other in zip(shapes, wanted, strict=True)
    )


def _predict(model: Any, rows: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(part) for part in keras.tree.flatten(model.predict(rows, verbose=0))]


def compare(loaded: Any, sample: Sample, name: str) -> float:
    """Return the largest difference as a share of the outputs' size; 0 if they are the same.

    Args:
        loaded: the model, loaded back.
        sample: of the model as it was trained.
        name: of the files.

    Raises:
        LogdirError: if it is more than rounding.
    """
    largest = 0.0
    for output, expected in zip(_predict(loaded, sample.rows), sample.outputs, strict=True):
        if np.array_equal(output, expected, equal_nan=True):
            continue
        difference = np.abs(output.astype(float) - expected.astype(float)).max()
        largest = max(largest, difference / max(1.0, np.abs(expected.astype(float)).max()))
        if not largest <= _TOLERANCE:
            raise LogdirError(
                f"{name} must predict what the trained model does; loaded back, its predictions "
                f"differ by up to {difference:.2g}. Nothing was kept: look for a layer that is "
                "random, or whose config or weights are not saved."
            )
    return float(largest)


def tell_agreement(sample: Sample | None, differences: Sequence[float]) -> str:
    """Return how it was made sure that a model comes back, one sentence.

    Args:
        sample: None if nothing could be compared.
        differences: what `compare` returned for each form.
    """
    if sample is None:
        return "loaded back, but its predictions were not compared, as nothing it takes is known"
    largest = max(differences)
    agreement = "equal to the last bit" if largest == 0 else f"equal to within {largest:.1g}"
    return f"loaded back, it predicts the same for {sample.what}: {agreement}"
