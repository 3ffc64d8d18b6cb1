"""`hparams_lab effects`: which hyperparameters mattered, and which values were good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from absl import flags

from hparams_lab.analysis.effects.effects import AxisEffect, Effects, LevelEffect, describe_effects
from hparams_lab.analysis.effects.importance import EVALUATORS
from hparams_lab.analysis.effects.pareto import find_front, list_comparable
from hparams_lab.analysis.trials.goal import MetricGoal, list_numbers
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged, read_logged
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json, to_plain
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.json_documents import encode_trial
from hparams_lab.cli.output.tables import (
    Column,
    format_number,
    make_console,
    print_prose,
    print_table,
    trial_columns,
)
from hparams_lab.declare.domains import format_value
from hparams_lab.errors import UsageError
from hparams_lab.text import count

_LEAST_P = 0.001


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_format(values)
    flags.DEFINE_string(
        "metric",
        None,
        "what is to be explained, as TAG:min or TAG:max; the objective if not given",
        flag_values=values,
    )
    flags.DEFINE_string(
        "evaluator",
        EVALUATORS[0],
        f"how importance is estimated: {', '.join(EVALUATORS)}",
        flag_values=values,
    )
    flags.DEFINE_list(
        "pareto",
        None,
        "two metrics, as accuracy,secs:min: instead of effects, the trials no other one beats "
        "in both",
        flag_values=values,
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    chosen_format = format_of(values)
    home = find_logged(logdir_of(values), words[0])
    word = words[1] if len(words) > 1 else None
    logged = read_logged(home, select_sweeps(values, home, word, default="all"))
    rows = keep_rows(values, logged.rows)
    if values.pareto is not None:
        if given := [f"--{name}" for name in ("metric", "evaluator") if values[name].present]:
            raise UsageError(
                f"{' and '.join(given)} must not be given with --pareto, which has no effects. "
                "Leave one of them out."
            )
        print_front(values.pareto, logged, rows, as_json=chosen_format == JSON)
        return 0
    effects = describe_effects(rows, logged.sweeps, values.metric, evaluator=values.evaluator)
    if chosen_format == JSON:
        print_json(encode_head(logged) | _encode_effects(effects))
    else:
        _print_effects(name_sweeps(logged), effects)
    return 0


def _encode_effects(effects: Effects) -> dict[str, Any]:
    return {
        "metric": _encode_goal(effects.metric),
        "evaluator": effects.evaluator,
        "num_trials": effects.num_trials,
        "left_out": effects.left_out,
        "is_enough": effects.is_enough,
        "axes": [to_plain(axis) | {"is_evident": axis.is_evident} for axis in effects.axes],
        "winner": encode_trial(effects.winner),
        "notes": effects.notes,
    }


def _encode_goal(metric: MetricGoal) -> dict[str, Any]:
    return {"name": metric.name, "goal": metric.goal}


def _print_effects(title: str, effects: Effects) -> None:
    console = make_console()
    lines = [f"{title}: {count(effects.num_trials, 'trial')}, {effects.metric}"]
    if effects.left_out:
        reasons = ", ".join(f"{number} {reason}" for reason, number in effects.left_out.items())
        lines.append(f"left out: {reasons}")
    lines += _answer(effects)
    for line in lines:
        print_prose(console, line)
    if effects.axes:
        console.print()
        print_table(console, _axis_columns(effects.axes))
        for axis in effects.axes:
            console.print()
            print_table(console, _level_columns(axis))
    if effects.notes:
        console.print()
    for note in effects.notes:
        print_prose(console, note)


def _answer(effects: Effects) -> list[str]:
    """Return what mattered most, and the best values, in a sentence each."""
    lines = []
    if effects.is_enough:
        evident = [axis.name for axis in effects.axes if axis.is_evident]
        others = [axis.name for axis in effects.axes if not axis.is_evident]
        lines.append(f"mattered, most first: {', '.join(evident) or 'none for certain'}")
        if others:
            lines.append(f"no evidence for: {', '.join(others)}")
    row = effects.winner
    shown = [f"{name}={format_value(value)}" for name, value in row.assignment.items()]
    value = format_number(effects.metric.value_of(row))
    lines.append(f"best trial: {row.sweep_id}/{row.trial_id}, {value}, {' '.join(shown)}")
    return lines


def _axis_columns(axes: Sequence[AxisEffect]) -> list[Column]:
    return [
        Column("hparam", [axis.name for axis in axes]),
        Column("importance", [_format_importance(axis) for axis in axes]),
        Column("evidence", [_format_evidence(axis.p_value) for axis in axes]),
        Column("best mean", [axis.best_mean_level or "-" for axis in axes]),
        Column("best trial", [axis.best_level for axis in axes]),
    ]


def _format_importance(axis: AxisEffect) -> str:
    if math.isnan(axis.importance):
        return "-"
    low, high = axis.importance_low, axis.importance_high
    return f"{axis.importance:.2f} [{low:.2f}, {high:.2f}]"


def _format_evidence(p_value: float) -> str:
    if math.isnan(p_value):
        return "-"
    return f"p < {_LEAST_P}" if p_value < _LEAST_P else f"p = {p_value:.2g}"


def _level_columns(axis: AxisEffect) -> list[Column]:
    levels = axis.levels
    return [
        Column(axis.name, [level.label for level in levels]),
        Column("trials", [str(level.count) for level in levels]),
        Column("mean", [_format_known(level.mean) for level in levels]),
        Column("95 % interval", [_format_interval(level) for level in levels]),
        Column("best", [format_number(level.best) for level in levels]),
    ]


def _format_known(value: float) -> str:
    return "-" if math.isnan(value) else format_number(value)


def _format_interval(level: LevelEffect) -> str:
    if math.isnan(level.low):
        return "-"
    return f"[{format_number(level.low)}, {format_number(level.high)}]"


def name_sweeps(logged: Logged) -> str:
    """Return what some sweeps are called: their experiment, and how many they are."""
    return f"{logged.home.name}, {count(len(logged.sweeps), 'sweep')}"


def encode_head(logged: Logged) -> dict[str, Any]:
    """Return what a document begins with: the experiment and the sweeps that it is about."""
    return {
        "experiment": logged.home.name,
        "path": logged.home.path,
        "sweeps": [sweep.id for sweep in logged.sweeps],
    }


def print_front(
    metrics: Sequence[str], logged: Logged, rows: Sequence[TrialRow], *, as_json: bool
) -> None:
    """Print the trials that no other one beats in both of two metrics.

    Args:
        metrics: as the user wrote them.
        logged: the sweeps.
        rows: their trials that are compared.
        as_json: whether as a document.

    Raises:
        UsageError: if the metrics are not two known ones.
    """
    texts = [text.strip() for text in metrics]
    if len(texts) != 2:
        raise UsageError(
            f"--pareto must name two metrics; got {','.join(texts)!r}. Write "
            "--pareto=accuracy,secs:min."
        )
    known = list_numbers(row for row in rows if row.is_complete)
    first, second = (MetricGoal.parse(text, logged.sweeps, known) for text in texts)
    if first.name == second.name:
        raise UsageError(
            f"--pareto must name two different metrics; got {first.name!r} twice. Name another."
        )
    front = find_front(rows, first, second)
    num_compared = len(list_comparable(rows, first, second))
    if as_json:
        print_json(
            encode_head(logged)
            | {
                "first": _encode_goal(first),
                "second": _encode_goal(second),
                "num_compared": num_compared,
                "num_left_out": len(rows) - num_compared,
                "front": [encode_trial(row) for row in front],
            }
        )
    else:
        _print_front(logged, (first, second), front, (num_compared, len(rows)))


def _print_front(
    logged: Logged,
    metrics: tuple[MetricGoal, MetricGoal],
    front: Sequence[TrialRow],
    counts: tuple[int, int],
) -> None:
    """Print the trials of a front, and how many of how many trials were compared."""
    console = make_console()
    num_compared, num_rows = counts
    print_prose(
        console,
        f"{name_sweeps(logged)}: {len(front)} of {count(num_compared, 'trial')} are beaten by "
        f"none in both {metrics[0]} and {metrics[1]}",
    )
    if num_rows > num_compared:
        print_prose(
            console,
            f"left out: {count(num_rows - num_compared, 'trial')} not run to the end, or without "
            "one of them",
        )
    if not front:
        return
    console.print()
    trial, *others = trial_columns(front, logged.sweeps)
    shown = [
        Column(metric.name, [format_number(metric.value_of(row)) for row in front])
        for metric in metrics
    ]
    names = {metric.name for metric in metrics}
    print_table(console, [trial, *shown, *(c for c in others if c.header not in names)])
    pairs = [tuple(metric.value_of(row) for metric in metrics) for row in front]
    if tied := sum(pairs.count(pair) > 1 for pair in pairs):
        print_prose(console, f"{tied} of them are equal in both metrics to another")
