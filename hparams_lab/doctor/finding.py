"""What is wrong in a log directory, in words, and what mends it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hparams_lab.logdir.layout import ExperimentDir

_NUM_SHOWN = 3
_DEFAULT_LOGDIR = "logs"

Mend = Callable[[], str]
"""Mends what was found without changing what was recorded; returns what was done."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    kind: str  # what it is, in a few words, the same for all of its kind
    problem: str  # what is wrong, and where: a sentence
    effect: str  # why it matters on the dashboard: a sentence
    advice: str  # what to do about it: a sentence
    paths: Sequence[Path] = ()  # of all that it is about, in order; absolute
    # None where nothing mends it without changing what was recorded
    mend: Mend | None = field(default=None, compare=False)


def name_some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are.

    Example:
        >>> name_some(["a", "b"]), name_some(["a", "b", "c", "d"])
        ('a, b', 'a, b, c, and 1 more')
    """
    shown = ", ".join(names[:_NUM_SHOWN])
    left = len(names) - _NUM_SHOWN
    return f"{shown}, and {left} more" if left > 0 else shown


def format_remedy(home: ExperimentDir, command: str, *ids: str) -> str:
    """Return a command about an experiment as it is typed."""
    logdir = home.path.parent
    where = [] if logdir == Path(_DEFAULT_LOGDIR).absolute() else [f"--logdir={logdir}"]
    return shlex.join(["hparams_lab", command, home.name, *ids, *where])
