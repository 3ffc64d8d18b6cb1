"""What a pull is to do: decided by names, tokens and stamps alone, without a look at any file.

there   here     was agreed on     what is done
─────   ─────    ───────────────   ──────────────────────────────────────────────────
same    any      the same          nothing: what changed here goes there by a push
new     -        -                 comes here
other   as it was                  comes here
other   other                      comes here; what was here is put aside
gone    as it was                  goes here
gone    other                      is put aside
gone    new      -                 nothing: a push takes it there
same    gone     the same          comes here again: caches are swept by many; not where
                                   a process is writing, which may have removed it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hparams_lab.logdir.layout import ExperimentDir, SweepDir, is_sweep_id
from hparams_lab.remote.store import Object
from hparams_lab.remote.synced import Stamp, SyncState

SWEEP_FILE = SweepDir(Path()).sweep_file.name
LOCK_FILE = SweepDir(Path()).lock_file.name
CONFIG_FILE = ExperimentDir(Path()).config_file.name
LEASES = ".leases"
_TRASH = ExperimentDir(Path("logs", "experiment")).trash_dir.name


@dataclass
class TransferPlan:
    """What a pull is to do, by name."""

    wanted: list[str] = field(default_factory=list)  # is to come here
    # those of them that were changed on both sides, or whose past is unknown
    disputed: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)  # is to go here
    # was changed here, but is gone there or another machine has the sweep
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pulled:
    """What a pull did."""

    changed: set[str]  # names of the files that came or went
    set_aside: list[Path]  # where those are now that were changed here, but gave way


def plan_pull(
    there: Mapping[str, Object],
    here: Mapping[str, Stamp],
    state: SyncState,
    *,
    heals: bool,
    below: str = "",
) -> TransferPlan:
    """Return what is to be done.

    Args:
        there: the objects, by name.
        here: the files, by name.
        state: what was agreed on.
        heals: whether what is missing here is to come again.
        below: the folder that was looked through.
    """
    plan = TransferPlan()
    for name in sorted(there.keys() | here.keys()):
        agreed = state.files.get(name)
        token = there[name].token if name in there else None
        is_as_agreed = agreed is not None and token == agreed.token
        is_clean = agreed is not None and here.get(name) == agreed.stamp
        if name in state.removed:
            continue
        if name not in here:
            if heals or not is_as_agreed:
                plan.wanted.append(name)
        elif not is_clean and _was_taken_over(name, there, state, below):
            plan.lost.append(name)
            plan.wanted += [name] if token is not None else []
        elif token is None:
            if agreed is not None:
                (plan.gone if is_clean else plan.lost).append(name)
        elif not is_as_agreed:
            plan.wanted.append(name)
            if not is_clean:
                plan.disputed.add(name)
    return plan


def _was_taken_over(name: str, there: Mapping[str, Object], state: SyncState, below: str) -> bool:
    """Return whether another machine has resumed a file's sweep, or put it away."""
    folder = sweep_of(name)
    if below and not f"{folder}/".startswith(f"{below}/"):
        return False  # whose the sweep is was not looked for
    agreed = state.files.get(f"{folder}/{SWEEP_FILE}")
    now = there.get(f"{folder}/{SWEEP_FILE}")
    return bool(folder) and agreed is not None and (now is None or now.token != agreed.token)


def sweep_of(name: str) -> str:
    """Return the folder of the sweep that a file is of; empty if it is of none.

    Example:
        >>> sweep_of("digits/2026-11-21_07-34-05/sweep.json")
        'digits/2026-11-21_07-34-05'
        >>> sweep_of("digits/reports/events")
        ''
    """
    folders = name.split("/")[:-1]
    ends = (place for place, part in enumerate(folders, start=1) if is_sweep_id(part))
    return "/".join(folders[: next(ends, 0)])


def is_shared(name: str) -> bool:
    """Return whether a file is of the log directory, and not of a process at its work."""
    parts = name.split("/")
    return parts[0] not in (LEASES, _TRASH) and not parts[-1].endswith((".tmp", ".lock"))
