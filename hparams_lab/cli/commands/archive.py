"""`hparams_lab archive`: move sweeps, trials and runs out of sight, until they are restored."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from hparams_lab.cli.flags.formats import JSON, format_of, print_json
from hparams_lab.cli.inputs.entries import (
    Extent,
    choose,
    define_choice,
    describe_extents,
    find_home,
    measure,
    print_extents,
)
from hparams_lab.cli.logdir import format_command, logdir_of
from hparams_lab.cli.output.tables import make_console
from hparams_lab.errors import LogdirError
from hparams_lab.events.write.config import write_config
from hparams_lab.logdir.archive import check, move
from hparams_lab.logdir.entry import Entry
from hparams_lab.logdir.layout import ExperimentDir

define_flags = define_choice


def run(values: flags.FlagValues, words: list[str]) -> int:
    home = find_home(logdir_of(values, writes=not values.dry_run, removes=True), words[0])
    back = format_command(["restore", home.name], logdir_of(values))
    return relocate(values, choose(values, home, words[1:]), "archive", f"Back: {back} ID ...")


def relocate(values: flags.FlagValues, entries: Sequence[Entry], verb: str, hint: str = "") -> int:
    """Move entries to the archive or back, print that, and return the exit code.

    Args:
        values: with the flags of `define_choice`.
        entries: what goes, of one experiment or its archive.
        verb: `archive` or `restore`.
        hint: printed once it is done.
    """
    extents = [measure(entry) for entry in entries]
    if values.dry_run:
        check(entries, moves=True)
    else:
        move(entries)
    announce(values, verb, extents, targets=[entry.elsewhere.path for entry in entries])
    if entries and not values.dry_run:
        if hint and format_of(values) != JSON:
            make_console().print(hint)
        refresh_configs(entries[0].home)
    return 0


def announce(
    values: flags.FlagValues, verb: str, extents: Sequence[Extent], *, targets: Sequence[Path] = ()
) -> None:
    """Print what was done, or would be, to which entries.

    Args:
        values: with `--format` and `--dry_run`.
        verb: what is done.
        extents: of the entries.
        targets: where they go; none if they go for good.
    """
    if format_of(values) == JSON:
        entries = [
            {
                **{"id": extent.id, "path": extent.path},
                **({"target": targets[place]} if targets else {}),
                **{"num_runs": extent.num_runs, "num_bytes": extent.num_bytes},
            }
            for place, extent in enumerate(extents)
        ]
        print_json({"command": verb, "dry_run": values.dry_run, "entries": entries})
        return
    console = make_console()
    if not extents:
        console.print(f"nothing to {verb}: nothing matches")
        return
    print_extents(extents)
    said = f"would {verb}" if values.dry_run else f"{verb.removesuffix('e')}ed"
    console.print(f"{said} {describe_extents(extents)}")


def refresh_configs(home: ExperimentDir) -> None:
    """Make the columns those of the sweeps that are left, there and in the archive.

    Args:
        home: directory of an experiment, or of what was archived of it.

    Raises:
        LogdirError: if a sweep that is left is unreadable.
    """
    origin = home.origin if home.is_archive else home
    with contextlib.suppress(LogdirError):  # nothing in the archive is in the way
        _refresh_config(origin.archive)
    _refresh_config(origin)


def _refresh_config(home: ExperimentDir) -> None:
    if not home.find_sweeps():
        home.config_file.unlink(missing_ok=True)
        for folder in (home.path, home.path.parent if home.is_archive else home.path):
            with contextlib.suppress(OSError):  # as something is in it
                folder.rmdir()
    if home.find_sweeps():  # one may have begun meanwhile
        try:
            write_config(home)
        except LogdirError:
            raise
        except OSError as error:
            raise LogdirError(f"cannot write to the log directory: {error}. Make room.") from error
