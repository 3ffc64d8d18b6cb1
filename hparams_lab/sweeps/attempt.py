"""One attempt at a run, seen from outside: room for its files, and a true end."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace

from hparams_lab.errors import StorageError
from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import end_run
from hparams_lab.executors.base import Finished, JobEnd
from hparams_lab.logdir.atomic import storing
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.worker import Outcome
from hparams_lab.tf_noise import remove_if_only_chatter

_ENDING_OF = {
    None: Ending.FAILED,  # it returned something else
    JobEnd.ERROR: Ending.FAILED,
    JobEnd.INTERRUPTED: Ending.INTERRUPTED,
    JobEnd.CRASHED: Ending.CRASHED,
    JobEnd.LOST: Ending.CRASHED,
    JobEnd.TIMED_OUT: Ending.TIMED_OUT,
    JobEnd.OUT_OF_MEMORY: Ending.OUT_OF_MEMORY,
}


def make_room(spec: RunSpec) -> RunSpec:
    """Return a run with a directory of its own, and take earlier attempts out of sight.

    Raises:
        StorageError: if that cannot be written.
    """
    run_dir = spec.dir
    with storing(run_dir.path):
        while run_dir.path.exists():
            if run_dir.event_files:
                why = "its process, and the sweep's, ended without a word"
                end_run(run_dir, replace(spec, dir=run_dir), Ending.INTERRUPTED, reason=why)
                run_dir.supersede()
            run_dir = run_dir.next_attempt()
        run_dir.make()
    return replace(spec, dir=run_dir)


def conclude(
    spec: RunSpec, finished: Finished, *, sweep: Sweep, interrupted: bool = False
) -> Outcome:
    """Return how an attempt ended, having written the end that a dead process could not.

    Args:
        spec: what was run.
        finished: how its job ended.
        sweep: that it is of.
        interrupted: whether it was stopped, however its process took that.

    Raises:
        StorageError: if the end cannot be written, or the run could not write its own.
    """
    if mount := mount_of(spec.dir.path):
        mount.fetch(spec.dir.path)
    with storing(spec.dir.path):
        return _conclude(spec, finished, sweep, interrupted=interrupted)


def _conclude(spec: RunSpec, finished: Finished, sweep: Sweep, *, interrupted: bool) -> Outcome:
    remove_if_only_chatter(spec.dir.output_file)
    result = finished.result
    outcome = result if isinstance(result, Outcome) else _find_own_end(spec, sweep)
    if outcome is None:
        ending = Ending.INTERRUPTED if interrupted else _ENDING_OF[finished.end]
        outcome = Outcome(ending, reason=f"the run {finished.reason}")
        end_run(spec.dir, spec, ending, reason=outcome.reason)
    elif outcome.storage_fault:
        with contextlib.suppress(StorageError):
            end_run(spec.dir, spec, outcome.ending, reason=outcome.reason)
        raise StorageError(outcome.storage_fault)
    elif not spec.dir.event_files:
        failure = outcome.reason or "the run's directory was removed while it ran"
        outcome = replace(outcome, ending=Ending.FAILED, reason=failure)
        end_run(spec.dir, spec, Ending.FAILED, reason=failure)
    if outcome.reason and not spec.dir.failure_file.exists():
        has_output = spec.dir.output_file.exists()
        hint = f"What it printed is in {spec.dir.output_file.name}.\n" if has_output else ""
        spec.dir.failure_file.write_text(f"{outcome.reason}\n{hint}", encoding="utf-8")
    return outcome


def _find_own_end(spec: RunSpec, sweep: Sweep) -> Outcome | None:
    """Return the end that a run had written before its process died; None if it had not.

    It holds: the event files alone say what came of a run, and a resumed sweep reads them.
    """
    record = read_run(spec.dir, sweep.space)
    if record is None or record.ending is None:
        return None
    is_complete = record.ending is Ending.COMPLETE
    value = record.last_values.get(sweep.objective.tag, math.nan) if is_complete else math.nan
    return Outcome(
        ending=record.ending,
        metrics=record.last_values,
        objective_value=value,
        reason=record.reason,
        wall_secs=record.wall_secs,
    )
