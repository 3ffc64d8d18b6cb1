"""What a search can be told besides its name, its space and its seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class SearchOptions:
    """Options of a search; None or nothing is its own default.

    Attributes:
        sampler: what proposes in bayes, hyperband and asha.
        pruner: what stops runs early.
        min_budget: values that a run reports before it can be stopped.
        reduction_factor: budget of a rung over that of the one before.
        order: axes that one_at_a_time tunes first.
        passes: how often one_at_a_time goes over all axes.
    """

    sampler: str | None = None
    pruner: str | None = None
    min_budget: int | None = None
    reduction_factor: int | None = None
    order: tuple[str, ...] = ()
    passes: int | None = None

    def encode_json(self) -> dict[str, Any]:
        """Return the options that are set as JSON data, the inverse of `decode_json`."""
        return {key: list(value) if key == "order" else value for key, value in self.given.items()}

    @property
    def given(self) -> dict[str, Any]:
        """The options that are set, by name."""
        return {key: value for key, value in asdict(self).items() if value not in (None, ())}

    @staticmethod
    def decode_json(data: Mapping[str, Any]) -> SearchOptions:
        """Return the options that `encode_json` wrote; unknown keys are passed over."""
        known = {
            field.name: data[field.name] for field in fields(SearchOptions) if field.name in data
        }
        return SearchOptions(**{**known, "order": tuple(known.get("order", ()))})
