"""`hparams_lab delete`: sweeps, trials and runs away for good, once that is confirmed."""

from __future__ import annotations

import sys

from absl import flags

from hparams_lab.cli.commands.archive import announce, refresh_configs
from hparams_lab.cli.flags.formats import JSON, format_of
from hparams_lab.cli.inputs.entries import (
    choose,
    define_choice,
    describe_extents,
    find_home,
    measure,
    print_extents,
)
from hparams_lab.cli.logdir import logdir_of
from hparams_lab.errors import UsageError
from hparams_lab.logdir.archive import check, delete


def define_flags(values: flags.FlagValues) -> None:
    define_choice(values)
    flags.DEFINE_bool("yes", False, "delete without asking", flag_values=values)
    flags.DEFINE_bool("archived", False, "of what was archived", flag_values=values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    logdir = logdir_of(values, writes=not values.dry_run, removes=True)
    home = find_home(logdir, words[0], archived=values.archived)
    entries = choose(values, home, words[1:])
    extents = [measure(entry) for entry in entries]
    check(entries, moves=False)
    if entries and not values.dry_run:
        if not values.yes:
            if format_of(values) != JSON:
                print_extents(extents)
            if not _confirm(f"delete {describe_extents(extents)}, for good?"):
                print("nothing was deleted", file=sys.stderr)
                return 0
        delete(entries)
    announce(values, "delete", extents)
    if entries and not values.dry_run:
        refresh_configs(home)
    return 0


def _confirm(question: str) -> bool:
    """Return whether the user says yes, on the terminal.

    Raises:
        UsageError: if there is none.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "what is deleted is gone, and there is no terminal to ask at. Add --yes to delete it, "
            "or --dry_run to see what would go."
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
