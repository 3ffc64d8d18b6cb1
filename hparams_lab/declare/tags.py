"""The scalar tags that are written beside the user's own."""

from __future__ import annotations

BUDGET = "epochs_run"
"""How many values a run that might be pruned has reported: its epochs, as a rule."""

RUNG = "rung"
"""How many rungs of the pruner's ladder such a run has completed."""


_PREFIXES = ("report/", "std/", "n/", "ci95_low/", "ci95_high/", "best/")


def is_ours(tag: str) -> bool:
    """Return whether a tag is none for the user's own scalars."""
    return tag in (BUDGET, RUNG) or tag.startswith(_PREFIXES)


def reported(metric: str) -> str:
    """Return the tag of what is reported of a metric on the way.

    Not the metric's own: the dashboard shows the last value of that as the run's result,
    which what a pruned run had reached is not.
    """
    return f"report/{metric}"


def std(metric: str) -> str:
    """Return the tag of a trial's standard deviation over its runs."""
    return f"std/{metric}"


def count(metric: str) -> str:
    """Return the tag of how many runs a trial's mean is of; it says that the trial is over."""
    return f"n/{metric}"


def low(metric: str) -> str:
    """Return the tag of the lower end of the mean's 95 % interval."""
    return f"ci95_low/{metric}"


def high(metric: str) -> str:
    """Return the tag of the upper end of the mean's 95 % interval."""
    return f"ci95_high/{metric}"


def spread(metric: str) -> tuple[str, str, str, str]:
    """Return the tags of how sure a trial's mean is, of which it has one each."""
    return std(metric), count(metric), low(metric), high(metric)
