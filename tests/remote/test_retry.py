"""Retry with exponential backoff."""

from __future__ import annotations

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.remote import retry as patience
from hparams_lab.remote.retry import patiently


class _Network:
    """A network that fails for some calls."""

    def __init__(self, num_failures: int) -> None:
        self.num_calls = 0
        self._num_failures = num_failures

    def __call__(self) -> None:
        """Fail, or not."""
        self.num_calls += 1
        if self.num_calls <= self._num_failures:
            raise LogdirError("unplugged")


def test_what_fails_for_a_while_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails some times, and then does not, has been done once."""
    monkeypatch.setattr(patience, "_FIRST_PAUSE_SECS", 0.0)
    network = _Network(3)
    patiently(network, 60.0)

    assert 4 == network.num_calls


def test_what_goes_on_failing_is_reported() -> None:
    """Without time for another try, the failure is raised."""
    network = _Network(2)
    with pytest.raises(LogdirError, match="unplugged"):
        patiently(network, 0.0)

    assert 1 == network.num_calls
