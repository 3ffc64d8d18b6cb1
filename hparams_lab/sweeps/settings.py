"""Parse the words of `--set`, `--extend` and `--try` into values of a space."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import AssignmentError, UsageError


def parse_settings(space: SearchSpace, settings: Sequence[str]) -> dict[str, list[Value]]:
    """Return axis name to values, of the types of their domains.

    Args:
        space: that has the axes.
        settings: `AXIS=VALUE,...` each; a value with a comma stands in double quotes.

    Raises:
        AssignmentError: if an axis is unknown or a value outside its domain.
        UsageError: if a setting is of another form or names an axis again.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> parse_settings(SearchSpace([HParam("units", Discrete([8, 16]))]), ["units=8,16"])
        {'units': [8, 16]}
    """
    choices = split_settings("--set", settings)
    return {name: [space[name].parse(word) for word in words] for name, words in choices.items()}


def split_settings(flag: str, settings: Sequence[str]) -> dict[str, list[str]]:
    """Return axis name to the words of its values.

    Raises:
        UsageError: if a setting is of another form or names an axis again.
    """
    choices: dict[str, list[str]] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not text:
            raise UsageError(f"{flag} takes AXIS=VALUE,...; got {setting!r}. Write it so.")
        if name in choices:
            raise UsageError(f"{flag} must name an axis once; got {name!r} again. Join its values.")
        choices[name] = _split_words(flag, "AXIS=VALUE,...", setting, text)
    return choices


def parse_tries(space: SearchSpace, tries: Sequence[str]) -> tuple[Assignment, ...]:
    """Return the points that are to be run first, each once.

    Args:
        space: that they lie in.
        tries: `AXIS=VALUE,AXIS=VALUE,...` each; what holds a comma stands in double
            quotes, name and all. An axis with one value need not be named.

    Raises:
        AssignmentError: if one is no point of the space.
        UsageError: if one is of another form.

    Example:
        >>> from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam
        >>> space = SearchSpace([HParam("units", Discrete([8, 16]))])
        >>> parse_tries(space, ["units=16"])
        (Assignment({'units': 16}),)
    """
    return tuple(dict.fromkeys(_parse_try(space, text) for text in tries))


def _parse_try(space: SearchSpace, text: str) -> Assignment:
    form = "AXIS=VALUE,AXIS=VALUE,..."
    values: dict[str, Value] = {}
    for word in _split_words("--try", form, text, text):
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--try takes {form}; got {text!r}. Write it so.")
        if name in values:
            raise UsageError(f"--try must name an axis once; got {name!r} again. Drop one.")
        try:
            values[name] = space[name].parse(value)
        except AssignmentError as error:
            raise AssignmentError(f"--try {text}: {error}") from None
    for axis in space:
        is_there = all(values.get(name) in allowed for name, allowed in axis.conditions.items())
        if len(axis.levels) == 1 and axis.name not in values and is_there:
            values[axis.name] = axis.levels[0]
    try:
        return space.validate(values)
    except AssignmentError as error:
        problem = str(error).replace("\n", " ")
        raise AssignmentError(f"--try {text}: {problem}") from None


def _split_words(flag: str, form: str, setting: str, text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise UsageError(
            f"{flag} takes {form} with double quotes in pairs; got {setting!r} ({error}). "
            "Quote the value."
        ) from None
