"""What `archive`, `restore` and `delete` take: chosen by ids and by criteria."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from absl import flags

from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.cli.flags.formats import define_format
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import ALL_SWEEPS, find_logged
from hparams_lab.cli.logdir import define_logdir, define_take_over
from hparams_lab.cli.output.tables import Column, make_console, print_table
from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.logdir.entry import Entry, drop_nested, find_entry
from hparams_lab.logdir.layout import ExperimentDir, archive_of, experiment_dir, is_event_file
from hparams_lab.logdir.times import parse_time
from hparams_lab.text import count

_BLOCK_BYTES = 512  # of st_blocks, whatever the filesystem's own are
_UNIT = 1000


@dataclass(frozen=True)
class Extent:
    """An entry and how much it is."""

    id: str  # `SWEEP/TRIAL/RUN`, as far as it goes
    path: Path  # where it lies
    num_runs: int  # directories with event files, and links to such
    num_bytes: int  # that it takes on the disk; of a link its own


def define_choice(values: flags.FlagValues) -> None:
    """Add the flags that choose entries."""
    define_logdir(values)
    define_take_over(values)
    define_selection(values)
    define_format(values)
    flags.DEFINE_string(
        "older_than", None, "sweeps begun before that: 90d, 2026-11-21", flag_values=values
    )
    flags.DEFINE_integer(
        "keep_best",
        None,
        "leave out the N best trials of all those that are chosen",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "dry_run", False, "say what would be done, and do nothing", flag_values=values
    )


def find_home(logdir: Path, name: str, *, archived: bool = False) -> ExperimentDir:
    """Return the directory of an experiment, or of what was archived of it.

    Raises:
        UnknownExperimentError: if there is none of that name.
    """
    if name.startswith(".") and Path(name).name == name:
        raise UnknownExperimentError(f"no experiment begins with a dot; got {name!r}. Name one.")
    if not archived:
        return find_logged(logdir, name)
    home = ExperimentDir(archive_of(logdir) / name)
    if Path(name).name == name and home.path.is_dir():
        return home
    try:
        return find_logged(archive_of(logdir), name)
    except UnknownExperimentError:
        if not experiment_dir(logdir, name).find_sweeps():
            raise
        raise UnknownExperimentError(
            f"nothing of experiment {name!r} is archived. hparams_lab archive {name} does that."
        ) from None


def has_criteria(values: flags.FlagValues) -> bool:
    """Return whether a flag says what is chosen."""
    flags_given = (values.since, values.until, values.older_than, values.keep_best)
    return bool(values.where) or any(given is not None for given in flags_given)


def choose(
    values: flags.FlagValues,
    home: ExperimentDir,
    words: Sequence[str],
    *,
    now: Callable[[], datetime] = datetime.now,
) -> list[Entry]:
    """Return what ids and criteria name together, by id, none within another.

    A sweep whose trials all go, goes with them.

    Args:
        values: with the flags of `define_choice`.
        home: directory of the experiment, or of what was archived of it.
        words: ids, or `all` for every sweep; none for what the criteria say of any sweep.
        now: the local time, that `90d` is before.

    Raises:
        UnknownExperimentError: if an id names nothing, or several things.
        UsageError: if nothing is named, or a criterion cannot be understood.
    """
    if not words and not has_criteria(values):
        raise UsageError(
            "what is to go must be named: by SWEEP, SWEEP/TRIAL or SWEEP/TRIAL/RUN, all, --where, "
            "--older_than or --keep_best; got none of these. Add one."
        )
    if values.keep_best is not None and values.keep_best < 1:
        raise UsageError(f"--keep_best must be at least 1; got {values.keep_best}. Raise it.")
    every = [Entry(home, (sweep_dir.id,)) for sweep_dir in home.sweep_dirs]
    named = [] if words else every
    for word in words:
        named += every if word == ALL_SWEEPS else [find_entry(home, word)]
    chosen = drop_nested(named)
    if values.since is not None or values.until is not None:
        has_sweeps = home.find_sweeps()
        within = select_sweeps(values, home, default="all", now=now) if has_sweeps else []
        ids = {sweep_dir.id for sweep_dir in within}
        chosen = [entry for entry in chosen if entry.parts[0] in ids]
    if values.older_than is not None:
        limit = parse_time(values.older_than, now().astimezone())
        chosen = [entry for entry in chosen if _began_before(entry, limit)]
    if values.where or values.keep_best is not None:
        chosen = _keep_trials(values, home, chosen)
    return chosen


def _began_before(entry: Entry, limit: datetime) -> bool:
    with contextlib.suppress(ValueError):  # of a name that is no time, as of month 13
        return entry.sweep_dir is not None and entry.sweep_dir.start_time < limit
    return False


def _keep_trials(
    values: flags.FlagValues, home: ExperimentDir, entries: Sequence[Entry]
) -> list[Entry]:
    """Return the trials that `--where` and `--keep_best` take of what is chosen."""
    whole = {entry.parts[0] for entry in entries if entry.depth == 1}
    parts = {entry.trial for entry in entries}
    sweep_ids = whole | {trial[0] for trial in parts if trial}
    sweep_dirs = [sweep_dir for sweep_dir in home.find_sweeps() if sweep_dir.id in sweep_ids]
    if not sweep_dirs:
        return []
    logged = read_logged(home, sweep_dirs)
    objectives = {(sweep.objective.goal.value, sweep.objective.tag) for sweep in logged.sweeps}
    if values.keep_best is not None and len(objectives) > 1:
        found = ", ".join(sorted(f"{goal} {tag}" for goal, tag in objectives))
        raise UsageError(
            f"--keep_best takes sweeps of one objective; got {found}. Name the sweeps of one, or "
            "those of one time with --since and --until."
        )
    rows = [
        row for row in logged.rows if row.sweep_id in whole or (row.sweep_id, row.trial_id) in parts
    ]
    taken = {
        (row.sweep_id, row.trial_id) for row in keep_rows(values, rows)[values.keep_best or 0 :]
    }
    kept = [entry for entry in entries if entry.trial in taken]
    for sweep_dir in sweep_dirs:
        if sweep_dir.id in whole:
            trials = [(sweep_dir.id, path.name) for path in sweep_dir.trial_dirs]
            goes_whole = bool(trials) and all(trial in taken for trial in trials)
            goes = [(sweep_dir.id,)] if goes_whole else [each for each in trials if each in taken]
            kept += [Entry(home, parts) for parts in goes]
    return sorted(kept)


def measure(entry: Entry) -> Extent:
    """Return how much lies in an entry; links are not followed."""
    path = entry.path
    num_runs, num_bytes = 0, _bytes_on_disk(path)
    if path.is_symlink():
        num_runs = int(path.is_dir())
    else:
        for here, folders, names in os.walk(path):
            num_runs += any(map(is_event_file, names))
            num_runs += sum(Path(here, name).is_symlink() for name in folders)
            num_bytes += sum(_bytes_on_disk(Path(here, name)) for name in (*folders, *names))
    return Extent(entry.id, path, num_runs, num_bytes)


def _bytes_on_disk(path: Path) -> int:
    try:
        state = path.lstat()
    except FileNotFoundError:  # gone since it was listed
        return 0
    blocks: int = getattr(state, "st_blocks", 0)
    return blocks * _BLOCK_BYTES or state.st_size


def print_extents(extents: Sequence[Extent]) -> None:
    """Print a table of entries, with their runs and sizes."""
    columns = [
        Column("entry", [extent.id for extent in extents]),
        Column("runs", [str(extent.num_runs) for extent in extents]),
        Column("size", [format_bytes(extent.num_bytes) for extent in extents]),
    ]
    print_table(make_console(), columns)


def describe_extents(extents: Sequence[Extent]) -> str:
    """Return what entries come to together: `19 runs, 1.2 MB`."""
    num_bytes = sum(extent.num_bytes for extent in extents)
    return f"{count(sum(extent.num_runs for extent in extents), 'run')}, {format_bytes(num_bytes)}"


def format_bytes(num_bytes: int) -> str:
    """Return a size as people say it: `512 B`, `4.1 kB`, `1.2 GB`."""
    if num_bytes < _UNIT:
        return f"{num_bytes} B"
    size = float(num_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= _UNIT
        if size < _UNIT:
            return f"{size:.1f} {unit}"
    return f"{size / _UNIT:.1f} TB"
