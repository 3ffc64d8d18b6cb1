"""Checks of what runs recorded: ends, hparams, Trial IDs, steps, and what cannot be read."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from hparams_lab.declare.rules import RESERVED_NAMES
from hparams_lab.doctor.finding import Fault, format_remedy, name_some
from hparams_lab.doctor.survey import FoundRun, Survey
from hparams_lab.events.read.folder import Folder
from hparams_lab.events.read.scan import read_tracks
from hparams_lab.events.read.torn import CONTINUATION, note_torn
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import RunDir, SweepDir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.runs.run import MAX_STEP, RunSpec
from hparams_lab.text import count

_NOUNS = {bool: "true or false", str: "text"}


def find_mixed_types(survey: Survey) -> Iterator[Fault]:
    """Find hparams that are numbers in one run and texts in another."""
    kinds: dict[str, dict[str, list[Folder]]] = {}
    for folder in survey.sessions:
        for name, value in (folder.scan.hparams or {}).items():
            noun = _NOUNS.get(type(value), "a number")
            kinds.setdefault(name, {}).setdefault(noun, []).append(folder)
    for name, by_noun in sorted(kinds.items()):
        if len(by_noun) < 2:
            continue
        ordered = sorted(by_noun.items(), key=lambda item: -len(item[1]))
        counts = " and ".join(f"{noun} in {len(folders)}" for noun, folders in ordered)
        fewer = [folder.path for _, folders in ordered[1:] for folder in folders]
        yield Fault(
            kind="mixed types",
            problem=f"The hparam {name!r} is {counts} of the runs.",
            effect="TensorBoard cannot sort by its column (HTTP 500), nor filter it as numbers.",
            advice=_advise_archive(survey, fewer),
            paths=fewer,
        )


def find_infinite_hparams(survey: Survey) -> Iterator[Fault]:
    """Find hparams that are NaN or infinite."""
    found: dict[str, list[Path]] = {}
    for folder in survey.sessions:
        for name, value in (folder.scan.hparams or {}).items():
            if isinstance(value, float) and not math.isfinite(value):
                found.setdefault(name, []).append(folder.path)
    for name, paths in sorted(found.items()):
        yield Fault(
            kind="hparam not finite",
            problem=(
                f"The hparam {name!r} is NaN or infinite in {count(len(paths), 'run')}: "
                f"{name_some([survey.name(path) for path in paths])}."
            ),
            effect="TensorBoard leaves the cell empty, and filters do not find the run.",
            advice=_advise_archive(survey, paths),
            paths=paths,
        )


def find_shared_trial_ids(survey: Survey) -> Iterator[Fault]:
    """Find Trial IDs that stand for several trials, as of a directory that was copied."""
    groups: dict[str, list[Folder]] = {}
    for folder in survey.sessions:
        groups.setdefault(folder.scan.group_name, []).append(folder)
    groups.pop("", None)  # each of these is a row of its own
    trial_dirs = {run.folder.path: run.folder.path.parent for run in survey.runs}
    shared = {
        group: [folder.path for folder in folders]
        for group, folders in sorted(groups.items())
        if len({_own_values(folder) for folder in folders}) > 1
        or len({trial_dirs.get(folder.path) for folder in folders}) > 1
    }
    if not shared:
        return
    # Those that lie elsewhere than their Trial ID says; if that says nothing, all but one.
    strays = [
        path
        for group, paths in shared.items()
        for path in [path for path in paths if not _lies_in_trial(path, group)][-len(paths) + 1 :]
    ]
    yield Fault(
        kind="shared Trial ID",
        problem=(
            f"Runs of more than one trial share {count(len(shared), 'Trial ID')}: "
            f"{name_some(list(shared))}; {count(len(strays), 'run')} too many: "
            f"{name_some([survey.name(path) for path in strays])}."
        ),
        effect="TensorBoard makes one row of them, with the mean of their metrics.",
        advice=_advise_archive(survey, strays),
        paths=[path for paths in shared.values() for path in paths],
    )


def find_inherited_hparams(survey: Survey) -> Iterator[Fault]:
    """Find runs that Time Series takes for a session's, as their name begins like its own.

    It takes the longest session name that a run's begins with, as a plain text
    (runs_selectors.ts), so that only runs that are no sessions can be taken for another's.
    """
    sessions = {survey.name(folder.path) for folder in survey.sessions}
    for folder in survey.folders:
        name = survey.name(folder.path)
        beginnings = (name[:end] for end in range(len(name), 0, -1))
        nearest = next((each for each in beginnings if each in sessions), "")
        if not nearest or name == nearest or name.startswith(f"{nearest}/"):
            continue
        yield Fault(
            kind="run name prefix",
            problem=f"The run {name!r} has no hparams, but its name begins with {nearest!r}.",
            effect=f"TensorBoard's Time Series shows and filters it by the hparams of {nearest!r}.",
            advice="Rename its directory, so that it begins otherwise.",
            paths=[folder.path],
        )


def find_bad_steps(survey: Survey) -> Iterator[Fault]:
    """Find scalars whose steps are too large for the dashboard, or go back."""
    large: list[tuple[Path, str]] = []
    falling: list[tuple[Path, str]] = []
    for folder in survey.folders:
        for tag, track in read_tracks(folder.files).items():
            steps = track.steps
            if max(steps) > MAX_STEP:
                large.append((folder.path, tag))
            if any(after < before for before, after in itertools.pairwise(steps)):
                falling.append((folder.path, tag))
    if large:
        yield Fault(
            kind="steps too large",
            problem=f"Steps must lie below 2**31; larger ones are in {_name_tags(survey, large)}.",
            effect="TensorBoard's HParams table fails as a whole: value out of range.",
            advice=_advise_archive(survey, [path for path, _ in large]),
            paths=[path for path, _ in large],
        )
    if falling:
        yield Fault(
            kind="steps go back",
            problem=f"Steps go back in {_name_tags(survey, falling)}.",
            effect="TensorBoard's fast loader drops the points before, so the curve begins anew.",
            advice=(
                "Count on, or use another tag; hparams_lab export and lab.read_runs still have "
                "every point."
            ),
            paths=[path for path, _ in falling],
        )


def _own_values(folder: Folder) -> str:
    """Return a run's hparams without what differs between the runs of one trial."""
    values = folder.scan.hparams or {}
    own = {name: value for name, value in values.items() if name not in RESERVED_NAMES}
    return json.dumps(own, sort_keys=True)


