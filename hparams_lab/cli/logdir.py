"""The log directory of a command: its flag, its mirror if it is a URL, its damaged files."""

from __future__ import annotations

import contextlib
import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import flags

from hparams_lab.errors import HParamsLabError, UsageError
from hparams_lab.logdir.mounts import in_terms_of_urls, remove_mounts, take_over
from hparams_lab.logdir.unreadable import LOGGER
from hparams_lab.remote.url import is_url, refuse_lost_slash

_DEFAULT_LOGDIR = "logs"

_NUM_NAMED = 3


def format_command(words: Sequence[str], logdir: Path) -> str:
    """Return a command as it is typed, with `--logdir` where it is not the default."""
    where = [] if logdir == Path(_DEFAULT_LOGDIR).absolute() else [f"--logdir={logdir}"]
    return shlex.join(map(in_terms_of_urls, ["hparams_lab", *words, *where]))


def define_logdir(values: flags.FlagValues) -> None:
    """Add `--logdir`, which nearly every command has."""
    flags.DEFINE_string(
        "logdir",
        _DEFAULT_LOGDIR,
        "folder of the experiments' log directories, or a URL such as s3://bucket/logs",
        flag_values=values,
    )


def define_take_over(values: flags.FlagValues) -> None:
    """Add `--take_over`, for what is done to sweeps."""
    flags.DEFINE_bool(
        "take_over",
        False,
        "also to a sweep that another machine holds, which is dead or stopped",
        flag_values=values,
    )


def logdir_of(
    values: flags.FlagValues,
    *,
    writes: bool = False,
    removes: bool = False,
    follows: bool = False,
) -> Path:
    """Return the log directory the flags name, absolute; of a URL, what stands for it here.

    Args:
        values: with the flags of `define_logdir`.
        writes: whether something is to be written into it.
        removes: whether something is also to be removed from it, outside of sweeps that are run.
        follows: whether what others write into it is to be seen from now on.

    Raises:
        UsageError: if they name none, or what was a URL once.
        LogdirError: if it is a URL that cannot be reached.
    """
    if not values.logdir:
        raise UsageError("--logdir must name a folder; got ''. Leave it out for ./logs.")
    if is_url(values.logdir):
        folder = _mount(values.logdir, writes=writes, removes=removes, follows=follows)
    else:
        refuse_lost_slash(values.logdir)
        try:
            folder = Path(values.logdir).expanduser().absolute()
        except RuntimeError as error:
            raise UsageError(f"--logdir={values.logdir}: {error} Write the path out.") from error
    if "take_over" in values and values.take_over:
        take_over(folder)
    return folder


def _mount(url: str, *, writes: bool, removes: bool, follows: bool) -> Path:
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


class _DamageHandler(logging.Handler):
    """Prints the first files, each once, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        for path, problem in getattr(record, "damage", {}).items():
            if str(path) not in self.paths:
                self.paths.add(str(path))
                if len(self.paths) <= _NUM_NAMED:
                    _warn(f"damaged: {path}: {problem}")


@contextlib.contextmanager
def warning_of_damage(advice: str) -> Iterator[None]:
    """Warn of the first damaged files that are read inside, and at the end count the others.

    Args:
        advice: the command that says more; empty where the one that runs does, and nothing is
            to be printed.
    """
    handler = _DamageHandler() if advice else logging.NullHandler()
    kept = LOGGER.propagate
    LOGGER.propagate = False  # to whatever has set logging up
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.propagate = kept
        if isinstance(handler, _DamageHandler) and handler.paths:
            unnamed = len(handler.paths) - _NUM_NAMED
            more = f"and {unnamed} more damaged; " if unnamed > 0 else ""
            _warn(f"{more}what is whole was read; for more: {advice}")


def _warn(sentence: str) -> None:
    print(f"hparams_lab: {in_terms_of_urls(sentence)}", file=sys.stderr, flush=True)
