"""What a URL is, and where its mirror lies."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from hparams_lab.errors import UsageError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

# As pathlib has it; one letter is a drive.
_SLASH_LOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")

# As events.cache has it, for what saves time; a mirror is needed, so that it lies with the
# user's other caches where that one is to be none.
_DIR_VARIABLE = "HPARAMS_LAB_CACHE_DIR"

SECS_VARIABLE = "HPARAMS_LAB_UPLOAD_SECS"
"""Names another interval than `UPLOAD_SECS`."""

UPLOAD_SECS = 15.0
"""How often what was written is uploaded; what a killed machine had not, is lost."""


def is_url(text: object) -> bool:
    """Return whether a log directory is named by a URL and not by a path.

    Example:
        >>> is_url("s3://bucket/logs"), is_url("logs"), is_url("C:/logs")
        (True, False, False)
    """
    return isinstance(text, str) and _URL.match(text) is not None


def refuse_lost_slash(path: str) -> None:
    """Refuse a path that was a URL before somebody made a path of it.

    Raises:
        UsageError: if it was one: it would be a folder here, and nobody would see it elsewhere.
    """
    if _SLASH_LOST.match(path):
        raise UsageError(
            f"{path} has one slash where a URL has two, as after pathlib.Path(URL). Write the "
            "log directory's URL as text, such as s3://bucket/logs."
        )


def mirror_dir(url: str) -> Path:
    """Return the directory of a URL's mirror, which need not exist.

    Args:
        url: as `Store.url` has it.
    """
    named = os.environ.get(_DIR_VARIABLE)
    if not named:
        from platformdirs import user_cache_dir

        named = user_cache_dir("hparams_lab")
    digest = hashlib.sha256(url.encode()).hexdigest()[:32]
    return Path(named).absolute() / "mirrors" / digest


def read_upload_secs() -> float:
    """Return how often what was written is uploaded.

    Raises:
        UsageError: if the user has named what is no time.
    """
    text = os.environ.get(SECS_VARIABLE)
    if not text:
        return UPLOAD_SECS
    try:
        secs = float(text)
    except ValueError:
        secs = 0.0
    if not 0.1 <= secs <= 3600.0:
        raise UsageError(
            f"{SECS_VARIABLE} must lie in [0.1, 3600]; got {text!r}. Unset it for {UPLOAD_SECS:g}."
        )
    return secs
