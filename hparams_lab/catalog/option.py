"""Options: each is declared once, as a field of a dataclass, and everything derives from it.

    @dataclass(frozen=True, kw_only=True)
    class SlurmOptions(Options):
        partition: str | None = option("queue to submit to")
        num_nodes: int | None = option("nodes per run", at_least=1, unset=1)

The flag, its help and its check, the key in `sweep.json`, what `resume` keeps and what
`compare` calls it all come from the field's name, type and metadata.
"""

from __future__ import annotations

import math
import types
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from hparams_lab.errors import UsageError, did_you_mean

_KEY = "hparams_lab.option"


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a user may say of something, besides its name."""

    help: str  # one line, in lower case, without a full stop
    # of the field and, unless `flag` differs, of the flag; also the key in `sweep.json`
    name: str = ""
    type: type = str  # of the value: `bool`, `int`, `float`, `str`, or `tuple` for several words
    default: Any = None  # what the field has where the user says nothing
    # what None stands for, if that can be said in a word: shown by help and by `compare`
    unset: Any = None
    at_least: float | None = None  # lower bound, inclusive; None if there is none
    at_most: float | None = None  # upper bound, inclusive; None if there is none
    above: float | None = None  # lower bound, exclusive; None if there is none
    unit: str = ""  # of a number, in the plural: `seconds`
    # the legal values, which are asked for anew each time; empty if any is legal
    choices: Iterable[str] = ()
    needs: str = ""  # what an executor or strategy must have for the option to make sense
    label: str = ""  # what `compare` calls it
    flag: str = ""  # its name on the command line, where that is no name in Python, as `try`
    is_repeated: bool = False  # whether the flag is given several times, a word each
    is_kept: bool = True  # whether a sweep that is resumed keeps it

    def check(self, value: Any) -> None:
        """Refuse a value that breaks the option's rules; None breaks none.

        Raises:
            UsageError: with the rule, the value and what to do.
        """
        if value is None:
            return
        if self.choices and value not in (choices := [*self.choices]):
            hint = did_you_mean(str(value), choices) or " Name one of them."
            raise UsageError(
                f"--{self.flag} must be one of {', '.join(choices)}; got {value!r}.{hint}"
            )
        if self.above is not None and not self.above < value < math.inf:
            number = f"a number of {self.unit}" if self.unit else "a number"
            raise UsageError(
                f"--{self.flag} must be {number} above {self.above:g}; got {value}. Raise it."
            )
        if self.at_least is not None and not self.at_least <= value < math.inf:
            raise UsageError(
                f"--{self.flag} must be at least {self.at_least:g}; got {value}. Raise it."
            )
        if self.at_most is not None and value > self.at_most:
            raise UsageError(
                f"--{self.flag} must be at most {self.at_most:g}; got {value}. Lower it."
            )


def option(help: str, *, default: Any = None, **rules: Any) -> Any:  # noqa: A002 - absl's word
    """Return a dataclass field that is an option.

    Args:
        help: one line, in lower case, without a full stop.
        default: of the field.
        rules: other attributes of `Option`.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class LimitOptions(Options):
        ...     timeout_secs: float | None = option("stop after", above=0, unit="seconds")
        >>> [(each.name, each.type) for each in list_options(LimitOptions)]
        [('timeout_secs', <class 'float'>)]
    """
    return field(default=default, metadata={_KEY: Option(help=help, default=default, **rules)})


def list_options(owner: type) -> list[Option]:
    """Return the options of a dataclass, in the order of its fields."""
    if owner not in _KNOWN:
        _KNOWN[owner] = _read_options(owner)
    return _KNOWN[owner]


_KNOWN: dict[type, list[Option]] = {}


def _read_options(owner: type) -> list[Option]:
    hints = get_type_hints(owner)
    return [
        replace(
            declared,
            name=each.name,
            type=_find_type(hints[each.name]),
            flag=declared.flag or each.name,
            label=declared.label or each.name.replace("_", " "),
        )
        for each in fields(owner)
        if (declared := each.metadata.get(_KEY)) is not None
    ]


def _find_type(hint: Any) -> type:
    """Return `float` for `float | None`, and `tuple` for any sequence."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    origin: type = get_origin(hint) or hint
    return origin if origin in (bool, int, float, str) else tuple


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of dataclasses whose fields are options; values are checked as they are set.

    Raises:
        UsageError: if a value breaks its option's rules.
    """

    def __post_init__(self) -> None:
        for each in list_options(type(self)):
            each.check(getattr(self, each.name))

    @property
    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults, by name."""
        values = {each.name: getattr(self, each.name) for each in list_options(type(self))}
        defaults = {each.name: each.default for each in list_options(type(self))}
        return {name: value for name, value in values.items() if value != defaults[name]}
