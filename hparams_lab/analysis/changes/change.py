"""One thing that changed between two sweeps, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Topic(Enum):
    """What a change is about; the more decisive come first."""

    METRICS = "metrics"
    DATA = "data"
    CODE = "code"
    SPACE = "space"
    PACKAGES = "packages"
    SEARCH = "search"
    SEEDS = "seeds"
    MACHINE = "machine"
    EXECUTION = "execution"


@dataclass(frozen=True)
class Change:
    """One thing that changed."""

    topic: Topic  # what it is about
    name: str  # of the thing: an hparam, an option, a package
    # what it was, in words, empty where there is nothing to say of it; None where it was not
    # there
    before: str | None
    after: str | None  # what it is, likewise
    note: str = ""  # what else there is to say; may be empty

    def __str__(self) -> str:
        """Return it as one line.

        Example:
            >>> str(Change(Topic.SPACE, "units", "8, 16", "8, 16, 32", note="wider"))
            'units: 8, 16 -> 8, 16, 32 (wider)'
            >>> str(Change(Topic.SPACE, "units", None, "8, 16"))
            'units: added, 8, 16'
        """
        if self.before is None:
            words = f"added, {self.after}" if self.after else "added"
        elif self.after is None:
            words = f"removed, was {self.before}" if self.before else "removed"
        else:
            words = f"{self.before} -> {self.after}"
        return f"{self.name}: {words}" + (f" ({self.note})" if self.note else "")
