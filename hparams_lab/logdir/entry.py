"""What lies in an experiment's directory, by the words that name it.

A word is matched with what a directory lists, part by part, and never joined to a path
unseen: `..` and the like name nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.logdir.layout import (
    ExperimentDir,
    SweepDir,
    is_run_name,
    is_sweep_id,
    is_trial_id,
)
from hparams_lab.logdir.resolve import hint_at, match, refuse_ambiguous

# What a name must be, part by part, for its beginning to be enough.
_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("sweep", is_sweep_id),
    ("trial", is_trial_id),
    ("run", is_run_name),
)


@dataclass(frozen=True, order=True)
class Entry:
    """A sweep, trial or run, or what else lies in an experiment's directory."""

    home: ExperimentDir  # directory of the experiment, or of what was archived of it
    parts: tuple[str, ...]  # names from there down: sweep, trial, run; at least one

    @property
    def id(self) -> str:
        """How it is named: `SWEEP/TRIAL/RUN`."""
        return "/".join(self.parts)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.home.path.joinpath(*self.parts)

    @property
    def sweep_dir(self) -> SweepDir | None:
        """The sweep that it is, or is in; None if it is of none."""
        return SweepDir(self.home.path / self.parts[0]) if is_sweep_id(self.parts[0]) else None

    @property
    def trial(self) -> tuple[str, str] | None:
        """The ids of its sweep and trial; None if it is a whole sweep, or of no trial."""
        is_of_trial = len(self.parts) > 1 and is_sweep_id(self.parts[0])
        return self.parts[:2] if is_of_trial and is_trial_id(self.parts[1]) else None  # type: ignore[return-value]

    @property
    def elsewhere(self) -> Entry:
        """Its place in the archive; of what is archived, its place in the experiment."""
        return Entry(self.home.origin if self.home.is_archive else self.home.archive, self.parts)

    @property
    def depth(self) -> int:
        """1 for a sweep, 2 for a trial, 3 for a run; 4 and more for what no sweep has."""
        return len(self.parts) if self.sweep_dir else len(_KINDS) + len(self.parts)


def find_entry(home: ExperimentDir, word: str) -> Entry:
    """Return what a word names.

    Args:
        home: directory of the experiment, or of what was archived of it.
        word: `SWEEP`, `SWEEP/TRIAL` or `SWEEP/TRIAL/RUN`, ids or the beginnings of them; a
            Trial ID of the dashboard, `TRIAL@SWEEP`; or anything else by its exact path
            below the experiment's directory.

    Raises:
        UnknownExperimentError: if it names nothing, or several things.
        UsageError: if it names what belongs to the experiment or sweep itself.
    """
    trial, _, sweep = word.partition("@")
    if is_trial_id(trial) and is_sweep_id(sweep):
        word = f"{sweep}/{trial}"
    parts: tuple[str, ...] = ()
    for wanted in word.rstrip("/").split("/"):
        folder = home.path.joinpath(*parts)
        is_ours = all(kind(name) for name, (_, kind) in zip(parts, _KINDS, strict=False))
        level = len(parts) if is_ours else len(_KINDS)
        parts += (_find_name(folder, wanted, level, word),)
    entry = Entry(home, parts)
    _refuse_files(entry)
    return entry


def drop_nested(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries in order of their ids, without those that lie within another."""
    chosen: dict[tuple[str, ...], Entry] = {}
    for entry in sorted(set(entries)):
        if not any(entry.parts[:end] in chosen for end in range(1, len(entry.parts))):
            chosen[entry.parts] = entry
    return list(chosen.values())


def _find_name(folder: Path, wanted: str, level: int, word: str) -> str:
    """Return the name in a folder that is wanted, or the only one of its kind that begins so."""
    known = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    noun, is_kind = _KINDS[level] if level < len(_KINDS) else ("file or folder", lambda name: False)
    ours = [name for name in known if is_kind(name)]
    matches = [wanted] if wanted in known else match(wanted, ours) if wanted else []
    refuse_ambiguous(noun, wanted, matches)
    if matches:
        return matches[0]
    hint = hint_at(wanted, ours)
    if level == 0 and is_trial_id(wanted.partition("@")[0]):
        hint = f" Name a trial with its sweep: SWEEP/{wanted}."
    raise UnknownExperimentError(f"{folder.name!r} has no {noun} {wanted!r}, as in {word!r}.{hint}")


def _refuse_files(entry: Entry) -> None:
    """Refuse what is rewritten or needed by all that is beside it."""
    sweep_dir = entry.sweep_dir
    own = [entry.home.config_file]
    if sweep_dir is not None:
        own += [sweep_dir.lock_file, *sweep_dir.description_files]
    if entry.path in own or entry.parts[0].startswith("."):
        raise UsageError(
            f"what is named must be a sweep, a trial or a run; {entry.id} belongs to "
            f"{entry.path.parent.name!r} itself. Name that, or leave it."
        )
