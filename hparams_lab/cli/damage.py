"""Saying on stderr which files a command could not read, or only in part: a few, then how many."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

from hparams_lab.logdir.mounts import in_terms_of_urls
from hparams_lab.logdir.unreadable import LOGGER

_NUM_NAMED = 3


class _Told(logging.Handler):
    """Prints the first files, each once, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        for path, problem in getattr(record, "damage", {}).items():
            if str(path) not in self.paths:
                self.paths.add(str(path))
                if len(self.paths) <= _NUM_NAMED:
                    _print(f"damaged: {path}: {problem}")


@contextlib.contextmanager
def telling_damage(advice: str) -> Iterator[None]:
    """Print what is told of damaged files inside, and at the end how many more there are.

    Args:
        advice: the command that says more; empty where the one that runs does, and nothing is
            to be printed.
    """
    told = _Told() if advice else logging.NullHandler()
    kept = LOGGER.propagate
    LOGGER.propagate = False  # to whatever has set logging up
    LOGGER.addHandler(told)
    try:
        yield
    finally:
        LOGGER.removeHandler(told)
        LOGGER.propagate = kept
        if isinstance(told, _Told) and told.paths:
            unnamed = len(told.paths) - _NUM_NAMED
            more = f"and {unnamed} more damaged; " if unnamed > 0 else ""
            _print(f"{more}what is whole was read; for more: {advice}")


def _print(sentence: str) -> None:
    print(f"hparams_lab: {in_terms_of_urls(sentence)}", file=sys.stderr, flush=True)