def _name_tags(survey: Survey, found: Sequence[tuple[Path, str]]) -> str:
    num_tags = Counter(path for path, _ in found)
    first = dict(reversed(found))
    return name_some(
        [
            f"{first[path]!r} of {survey.name(path)}" + (f" ({number} tags)" if number > 1 else "")
            for path, number in num_tags.items()
        ]
    )


def _lies_in_trial(path: Path, group: str) -> bool:
    run_dir = RunDir(path)
    return group == f"{run_dir.trial_id}@{run_dir.sweep_id}"


def _advise_archive(survey: Survey, paths: Sequence[Path]) -> str:
    """Name what holds all the runs, and none but them; if there is no such, the first."""
    common = Path(os.path.commonpath(paths))
    below = {folder.path for folder in survey.sessions if folder.path.is_relative_to(common)}
    holder = common if common != survey.home.path and below <= set(paths) else paths[0]
    command = format_remedy(survey.home, "archive", survey.name(holder))
    return f"Move such runs away: {command}"


def find_unended_runs(survey: Survey) -> Iterator[Fault]:
    """Find runs without an end whose process is gone."""
    by_sweep: dict[SweepDir, list[FoundRun]] = {}
    for run in survey.runs:
        if not run.folder.scan.status and run.sweep_dir not in survey.running:
            by_sweep.setdefault(run.sweep_dir, []).append(run)
    for sweep_dir, runs in by_sweep.items():
        names = [survey.name(run.folder.path) for run in runs]
        yield Fault(
            kind="runs without an end",
            problem=(
                f"{count(len(runs), 'run')} of {sweep_dir.id} never ended, and no process runs "
                f"that sweep: {name_some(names)}."
            ),
            effect="TensorBoard shows such a run without a status, as if it went on.",
            advice=(
                "The end FAILURE is added by --fix, at the time of the last event. To make them "
                f"again: {format_remedy(survey.home, 'resume', sweep_dir.id)}"
            ),
            paths=[run.folder.path for run in runs],
            mend=partial(_end, sweep_dir, runs),
        )


def find_several_files(survey: Survey) -> Iterator[Fault]:
    """Find runs that several writers have written to."""
    found = {
        run.folder.path: None
        for run in survey.runs
        if len({path.name.removesuffix(CONTINUATION) for path in run.folder.files}) > 1
    }
    if found:
        names = [survey.name(path) for path in found]
        yield Fault(
            kind="several event files",
            problem=(
                f"{count(len(found), 'run')} of {survey.home.name} were written to by more than "
                f"one writer: {name_some(names)}."
            ),
            effect="TensorBoard's loader in Python follows only the last file of a run, and "
            "where two have one tag, its curve jumps back and forth.",
            advice="Let run.scalar be the only writer into run.dir, or give others a folder in it.",
            paths=list(found),
        )


def find_damage(survey: Survey) -> Iterator[Fault]:
    """Find event files with damaged records, or with one that nobody goes on writing."""
    for folder in (*survey.loose, *survey.folders):
        is_left = folder.is_ours and SweepDir(folder.path.parents[1]) not in survey.running
        if folder.scan.status or is_left:
            note_torn(folder.scan)
        for file, damage in folder.scan.damage.items():
            is_loose = folder.path == survey.home.path
            name = survey.name(folder.path / file if is_loose else folder.path)
            yield Fault(
                kind="damaged file",
                problem=f"{survey.name(folder.path / file)}: {damage}",
                effect="TensorBoard shows what comes before it, and nothing of what follows.",
                advice=(
                    "What comes before it is read here as well, so nothing is to be mended; to "
                    f"leave it out: {format_remedy(survey.home, 'archive', name)}"
                ),
                paths=[folder.path / file],
            )


def _end(sweep_dir: SweepDir, runs: Sequence[FoundRun]) -> str:
    with sweep_lock(sweep_dir):
        for run in runs:
            record = run.record
            spec = RunSpec(  # only its start would be written of it, and that is there
                dir=record.dir,
                assignment=record.assignment,
                seed=record.seed or 0,
                split_seed=0,
                commit=record.labels.get("commit", "none"),
            )
            # Not before the last event, and not now: its wall time would be days.
            clock = partial(max, run.folder.last_secs, record.start_time_secs)
            why = "its process ended without a word"
            end_run(record.dir, spec, Ending.INTERRUPTED, reason=why, clock=clock)
    return f"gave {count(len(runs), 'run')} of {sweep_dir.id} the end FAILURE (interrupted)"
