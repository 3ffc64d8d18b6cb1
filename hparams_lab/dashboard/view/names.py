"""What runs are called in a dashboard's view.

<experiment, if there are several>/<sweep>/<trial>,<axis>=<value>,...,<run>

The Trial ID stands in the session start, so these names are free to say what Time Series
can colour and filter by. They are a function of what is shown alone. TensorBoard takes a
run for a part of every session whose name its own begins with, so none begins so. A trial
has no directory of its own: to make one costs as much as ten links.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from hparams_lab.dashboard.view.finder import ShownRun
from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.domains import MAX_NUMERIC_DISCRETE
from hparams_lab.events.write.union import EXPERIMENT
from hparams_lab.runs.sweep import Sweep

# A component of a path has at most 255 bytes; these leave room for a trial's id.
_MAX_NAME_BYTES = 200
_MAX_VALUE_CHARS = 40

# What stands in a name as it is; the rest could be taken for a separator.
_NOT_PLAIN = re.compile(r"[^\w.+-]")


def name_runs(
    runs: Sequence[ShownRun], as_text: Iterable[str] = (), *, experiment_column: str = ""
) -> dict[str, ShownRun]:
    """Return the runs by their names in the view.

    Args:
        runs: that are shown.
        as_text: hparams that are shown as text; TensorBoard keeps the first session start of
            a name for ever, so a run whose start is changed needs another name.
        experiment_column: the hparam that says a row's experiment, for the same reason.
    """
    several = len({run.home for run in runs}) > 1
    sweeps: dict[str, dict[str, Sweep]] = {}
    for run in runs:
        sweeps.setdefault(run.home.name, {})[run.dir.sweep_id] = run.sweep
    axes = {home: list_label_axes([*found.values()]) for home, found in sweeps.items()}
    texts = sorted(as_text)
    named = {}
    for run in runs:
        name = f"{_name_trial(run, axes[run.home.name])},{_name_run(run)}"
        own = name + _tell_amended(run, texts, experiment_column)
        parts = [run.dir.sweep_id, own]
        named["/".join([run.home.name, *parts] if several else parts)] = run
    return named


def list_label_axes(sweeps: Sequence[Sweep]) -> dict[str, type]:
    """Return the axes whose values stand in the names of trials, with their types.

    They are those with a few values, more than one, within a sweep or between two.

    Args:
        sweeps: of one experiment, oldest first.
    """
    levels: dict[str, set[domains.Value]] = {}
    types: dict[str, type] = {}
    too_many = set()
    for sweep in reversed(sweeps):
        for axis in sweep.space:
            if _has_few_values(axis, sweep):
                levels.setdefault(axis.name, set()).update(axis.levels)
                types.setdefault(axis.name, axis.domain.dtype)
            else:
                too_many.add(axis.name)
    return {
        name: types[name]
        for name, seen in levels.items()
        if name not in too_many and 1 < len(seen) <= MAX_NUMERIC_DISCRETE
    }


def label_pattern(name: str) -> str:
    """Return a regular expression that captures an axis's value in the name of a run."""
    return f",{re.escape(_as_plain(name))}=([^,/]*)"


def _has_few_values(axis: Axis, sweep: Sweep) -> bool:
    is_listed = axis.is_listed or sweep.traits.walks_levels
    return is_listed and len(axis.levels) <= MAX_NUMERIC_DISCRETE


def _name_trial(run: ShownRun, axes: Mapping[str, type]) -> str:
    name = run.dir.trial_id
    for axis, dtype in axes.items():
        value = run.start.hparams.get(axis)
        if value is None:  # an axis that this sweep, or this trial, does not have
            continue
        typed = domains.as_type(dtype, value)
        text = domains.format_value(value if typed is None else typed)[:_MAX_VALUE_CHARS]
        label = f",{_as_plain(axis)}={_as_plain(text)}"
        if len((name + label).encode()) > _MAX_NAME_BYTES:
            break
        name += label
    return name


def _name_run(run: ShownRun) -> str:
    own = run.dir
    digits = max(2, len(str(run.sweep.repeats - 1)))  # r10 begins the name r100
    name = f"r{own.repeat:0{digits}d}"
    if own.fold is not None:
        name += f"f{own.fold:0{max(2, len(str((run.sweep.folds or 1) - 1)))}d}"
    return f"{name}a{own.attempt}" if own.attempt else name


def _tell_amended(run: ShownRun, texts: Sequence[str], experiment_column: str) -> str:
    """Return what is amended in a run's start, differently for each different amendment."""
    converted = "+".join(_as_plain(text) for text in texts if text in run.start.hparams)
    if len(converted) > _MAX_VALUE_CHARS:
        digest = hashlib.sha256(converted.encode()).hexdigest()[:8]
        converted = f"{converted[:_MAX_VALUE_CHARS]}..{digest}"
    notes = [f"{converted} as text"] if converted else []
    if experiment_column not in ("", EXPERIMENT):
        notes.append(f"in {_as_plain(experiment_column)}")
    return f" ({', '.join(notes)})" if notes else ""


def _as_plain(text: str) -> str:
    return _NOT_PLAIN.sub("_", text)
