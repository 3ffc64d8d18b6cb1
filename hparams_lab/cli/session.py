"""Log directories that are URLs, for the commands: each is mounted once, and in the end sent."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from hparams_lab.errors import HParamsLabError
from hparams_lab.logdir.mounts import in_terms_of_urls, remove_mounts


def mount_logdir(url: str, *, writes: bool, removes: bool, follows: bool) -> Path:
    """Return the directory that stands for a URL, with all that is there now.

    Args:
        url: of the log directory.
        writes: whether what is written into it is to be sent.
        removes: whether what goes from it is to go there, also outside of sweeps that are run.
        follows: whether what comes there is to come here, from now on.

    Raises:
        UsageError: if nothing that is installed knows such URLs.
        LogdirError: if it cannot be reached.
    """
    # It imports fsspec, which nobody needs whose log directory is a folder.
    from hparams_lab.remote.logdir import mount_url

    mount = mount_url(url, warn=_warn)
    if writes:
        mount.write(removes=removes)
    if follows:
        mount.follow()
    return mount.root


@contextlib.contextmanager
def unmounting() -> Iterator[None]:
    """Send what was written into URLs when the command is over, however it ended.

    Raises:
        LogdirError: if something cannot be sent, unless something else is wrong already.
    """
    try:
        yield
    except HParamsLabError:
        try:
            remove_mounts()
        except HParamsLabError as error:
            _warn(str(error))
        raise
    except BaseException:
        remove_mounts()
        raise
    remove_mounts()


def _warn(sentence: str) -> None:
    print(f"hparams_lab: {in_terms_of_urls(sentence)}", file=sys.stderr, flush=True)
