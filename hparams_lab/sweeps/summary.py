"""How the runs of a sweep ended, in a few words for its `sweep.json`.

For whoever looks at that file: nothing here reads it back, as the event files alone say
what came of a run. It is made of them when the sweep ends, whoever ended it.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hparams_lab.errors import LogdirError
from hparams_lab.events.read.reader import RunRecord, read_runs, read_superseded
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep

MAX_LISTED = 100
_MAX_REASON = 200

_NO_END = "no end"


@contextlib.contextmanager
def keeping_account(sweep_dir: SweepDir) -> Iterator[None]:
    """Note in `sweep.json` how runs ended, when what is done inside has ended or failed.

    Where that cannot be written it is left out: it says nothing that is not elsewhere.
    """
    try:
        yield
    finally:
        with contextlib.suppress(LogdirError, OSError):
            sweep = Sweep.read(sweep_dir)
            sweep.write(sweep_dir, ended=describe_endings(sweep, sweep_dir))


def describe_endings(sweep: Sweep, sweep_dir: SweepDir) -> dict[str, Any]:
    """Return how the runs of a sweep ended, as JSON data.

    `runs` counts them by ending, and `earlier_attempts` those that were made again.
    `failures` has the first `MAX_LISTED` of both that did not succeed, by directory; where
    there are more, `num_failures` says how many.
    """
    earlier = list(_read_earlier(sweep, sweep_dir))
    runs = read_runs(sweep_dir, sweep.space)
    failed = [record for record in (*runs, *earlier) if record.status is not Status.SUCCESS]
    failed.sort(key=lambda record: record.dir)
    return {
        "runs": _count_endings(runs),
        "earlier_attempts": _count_endings(earlier),
        "failures": [_describe(record) for record in failed[:MAX_LISTED]],
        "num_failures": len(failed),
    }


def _read_earlier(sweep: Sweep, sweep_dir: SweepDir) -> Iterator[RunRecord]:
    """Yield the attempts that others stand for, as far as they left an event file."""
    for run_dir in sweep_dir.find_run_dirs():
        if run_dir.attempt:
            record = read_superseded(run_dir.earlier_attempts[-1], sweep.space)
            if record is not None:
                yield record


def _count_endings(records: list[RunRecord]) -> dict[str, int]:
    """Return how many there are of each ending, the most frequent first."""
    return dict(Counter(_name_ending(record) for record in records).most_common())


def _name_ending(record: RunRecord) -> str:
    return record.ending.value if record.ending else _NO_END


def _describe(record: RunRecord) -> dict[str, str]:
    why = record.why
    return {
        "run": f"{record.dir.trial_id}/{record.dir.path.name}",
        "ending": _name_ending(record),
        "why": why if len(why) <= _MAX_REASON else f"{why[: _MAX_REASON - 3]}...",
    }
