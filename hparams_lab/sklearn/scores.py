"""Which scores a search has, and which of them is searched for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def name_scores(scorers: Any, scoring: Any, refit: Any) -> list[str]:
    """Return the tags of the scores as far as they are known, first what is searched for.

    Args:
        scorers: that scikit-learn made of `scoring`.
        scoring: as the user gave it.
        refit: likewise.
    """
    if isinstance(scoring, str):
        return [scoring]
    names = list(getattr(scorers, "_scorers", ()))  # a scoring function's are not known yet
    if isinstance(refit, str):
        return [refit, *(name for name in names if name != refit)]
    return names or ["score"]


def check_scores(scores: Any, scoring: Any, refit: Any) -> None:
    """Refuse several scores of a scoring function if none of them can be searched for.

    Args:
        scores: that it returned.
        scoring: as the user gave it.
        refit: likewise.

    Raises:
        ValueError: if `refit` names none of them.
    """
    if callable(scoring) and isinstance(scores, Mapping) and refit not in scores:
        raise ValueError(
            "refit must name the score that is searched for, as scoring returns several "
            f"({', '.join(scores)}); got {refit!r}. Name one of them."
        )
