"""Any log directory as a local one, for as long as something is done with it."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from hparams_lab.remote.url import is_url, refuse_lost_slash


@contextlib.contextmanager
def opened(logdir: str | os.PathLike[str], *, writes: bool = False) -> Iterator[Path]:
    """Return a log directory's folder; of a URL that which stands for it, with what is there.

    Args:
        logdir: a path, or a URL.
        writes: whether something is to be written into it, which is then sent.

    Raises:
        UsageError: if nothing that is installed knows such URLs, or a path was a URL once.
        LogdirError: if the URL cannot be reached. What could not be sent is kept.
    """
    if not isinstance(logdir, str) or not is_url(logdir):
        refuse_lost_slash(os.fspath(logdir))
        yield Path(logdir)
        return
    # It imports fsspec, which nobody needs whose log directory is a folder.
    from hparams_lab.logdir.mounts import remove_mount
    from hparams_lab.remote.logdir import mount_url

    mount = mount_url(logdir, warn=_warn)
    if writes:
        mount.write()
    try:
        yield mount.root
    finally:
        mount.num_users -= 1
        if not mount.num_users:
            remove_mount(mount)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=2)
