"""How the installed versions of two sweeps differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.runs.provenance import Provenance

_PYTHON = "python"
# What results are computed by; the others are counted.
_TELLING = (
    *(_PYTHON, "tensorflow", "keras", "numpy", "scikit-learn", "hparams-lab"),
    *("jax", "torch", "scipy", "pandas"),
)
_MAX_OTHERS_NAMED = 2


def compare_versions(before: Provenance, after: Provenance) -> list[Change]:
    """Return the packages whose versions differ, Python and the most telling ones first."""
    if (before.python, before.versions) == (after.python, after.versions):
        return []
    changes = _compare(_list_versions(before), _list_versions(after))
    return sorted(changes, key=lambda change: (_place(change), change.name))


def sum_up(changes: Sequence[Change]) -> list[str]:
    """Return a line for each telling package, and one that counts the others.

    Args:
        changes: of packages, as `compare_versions` sorts them.
    """
    telling = [change for change in changes if change.name in _TELLING]
    others = changes[len(telling) :]
    lines = [str(change) for change in telling]
    if len(others) <= _MAX_OTHERS_NAMED:
        return lines + [str(change) for change in others]
    if not telling:
        return [f"{len(others)} packages differ, {others[0].name} and others"]
    return [*lines, f"and {len(others)} other packages"]


def _place(change: Change) -> int:
    return _TELLING.index(change.name) if change.name in _TELLING else len(_TELLING)


def _compare(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(Topic.PACKAGES, name, before.get(name), after.get(name))


def _list_versions(provenance: Provenance) -> dict[str, str]:
    """Return the versions by normalized name, which differs with the installer; see PEP 503."""
    packages = {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, version in provenance.versions.items()
    }
    return {_PYTHON: provenance.python, **packages}
