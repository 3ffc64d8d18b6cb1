"""Warn about unreadable or partly readable files.

By Python's logging, as whoever reads can do nothing about it: a notebook shows it where
logging is not set up otherwise, the command line counts what comes. No warning is given of what
is merely being written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

LOGGER = logging.getLogger("hparams_lab.damage")
"""Its records have `damage`: by path, what is wrong there."""

_NUM_NAMED = 3


def warn_unreadable(damage: Mapping[Path, str]) -> None:
    """Warn of what in a log directory is not read.

    Args:
        damage: by file or directory, what is wrong with it; nothing is said of none.
    """
    if damage:
        named = [f"{path}: {damage[path]}" for path in list(damage)[:_NUM_NAMED]]
        more = len(damage) - len(named)
        others = f" So are {more} more." if more else ""
        LOGGER.warning(
            "damaged: %s%s What is whole was read; hparams_lab doctor says more.",
            " ".join(named),
            others,
            extra={"damage": damage},
        )
