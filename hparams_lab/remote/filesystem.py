"""Opening a URL with fsspec, and what its libraries raise in words for the user."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from hparams_lab.errors import HParamsLabError, LogdirError, UsageError
from hparams_lab.text import truncate

_INSTALL = "pip install 'hparams_lab[remote]'"


def preload(url: str) -> None:
    """Import what it takes to reach a URL, without reaching for it: no thread is started.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
    """
    with _telling_of_packages(url):
        from fsspec import get_filesystem_class

        get_filesystem_class(url.partition("://")[0])


def open_url(url: str) -> tuple[Any, str]:
    """Return fsspec's filesystem for a URL, and what it calls the place.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
        LogdirError: if it cannot be opened.
    """
    with _telling_of_packages(url):
        from fsspec.core import url_to_fs

        try:
            return url_to_fs(url)  # type: ignore[no-any-return]
        except (ImportError, ValueError):
            raise
        except Exception as error:
            raise LogdirError(describe_failure(url, error)) from error


@contextlib.contextmanager
def _telling_of_packages(url: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"--logdir={url} is a URL, for which a package is missing: {_shorten(error)}. For "
            f"s3:// run {_INSTALL}; gs:// takes gcsfs, az:// adlfs."
        ) from error
    except HParamsLabError:
        raise
    except ValueError as error:
        raise UsageError(
            f"--logdir={url} is no URL that can be logged to: {_shorten(error)}. Name one such as "
            "s3://bucket/logs."
        ) from error


def describe_failure(url: str, error: Exception) -> str:
    """Return what went wrong with a URL, and what to do: libraries raise whatever they like."""
    kind = type(error).__name__
    advice = "Check the URL, the network and the credentials."
    if "Credential" in kind or isinstance(error, PermissionError):
        advice = "Set the credentials, or have it allowed."
    if isinstance(error, FileNotFoundError):
        advice = "Make the bucket, or check the URL."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "Make room, or name another folder with HPARAMS_LAB_CACHE_DIR."
    return f"cannot use {url}: {kind}: {_shorten(error)}. {advice}"


def _shorten(error: Exception) -> str:
    return truncate(" ".join(str(error).split()).rstrip("."), 300)
