"""Saving a model in two forms, and making sure that it comes back from both.

The forms are one `.keras` file, and the architecture as JSON with the weights in HDF5. A
form that Keras cannot write or read for this model is left out; one that comes back as
another model is an error.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from hparams_lab.errors import LogdirError
from hparams_lab.logdir.layout import RefitDir
from hparams_lab.text import truncate

_MAX_REASON = 160

_ABOUT_LAMBDAS = "The object being serialized includes a `lambda`"


@dataclass(frozen=True)
class Saved:
    """A model on disk."""

    files: Sequence[str]  # what there is, one line each
    left_out: Sequence[str]  # which form is not there, and why, one sentence each
    check: str  # how it was made sure that the model comes back, one sentence
    loading: str  # Python code that loads it, in the folder of the files


@dataclass(frozen=True)
class _Form:
    """A way to save a model: its files and what they hold, and how they are read."""

    files: Mapping[Path, str]
    write: Callable[[], object]
    read: Callable[[], Any]
    loading: str

    @property
    def name(self) -> str:
        return " with ".join(path.name for path in self.files)

    @property
    def lines(self) -> list[str]:
        return [f"`{path.name}`: {what}" for path, what in self.files.items()]


def save_model(
    model: Any, folder: RefitDir, *, inputs: Iterable[Any], own: Mapping[str, Any], module: str
) -> Saved:
    """Save a model and load it back.

    Args:
        model: trained.
        folder: gets the files; it exists.
        inputs: what the model may have been trained on, likeliest first; predictions on the
            first rows of the first that it takes are compared.
        own: classes and functions of the user's by name, of which the model may be made.
        module: where those are imported from.

    Raises:
        LogdirError: if what is saved predicts otherwise than the model.
        OSError: if the files cannot be written.
    """
    sample = take_sample(model, inputs)
    saved: list[_Form] = []
    left_out: list[str] = []
    differences: list[float] = []
    try:
        forms = list(_list_forms(model, folder, own, module))
    except Exception as error:  # Keras raises what it likes of a model that it cannot save
        forms = []
        left_out.append(
            f"only the weights are saved, as the model is in no form: {_shorten(error)}"
        )
    for form in forms:
        try:
            form.write()
            loaded = form.read()
        except OSError:
            raise
        except Exception as error:
            for path in form.files:
                path.unlink(missing_ok=True)
            left_out.append(f"{form.name} left out, as Keras cannot save it so: {_shorten(error)}")
            continue
        saved.append(form)
        if sample is not None:
            differences.append(compare_predictions(loaded, sample, form.name))
    if not saved:
        return _save_weights(model, folder, left_out)
    return Saved(
        files=[line for form in saved for line in form.lines],
        left_out=left_out,
        check=tell_agreement(sample, differences),
        loading=saved[0].loading,
    )


def _save_weights(model: Any, folder: RefitDir, left_out: Sequence[str]) -> Saved:
    """Save what there always is: a long training is not lost over a class without a config."""
    model.save_weights(folder.weights_file)
    name = folder.weights_file.name
    return Saved(
        files=[f"`{name}`: the weights"],
        left_out=left_out,
        check="not loaded back, as only the experiment's own code can build the model",
        loading=f'model = ...  # as train builds it\nmodel.load_weights("{name}")',
    )


def _list_forms(
    model: Any, folder: RefitDir, own: Mapping[str, Any], module: str
) -> Iterator[_Form]:
    """Yield the forms, as far as Keras has a config of the model."""
    architecture, compilation = _describe(model)
    used = _list_used(architecture, own)
    # Predicting takes no loss; one that is made inside a function cannot be found again.
    knows_compilation = not _list_unknown(compilation, own) and not _has_lambda(compilation)
    if knows_compilation:
        used |= _list_used(compilation, own)
    names = sorted({name.rpartition(">")[2] for name in used})
    head = ["import keras", *([f"from {module} import {', '.join(names)}"] if used else []), ""]
    objects = ", ".join(f'"{name}": {name.rpartition(">")[2]}' for name in used)
    custom = [f"custom_objects={{{objects}}}"] if used else []
    is_safe = not _has_lambda(architecture)
    options = [*custom, *["compile=False"] * (not knows_compilation)]
    options += ["safe_mode=False"] * (not is_safe)
    yield _Form(
        {folder.model_file: "the whole model"},
        write=lambda: _write_whole(model, folder),
        # What code it holds is the user's own, of a minute ago.
        read=lambda: keras.models.load_model(
            folder.model_file, used, compile=knows_compilation, safe_mode=is_safe
        ),
        loading="\n".join([*head, _call("load_model", _quote(folder.model_file), *options)]),
    )
    text = f"open({_quote(folder.architecture_file)}).read()"
    load_weights = f"model.load_weights({_quote(folder.weights_file)})"
    yield _Form(
        {folder.architecture_file: "its architecture", folder.weights_file: "its weights"},
        write=lambda: _write_parts(model, architecture, folder),
        read=lambda: _read_parts(folder, used),
        loading="\n".join([*head, _call("model_from_json", text, *custom), load_weights]),
    )


def _quote(path: Path) -> str:
    return f'"{path.name}"'


def _call(function: str, *arguments: str) -> str:
    return f"model = keras.models.{function}({', '.join(arguments)})"


def _describe(model: Any) -> tuple[Any, Any]:
    """Return the config of a model without its compilation, and that of its compilation."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _ABOUT_LAMBDAS)  # the card says how to load them
        architecture = json.loads(model.to_json())
    return architecture, architecture.pop("compile_config", None)


