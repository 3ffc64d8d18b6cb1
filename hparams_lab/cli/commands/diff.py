"""`hparams_lab diff`: what differs between two runs, and between the sweeps they are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl import flags
from rich.console import Console

from hparams_lab.analysis.changes.curve_diff import CurveDiff, is_close
from hparams_lab.analysis.changes.run_diff import Difference, MetricDiff, RunDiff, diff_runs
from hparams_lab.analysis.trials.pick_run import LoggedRun, pick_run
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.tables import (
    Column,
    format_number,
    make_console,
    print_prose,
    print_table,
)
from hparams_lab.declare.domains import format_value
from hparams_lab.errors import UsageError
from hparams_lab.logdir.mounts import in_terms_of_paths

_MAX_CELL = 28  # two of them beside a name fit a terminal of 80 columns


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_format(values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    form = format_of(values)
    logdir = logdir_of(values)
    first, second = (pick_run(logdir, in_terms_of_paths(word)) for word in words)
    if first.record.dir == second.record.dir:
        raise UsageError(f"diff takes two runs; got {first.name} twice. Name another.")
    diff = diff_runs(first, second)
    if form == JSON:
        print_json(_to_data(first, second, diff))
    else:
        _print(make_console(), first, second, diff)
    return 0


def _to_data(first: LoggedRun, second: LoggedRun, diff: RunDiff) -> dict[str, Any]:
    runs = [
        {
            "name": run.name,
            "path": run.record.dir.path,
            "assignment": run.record.assignment,
            "labels": run.record.labels,
            "seed": run.record.seed,
            "status": run.record.status,
            "others": run.others,
        }
        for run in (first, second)
    ]
    metrics = [
        {
            "tag": metric.tag,
            "first": _to_object(metric.first),
            "second": _to_object(metric.second),
            "differences": metric.differences,
        }
        for metric in diff.metrics
    ]
    return {
        "first": runs[0],
        "second": runs[1],
        "differing": diff.differing,
        "identical": diff.identical,
        "values": diff.values,
        "facts": diff.facts,
        "times": diff.times,
        "metrics": metrics,
        "curves": diff.curves,
        "changes": diff.changes,
    }


def _to_object(summary: Any) -> dict[str, Any] | None:
    return None if summary is None else summary._asdict()


def _print(console: Console, first: LoggedRun, second: LoggedRun, diff: RunDiff) -> None:
    for noun, run in (("first", first), ("second", second)):
        console.print(f"{noun:<6}  {run.name}")
        if run.others:
            more = f"the trial has {len(run.others)} more: {', '.join(run.others)}"
            print_prose(console, more, indent=8)
    for line in (_judge(first, second), *_list_aspects(diff)):
        if line:
            print_prose(console, line)
    _print_facts(console, [*diff.values, *diff.facts], diff.times)
    _print_metrics(console, [metric for metric in diff.metrics if metric.differing])
    _print_curves(console, [curve for curve in diff.curves if not curve.is_same])
    _print_changes(console, first, second, diff)


def _judge(first: LoggedRun, second: LoggedRun) -> str:
    """Return how the objective went from one to the other; empty if it is not that of both."""
    objective = first.sweep.objective
    one, other = (run.record.last_values.get(objective.tag) for run in (first, second))
    if objective != second.sweep.objective or one is None or other is None:
        return ""
    if is_close(one, other):
        return f"{objective.tag}: {format_number(one)} in both"
    better = "better" if objective.rank(other) < objective.rank(one) else "worse"
    gap = format_number(abs(other - one))
    change = f"{objective.tag}: {format_number(one)} -> {format_number(other)}"
    return f"{change}, {better} by {gap} (one run each)"


def _list_aspects(diff: RunDiff) -> list[str]:
    return [
        f"the runs differ in {', '.join(diff.differing)}" if diff.differing else "",
        f"the runs are identical in {', '.join(diff.identical)}" if diff.identical else "",
    ]


def _print_facts(
    console: Console, facts: Sequence[Difference], times: Sequence[Difference]
) -> None:
    rows = [(fact.name, _say(fact.first), _say(fact.second)) for fact in facts]
    rows += [(time.name, _say_short(time.first), _say_short(time.second)) for time in times]
    short = [row for row in rows if max(map(len, row)) <= _MAX_CELL]
    console.print()
    headers = ("", "first", "second")
    if short:
        cells = list(zip(*short, strict=True))
        print_table(console, [Column(*pair) for pair in zip(headers, cells, strict=True)])
    for name, one, other in rows:
        if (name, one, other) not in short:
            print_prose(console, f"{name}: {one} -> {other}")


def _say(value: Any) -> str:
    """Return a value in full, so that two that differ look so."""
    return "-" if value is None else format_value(value)


def _say_short(value: Any) -> str:
    return format_number(value) if isinstance(value, float) else _say(value)


def _print_metrics(console: Console, metrics: Sequence[MetricDiff]) -> None:
    rows = [(metric, name) for metric in metrics for name in metric.differing]
    if not rows:
        return
    console.print()
    print_table(
        console,
        [
            Column("metric", [f"{metric.tag} {name}" for metric, name in rows]),
            Column("first", [format_number(getattr(m.first, name, None)) for m, name in rows]),
            Column("second", [format_number(getattr(m.second, name, None)) for m, name in rows]),
            Column("difference", [_sign(m.differences.get(name)) for m, name in rows]),
        ],
    )


def _sign(difference: float | None) -> str:
    return "-" if difference is None else f"{difference:+.5g}"


def _print_curves(console: Console, curves: Sequence[CurveDiff]) -> None:
    lines = [curve for curve in curves if max(curve.num_first, curve.num_second) > 1]
    if not lines:
        return
    console.print()
    print_table(
        console,
        [
            Column("curve", [curve.tag for curve in lines]),
            Column("points", [f"{curve.num_first}, {curve.num_second}" for curve in lines]),
            Column("part at step", [_say(curve.parts_at) for curve in lines]),
            Column("largest gap", [_say_short(curve.largest) for curve in lines]),
            Column("at step", [_say(curve.largest_at) for curve in lines]),
        ],
    )


def _print_changes(console: Console, first: LoggedRun, second: LoggedRun, diff: RunDiff) -> None:
    lines = diff.changes.lines()
    if first.sweep_dir == second.sweep_dir and not lines:
        return
    console.print()
    console.print("between their sweeps:" if lines else "nothing changed between their sweeps")
    for line in lines:
        if not line or line.startswith(" "):  # code, whose blanks count
            console.out(f"  {line}".rstrip(), highlight=False)
        else:
            print_prose(console, line, indent=2)
