"""Versions of installed packages, compared."""

from __future__ import annotations

from importlib.metadata import version


def is_tried(package: str, first: str, last: str) -> bool:
    """Return whether the installed release lies between two, by its first two numbers."""
    found, lowest, highest = (
        tuple(int(part) for part in text.split(".")[:2]) for text in (version(package), first, last)
    )
    return lowest <= found <= highest
