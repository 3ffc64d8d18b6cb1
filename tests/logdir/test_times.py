"""Times as a user says them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.errors import UsageError
from hparams_lab.logdir.times import parse_time

NOW = datetime(2026, 11, 21, 12).astimezone()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("1.5d", timedelta(days=1.5)),
        ("2w", timedelta(weeks=2)),
        (" 7d ", timedelta(days=7)),
    ],
)
def test_a_span_is_before_now(text: str, expected: timedelta) -> None:
    """A number with a unit is that long ago."""
    assert expected == NOW - parse_time(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20T18:30", datetime(2026, 11, 20, 18, 30)),
        ("2026-11-20 18:30:05", datetime(2026, 11, 20, 18, 30, 5)),
        ("2026-11-20_18-30-05", datetime(2026, 11, 20, 18, 30, 5)),
    ],
    ids=["day", "minute", "second", "sweep"],
)
def test_a_moment_is_local(text: str, expected: datetime) -> None:
    """A day, a time and a sweep's id are local times."""
    assert expected.astimezone() == parse_time(text, NOW)


def test_until_a_day_means_its_end() -> None:
    """A day that something ends with is meant to its last moment."""
    until = parse_time("2026-11-20", NOW, end_of_day=True)

    assert datetime(2026, 11, 21).astimezone() - until < timedelta(seconds=1)


def test_an_endless_span_is_as_long_ago_as_can_be() -> None:
    """A span beyond all calendars selects everything."""
    assert 1 == parse_time("9999999d", NOW).year


@given(st.text(max_size=30))
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    """Whatever is typed is a time or is answered by what one looks like."""
    try:
        parse_time(text, NOW)
    except UsageError as error:
        assert "a time must be like 7d" in str(error)


@pytest.mark.parametrize("text", ["yesterday", "7 days", "2026-13-01", "", "7"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A word that means no time is told what does."""
    with pytest.raises(UsageError, match="Write one of these"):
        parse_time(text, NOW)
