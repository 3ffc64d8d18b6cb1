"""Checks of the runs' files: their ends, their number, their damage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from hparams_lab.doctor.finding import Fault, format_remedy, name_some
from hparams_lab.doctor.survey import FoundRun, Survey
from hparams_lab.events.read.torn import CONTINUATION, note_torn
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.logdir.lock import hold
from hparams_lab.runs.run import RunSpec
from hparams_lab.text import count


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
    with hold(sweep_dir):
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
            end_run(record.dir, spec, Ending.INTERRUPTED, why=why, clock=clock)
    return f"gave {count(len(runs), 'run')} of {sweep_dir.id} the end FAILURE (interrupted)"
