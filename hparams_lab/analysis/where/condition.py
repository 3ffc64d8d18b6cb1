"""Conditions on trials and runs: `accuracy > 0.9 and optimizer == "adam"`.

The language is a small part of Python's: names, numbers, texts in quotes, True, False,
None; comparisons, chained ones too; `and`, `or`, `not`; `in` and `not in` a list, or a
part of a text; + - * /; parentheses; abs, lower, max, min, round. A name that is no plain
word stands in backticks: `` `best/accuracy` > 0.9 ``, `` `lambda` < 1 ``.

What is missing, as it is not there, is None or is NaN, follows SQL's logic of three
values: whatever is compared or reckoned with it is neither true nor false, and so is its
negation. A row is selected where the condition is true, so neither `dropout > 0.2` nor
`not dropout > 0.2` nor `dropout != 0.2` selects one without a dropout, but
`dropout is None` does. A division by zero gives what is missing.

Numbers, texts, and True and False are not compared with each other. Two numbers, unless
both are integers, are equal if they are at the precision of 32 bits, as all that event
files keep: a run that reached 0.9 has an accuracy >= 0.9.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hparams_lab.analysis.where.expression import Evaluate, compile_condition
from hparams_lab.errors import UsageError, did_you_mean

_CONSTANTS = ("True", "False", "None")
_NUM_SHOWN = 12

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_QUOTED = re.compile(_STRING + r"|`([^`]*)`")
# What is written by habit of another language, outside texts, and what is meant.
_HABITS = (
    (re.compile(r"(?<![<>=!])=(?!=)"), "=="),
    (re.compile(r"<>"), "!="),
    (re.compile(r"&&?|\bAND\b"), "and"),
    (re.compile(r"\|\|?|\bOR\b"), "or"),
    (re.compile(r"!(?!=)|\bNOT\b"), "not"),
    (re.compile(r"\*\*|\^"), "* or /"),
)


@dataclass(frozen=True)
class Condition:
    """What is true or false of a trial or a run, given its values by name.

    Example:
        >>> condition = Condition.parse('accuracy > 0.9 and optimizer in ["adam", "sgd"]')
        >>> sorted(condition.names)
        ['accuracy', 'optimizer']
        >>> condition.matches({"accuracy": 0.95, "optimizer": "sgd"})
        True
        >>> condition.matches({"optimizer": "sgd"})
        False
    """

    text: str  # as written
    names: frozenset[str]  # that it asks for
    _evaluate: Evaluate = field(repr=False, compare=False)

    @staticmethod
    def parse(text: str) -> Condition:
        """Return the condition of a text.

        Raises:
            UsageError: if it is no condition; the sentence says where.
        """
        line = re.sub(r"\s", " ", text).strip()
        if not line:
            raise UsageError("a condition must not be empty. Write one, as accuracy > 0.9.")
        quoted: dict[int, str] = {}

        def blank(found: re.Match[str]) -> str:
            """Put a word of the same length for a name in backticks, so that places stay."""
            if found[1] is None:
                return found[0]
            quoted[found.start()] = found[1]
            return "_" * len(found[0])

        plain = _QUOTED.sub(blank, line)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what Python finds odd in a text
                evaluate, names = compile_condition(line, plain, quoted)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(_explain(line, plain, error)) from None
        return Condition(line, names, evaluate)

    def check(self, known: Iterable[str]) -> None:
        """Refuse names that nothing goes by.

        Args:
            known: all names that a row may have.

        Raises:
            UsageError: if the condition asks for another.
        """
        names = sorted(known)
        problems = [
            f"there is no {name!r} to ask for in {self.text!r}.{_hint_name(name, names)}"
            for name in sorted(self.names.difference(names))
        ]
        if problems:
            raise UsageError("\n".join(problems))

    def matches(self, names: Mapping[str, Any]) -> bool:
        """Return whether the condition is true; False if what is missing leaves it open.

        Args:
            names: values by name; one that is not there is missing.

        Raises:
            UsageError: if values of different kinds are compared.
        """
        return self._evaluate(names) is True


def _hint_name(name: str, known: list[str]) -> str:
    odd = [other for other in known if name in re.split(r"\W+", other) and other != name]
    if odd:
        return f" Put a name like {odd[0]!r} in backticks: `{odd[0]}`."
    if hint := did_you_mean(name, [*known, *_CONSTANTS]):
        return hint
    shown = ", ".join(known[:_NUM_SHOWN]) + (", ..." if len(known) > _NUM_SHOWN else "")
    return f" Put a text in quotes, or ask for one of: {shown or 'nothing'}."


def _explain(line: str, plain: str, error: Exception) -> str:
    masked = re.sub(_STRING, lambda found: "_" * len(found[0]), plain)
    for habit, meant in _HABITS:
        if found := habit.search(masked):
            return (
                f"a condition cannot hold {found[0]!r}; got it at place {found.start() + 1} of "
                f"{line!r}. Write {meant}."
            )
    place = min(getattr(error, "offset", None) or 1, len(line))
    return (
        f"a condition must be like accuracy > 0.9 and optimizer == 'adam'; got {line!r}, which is "
        f"none from place {place} on. Put texts in quotes, and names that are no plain words in "
        "backticks."
    )
