"""Parse times such as `7d` or `2026-11-21`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from hparams_lab.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d+(?:\.\d+)?)([mhdw])")
_SWEEP_ID = re.compile(r"(\d{4}-\d\d-\d\d)_(\d\d)-(\d\d)-(\d\d)(?:-[0-9a-f]{4})?")


def parse_time(text: str, now: datetime, *, end_of_day: bool = False) -> datetime:
    """Return the local time that a word means.

    Args:
        text: `90m`, `12h`, `7d` or `2w` before now; a day, as `2026-11-21`; a time in ISO
            8601; or the id of a sweep.
        now: the local time, with its offset.
        end_of_day: whether a day means its last moment, and not its first.

    Raises:
        UsageError: if it is none of these.

    Example:
        >>> now = datetime(2026, 11, 21, 12).astimezone()
        >>> parse_time("2d", now).day, parse_time("2026-11-20", now, end_of_day=True).hour
        (19, 23)
    """
    word = text.strip()
    if ago := _AGO.fullmatch(word):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        except OverflowError:
            return datetime.min.replace(tzinfo=now.tzinfo)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", word) and end_of_day:
            word += "T23:59:59.999999"
        return datetime.fromisoformat(_SWEEP_ID.sub(r"\1T\2:\3:\4", word)).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"a time must be like 7d, 12h, 2026-11-21 or 2026-11-21T18:00; got {text!r}. Write "
            "one of these."
        ) from None


@dataclass(frozen=True)
class Period:
    """The time from one moment to another, both included."""

    since: datetime | None = None  # None if there is no limit
    until: datetime | None = None  # likewise

    @staticmethod
    def parse(since: str | None, until: str | None, now: datetime) -> Period:
        """Return the period between two times as `parse_time` takes them, a day to its end.

        Raises:
            UsageError: if one is no time, or the end is before the beginning.
        """
        now = now.astimezone()
        first = None if since is None else parse_time(since, now)
        last = None if until is None else parse_time(until, now, end_of_day=True)
        if first and last and last < first:
            raise UsageError(
                f"until must not be before since; got since={since} and until={until}. Exchange "
                "them."
            )
        return Period(first, last)

    def __bool__(self) -> bool:
        """Whether it has a limit."""
        return bool(self.since or self.until)

    def __contains__(self, moment: datetime) -> bool:
        """Whether a time lies in it."""
        is_early = self.since is not None and moment < self.since
        return not is_early and not (self.until is not None and moment > self.until)
