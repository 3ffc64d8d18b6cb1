"""A command of the command line: its words, its flags, what it does."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import flags

from hparams_lab.cli.session import mount_logdir
from hparams_lab.errors import UsageError, did_you_mean
from hparams_lab.logdir.mounts import in_terms_of_urls
from hparams_lab.remote.url import is_url, refuse_lost_slash

_DEFAULT_LOGDIR = "logs"

_ANY_MORE = " ...]"


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: the word on the command line.
        arguments: its positional words, as help shows them; optional ones in [], the last
            with `...` if it may be several.
        summary: one line.
        define_flags: adds its flags to the values.
        run: called with the parsed flags and the positional words; returns the exit code.
    """

    name: str
    arguments: str
    summary: str
    define_flags: Callable[[flags.FlagValues], None]
    run: Callable[[flags.FlagValues, list[str]], int]

    def parse(self, words: Sequence[str]) -> tuple[flags.FlagValues, list[str]]:
        """Return the flags and the positional words.

        Raises:
            UsageError: if a flag is unknown or has an illegal value, or a word is
                missing or superfluous.
        """
        values = self._make_flags()
        try:
            positional = values([self.name, *words])[1:]
        except flags.UnrecognizedFlagError as error:
            known = [f"--{name}" for name in values]
            hint = did_you_mean(f"--{error.flagname}", known)
            raise UsageError(
                f"{self.name} has no flag --{error.flagname}."
                f"{hint or f' See hparams_lab {self.name} --help.'}"
            ) from None
        except flags.Error as error:
            raise UsageError(f"{error}. See hparams_lab {self.name} --help.") from None
        wanted = self.arguments.replace(_ANY_MORE, "]").split()
        needed = [word for word in wanted if not word.startswith("[")]
        most = math.inf if _ANY_MORE in self.arguments else len(wanted)
        if not len(needed) <= len(positional) <= most:
            raise UsageError(
                f"{self.name} takes {self.arguments or 'no words'}; got "
                f"{' '.join(positional) or 'none'}. See hparams_lab {self.name} --help."
            )
        return values, positional

    def format_help(self) -> str:
        """Return usage, summary and flags."""
        values = self._make_flags()
        lines = [f"hparams_lab {self.name} {self.arguments} [flags]", "", self.summary]
        names = sorted(values)
        if names:
            lines += ["", "flags:"]
        for name in names:
            flag = values[name]
            default = "" if flag.default in (None, [], False) else f" (default {flag.default})"
            dash = f"--{name}" if flag.boolean else f"--{name}=..."
            lines.append(f"  {dash:<16} {flag.help}{default}")
        return "\n".join(lines)

    def _make_flags(self) -> flags.FlagValues:
        values = flags.FlagValues()  # type: ignore[no-untyped-call]  # absl has no types
        values.set_gnu_getopt(True)  # flags may stand behind the words
        self.define_flags(values)
        return values


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
        return mount_logdir(values.logdir, writes=writes, removes=removes, follows=follows)
    refuse_lost_slash(values.logdir)
    try:
        return Path(values.logdir).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"--logdir={values.logdir}: {error} Write the path out.") from error
