"""What a command prints: a table for people, or the same as one JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from absl import flags

from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.logdir.mounts import in_terms_of_urls

TABLE = "table"
JSON = "json"


def define_format(values: flags.FlagValues, *formats: str) -> None:
    """Add `--format`, the first of the formats its default; a table or JSON if none is given."""
    known = formats or (TABLE, JSON)
    flags.DEFINE_string(
        "format", known[0], f"of what is written: {', '.join(known)}", flag_values=values
    )


def format_of(values: flags.FlagValues, *formats: str) -> str:
    """Return the format that the flags name, one of those `define_format` was given.

    Raises:
        UsageError: if they name another.
    """
    known = formats or (TABLE, JSON)
    if values.format not in known:
        hint = did_you_mean(values.format, known) or f" Choose of {', '.join(known)}."
        raise UsageError(f"--format must name a format; got {values.format!r}.{hint}")
    return str(values.format)


def print_json(data: Any) -> None:
    """Print data as one JSON document: what no JSON can say, as NaN, is null."""
    # Without indents: with them Python takes six times as long for ten thousand trials.
    print(json.dumps(to_plain(data), ensure_ascii=False, allow_nan=False))


def to_plain(data: Any) -> Any:
    """Return data as JSON has it: dataclasses and mappings as objects, paths and enums as text."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if data is None or isinstance(data, str | int):
        return data
    if isinstance(data, Enum):
        return data.value
    if isinstance(data, PurePath):
        return in_terms_of_urls(str(data))
    if is_dataclass(data) and not isinstance(data, type):
        return {field.name: to_plain(getattr(data, field.name)) for field in fields(data)}
    if isinstance(data, Mapping):
        return {str(key): to_plain(value) for key, value in data.items()}
    if isinstance(data, Sequence | set | frozenset):
        return [to_plain(item) for item in data]
    return to_plain(data.item()) if hasattr(data, "item") else str(data)  # NumPy's scalars
