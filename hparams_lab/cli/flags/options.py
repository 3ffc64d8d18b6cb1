"""Flags of what is declared as options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from absl import flags

from hparams_lab.catalog.option import Option

_DEFINE: dict[type, Any] = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def define_options(
    values: flags.FlagValues, options: Iterable[Option], *, resuming: bool = False
) -> None:
    """Add the flags of options.

    Args:
        values: get the flags.
        options: that the flags set.
        resuming: whether what is not given is as it was before.
    """
    for each in options:
        text = each.help + _describe_default(each, resuming=resuming)
        if each.type is bool:
            flags.DEFINE_bool(each.flag, each.default, text, flag_values=values)
        elif each.is_repeated:
            flags.DEFINE_multi_string(each.flag, [], text, flag_values=values)
        elif each.type is tuple:
            flags.DEFINE_list(each.flag, [], text, flag_values=values)
        else:
            _DEFINE[each.type](each.flag, each.default, text, flag_values=values)


def options_given(values: flags.FlagValues, options: Iterable[Option]) -> dict[str, Any]:
    """Return the values that flags of `define_options` have, by option."""
    found: dict[str, Any] = {}
    for each in options:
        value = values[each.flag].value
        found[each.name] = tuple(value or ()) if each.type is tuple else value
    return found


def _describe_default(option: Option, *, resuming: bool) -> str:
    choices = f": {', '.join(option.choices)}" if option.choices else ""
    if resuming and option.is_kept:
        return f"{choices} (default: as before)"
    return choices + ("" if option.unset is None else f" (default: {option.unset})")
