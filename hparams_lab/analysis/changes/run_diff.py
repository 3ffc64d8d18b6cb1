"""What differs between two runs: what they were, how they ended, what they measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hparams_lab.analysis.changes.changes import Changes, Side, describe_changes
from hparams_lab.analysis.changes.curve_diff import CurveDiff, compare_curves, is_close
from hparams_lab.analysis.trials.facts import OF_RUN, list_facts
from hparams_lab.analysis.trials.pick_run import LoggedRun
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.read.scan import Summary
from hparams_lab.logdir.layout import RunDir

_REDUCTIONS = ("last", "min", "max")
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Difference:
    """A fact of both runs."""

    name: str  # of the fact
    first: Any  # of the first run; None where it has none
    second: Any  # of the second run, likewise


@dataclass(frozen=True)
class MetricDiff:
    """What a tag's points come to in both runs."""

    tag: str  # of the points
    first: Summary | None  # of the first run; None without points
    second: Summary | None  # of the second run, likewise

    @property
    def differing(self) -> list[str]:
        """Which of `last`, `min` and `max` differ by more than rounding, the last of one point."""
        first, second = self.first, self.second
        if first is None or second is None:
            return ["last"]
        names = _REDUCTIONS if max(first.num_points, second.num_points) > 1 else _REDUCTIONS[:1]
        return [name for name in names if not is_close(getattr(first, name), getattr(second, name))]

    @property
    def differences(self) -> dict[str, float]:
        """Second minus first of `last`, `min` and `max`; empty where one has no points."""
        first, second = self.first, self.second
        if first is None or second is None:
            return {}
        return {name: getattr(second, name) - getattr(first, name) for name in _REDUCTIONS}


@dataclass(frozen=True)
class RunDiff:
    """What differs between two runs."""

    values: Sequence[Difference]  # hyperparameters that differ
    facts: Sequence[Difference]  # seed, status and such, as far as they differ
    times: Sequence[Difference]  # when they started and how long they took, in seconds
    # by tag, those of the objective and the declared metrics first, all of them
    metrics: Sequence[MetricDiff]
    curves: Sequence[CurveDiff]  # by tag, likewise
    changes: Changes  # between their sweeps

    @property
    def differing(self) -> list[str]:
        """What the runs differ in: values, seed, status, metrics, curves, code and settings."""
        return [name for name, differs in self._aspects().items() if differs]

    @property
    def identical(self) -> list[str]:
        """What of that is known to be the same in both."""
        return [name for name, differs in self._aspects().items() if differs is False]

    def _aspects(self) -> dict[str, bool | None]:
        """Return whether they differ, None where that is not known."""
        facts = {fact.name for fact in self.facts}
        is_unsure = not self.changes.has_changed and self.changes.unknown
        return {
            "values": bool(self.values),
            "seed": "seed" in facts,
            "status": bool(facts & {"status", "ending", "failure"}),
            "metrics": any(metric.differing for metric in self.metrics),
            "curves": not all(curve.is_same for curve in self.curves),
            "code and settings": None if is_unsure else self.changes.has_changed,
        }


def diff_runs(first: LoggedRun, second: LoggedRun) -> RunDiff:
    """Return what differs between two runs, of one experiment or of two.

    Args:
        first: a run.
        second: another run, or the same.
    """
    tags = _list_tags(first, second)
    metrics = [run.record.metrics for run in (first, second)]
    curves = {diff.tag: diff for diff in compare_curves(first.record.curves, second.record.curves)}
    return RunDiff(
        values=[*_find_differences(first.record.assignment, second.record.assignment)],
        facts=[*_find_differences(_list_facts(first.record), _list_facts(second.record))],
        times=[
            Difference(name, read(first.record), read(second.record))
            for name, read in _TIMES.items()
        ],
        metrics=[MetricDiff(tag, metrics[0].get(tag), metrics[1].get(tag)) for tag in tags],
        curves=[curves[tag] for tag in tags if tag in curves],
        changes=describe_changes(_side_of(first), _side_of(second)),
    )


def read_failure(run_dir: RunDir) -> str:
    """Return why a run failed, in one line; empty if nothing is written about it.

    Args:
        run_dir: of the run.
    """
    try:
        lines = run_dir.failure_file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    # The error that ended it is the first line behind the last traceback's frames.
    ends = [number for number, line in enumerate(lines) if line.strip() == _TRACEBACK]
    below = lines[ends[-1] + 1 :] if ends else lines
    return next((line.strip() for line in below if line and not line[0].isspace()), "")


_TIMES: Mapping[str, Callable[[RunRecord], Any]] = {
    "started": lambda record: _format_time(record.start_time_secs),
    "secs": lambda record: record.wall_secs,
}


def _format_time(secs: float) -> str:
    return datetime.fromtimestamp(secs).astimezone().isoformat(" ", "seconds")


def _list_facts(record: RunRecord) -> dict[str, Any]:
    end = ("status", "ending")
    return {
        **list_facts(OF_RUN, record, "experiment"),
        **{name: record.labels[name] for name in sorted(record.labels)},
        **list_facts(OF_RUN, record, "repeat", "fold", "attempt", "seed", "split_seed", *end),
        "failure": read_failure(record.dir) or None,
        **list_facts(OF_RUN, record, "reused_from", "damage"),
    }


def _find_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield Difference(name, first.get(name), second.get(name))


def _list_tags(first: LoggedRun, second: LoggedRun) -> list[str]:
    """Return the tags of both: objective, declared metrics, then the others."""
    sweeps = [run.sweep for run in (first, second)]
    logged = dict.fromkeys(tag for run in (first, second) for tag in run.record.metrics)
    declared = [key for sweep in sweeps for key in (sweep.objective.tag, *sweep.metric_keys)]
    return [*dict.fromkeys([*(tag for tag in declared if tag in logged), *logged])]


def _side_of(run: LoggedRun) -> Side:
    return Side([run.sweep], [run.sweep_dir], [run.record])
