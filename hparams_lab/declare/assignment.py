"""One point of a search space: an immutable mapping of hparam names to values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import HParam

from hparams_lab.declare.domains import Value
from hparams_lab.errors import did_you_mean


def name_of(key: HParam | str) -> str:
    """Return the name of an hparam given as itself or by name.

    Two `hp.HParam` of one name are neither equal nor of one hash, so names are the keys.
    """
    return key.name if isinstance(key, HParam) else str(key)


class Assignment(Mapping[str, Any]):
    """Values of the active hparams, looked up by `hp.HParam` or by name.

    Equal assignments hash alike, in any key order and in any process.

    Args:
        values: canonical values by `hp.HParam` or name; `SearchSpace.validate` makes
            them canonical.

    Example:
        >>> point = Assignment({"units": 16, "rate": 0.1})
        >>> point["units"], point.canonical_json
        (16, '{"rate":0.1,"units":16}')
    """

    def __init__(self, values: Mapping[Any, Value]) -> None:
        self._values = {name_of(key): value for key, value in values.items()}

    def __getitem__(self, key: HParam | str) -> Any:
        name = name_of(key)
        if name not in self._values:
            raise KeyError(
                f"hparam {name!r} has no value in this run: it is not declared, or its condition "
                f"does not hold here.{did_you_mean(name, self._values)} Use "
                f"run.hparams.get({name!r}) where it may be absent."
            )
        return self._values[name]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, HParam | str) and name_of(key) in self._values

    def get(self, key: HParam | str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` where it has none."""
        return self._values.get(name_of(key), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Assignment({self._values!r})"

    @property
    def canonical_json(self) -> str:
        """The assignment as JSON with sorted keys and no spaces: equal points, equal text."""
        return json.dumps(
            self._values,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )

    @property
    def digest(self) -> str:
        """Eight hex digits of the SHA-256 of `canonical_json`."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()[:8]
