"""Every error a user can meet."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from hparams_lab import errors
from hparams_lab.errors import DeclarationError, HParamsLabError, Pruned, did_you_mean

ERRORS = [
    member
    for _, member in inspect.getmembers(errors, inspect.isclass)
    if issubclass(member, Exception)
]
BUILT_IN = {
    "AssignmentError": ValueError,
    "DeclarationError": ValueError,
    "EventFormatError": ValueError,
    "ExecutorError": RuntimeError,
    "ExperimentLoadError": ImportError,
    "LogdirError": OSError,
    "StorageError": OSError,
    "UnknownExperimentError": LookupError,
    "UsageError": ValueError,
}


def test_each_error_is_also_a_built_in_one() -> None:
    """A generic handler catches our errors too; a pruned run is no error."""
    found = {error.__name__ for error in ERRORS if issubclass(error, HParamsLabError)}

    assert {*BUILT_IN, "HParamsLabError"} == found
    for name, built_in in BUILT_IN.items():
        assert issubclass(getattr(errors, name), built_in)
    assert not issubclass(Pruned, HParamsLabError)


def test_the_module_shows_the_tree() -> None:
    """The docstring names each error with its built-in base."""
    tree = dict(re.findall(r"(\w+) \((\w+)\)", inspect.getdoc(errors) or ""))
    expected = {name: built_in.__name__ for name, built_in in BUILT_IN.items()}

    assert {**expected, "Diverged": "ArithmeticError", "Pruned": "Exception"} == tree


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_what_it_was_told(error: type[Exception]) -> None:
    """The text of an error is its sentence, as it is printed."""
    given = ["one sentence."] if error is DeclarationError else "one sentence."

    assert str(error(given)) == "one sentence."


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_crosses_processes(error: type[Exception]) -> None:
    """An unpickled error has its type and text."""
    original = error(["a.", "b."]) if error is DeclarationError else error("a.")
    again = pickle.loads(pickle.dumps(original))

    assert type(original) is type(again)
    assert str(original) == str(again)


def test_a_declaration_error_keeps_its_problems() -> None:
    """Problems are one sentence each, kept one by one, also in another process."""
    error = DeclarationError(problem for problem in ("first.", "second."))
    again = pickle.loads(pickle.dumps(error))

    assert error.problems == ("first.", "second.")
    assert str(error) == "first.\nsecond."
    assert error.problems == again.problems


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("learning_rat", ["learning_rate", "dropout"], " Did you mean 'learning_rate'?"),
        ("droput", iter(["learning_rate", "dropout"]), " Did you mean 'dropout'?"),
        ("it's", ["it`s"], """ Did you mean 'it`s'?"""),
        ("zzz", ["learning_rate"], ""),
        ("x", [], ""),
        ("", ["learning_rate"], ""),
    ],
    ids=["closest", "iterator", "quotes", "none_close", "no_candidate", "empty"],
)
def test_the_closest_name_is_offered(name: str, candidates: list[str], expected: str) -> None:
    """The hint is a sentence that can be put behind another one, or nothing."""
    assert expected == did_you_mean(name, candidates)