def _has_lambda(config: Any) -> bool:
    return '"__lambda__"' in json.dumps(config)


def _write_whole(model: Any, folder: RefitDir) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _ABOUT_LAMBDAS)
        model.save(folder.model_file)


def _write_parts(model: Any, architecture: Any, folder: RefitDir) -> None:
    folder.architecture_file.write_text(json.dumps(architecture, indent=1) + "\n", "utf-8")
    model.save_weights(folder.weights_file)


def _read_parts(folder: RefitDir, own: Mapping[str, Any]) -> Any:
    text = folder.architecture_file.read_text("utf-8")
    model = keras.models.model_from_json(text, custom_objects=own)
    model.load_weights(folder.weights_file)
    return model


def _list_used(config: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user's own objects that a config names, by the names it has for them."""
    found = {name: own.get(name.rpartition(">")[2]) for name in _list_foreign(config)}
    return {name: thing for name, thing in found.items() if thing is not None}


def _list_unknown(config: Any, own: Mapping[str, Any]) -> set[str]:
    return {*_list_foreign(config)} - {*_list_used(config, own)}


def _list_foreign(config: Any) -> Iterator[str]:
    """Yield the names of classes and functions in a config that are not Keras's."""
    if isinstance(config, list):
        for item in config:
            yield from _list_foreign(item)
    elif isinstance(config, dict):
        if config.get("class_name") == "function":
            yield config["config"]
        elif config.get("registered_name") and "class_name" in config:
            yield config["registered_name"]
        for item in config.values():
            yield from _list_foreign(item)


def _shorten(error: Exception) -> str:
    """Return the first sentence of an error's text, or of the one that it quotes, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.partition("Exception encountered: ")[2] or text
    return truncate(text.partition(". ")[0].rstrip("."), _MAX_REASON)


_MAX_ROWS = 256

# What rounding may come to where sums are not taken in the same order.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Sample:
    """Rows that a model takes."""

    rows: Any  # arrays, nested as the model takes them
    what: str  # they are, in words
    # what the model predicts of them, `[num_outputs]` arrays
    outputs: Sequence[np.ndarray[Any, Any]]


def take_sample(model: Any, inputs: Iterable[Any]) -> Sample | None:
    """Return rows that a model takes, None if none are to be found.

    Args:
        model: trained.
        inputs: what it may take, likeliest first. If it takes none of them, and says what
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


def compare_predictions(loaded: Any, sample: Sample, name: str) -> float:
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
        differences: what `compare_predictions` returned for each form.
    """
    if sample is None:
        return "loaded back, but its predictions were not compared, as nothing it takes is known"
    largest = max(differences)
    agreement = "equal to the last bit" if largest == 0 else f"equal to within {largest:.1g}"
    return f"loaded back, it predicts the same for {sample.what}: {agreement}"
