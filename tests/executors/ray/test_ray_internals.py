"""What is used of Ray that is not public, and the versions that were tried."""

from __future__ import annotations

import pytest

from tests.support.versions import is_tried

# With the last, all tests in tests/executors/ray passed. Try a newer one before it is named here.
TRIED = ("2.49", "2.60")


def test_the_installed_version_was_tried() -> None:
    """A release beyond those that were tried is tried first."""
    pytest.importorskip("ray")

    assert is_tried("ray", *TRIED)
