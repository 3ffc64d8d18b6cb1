"""Searches that are fast, also on a machine that is busy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Fit in one thread: on small data, several mostly wait for each other."""
    with threadpool_limits(limits=1):
        yield
