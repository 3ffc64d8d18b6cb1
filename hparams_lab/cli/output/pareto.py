"""The trials that no other one beats in two metrics, as they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hparams_lab.analysis.effects.pareto import find_front, list_comparable
from hparams_lab.analysis.trials.goal import MetricGoal, list_numbers
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.cli.flags.formats import print_json
from hparams_lab.cli.output.json_documents import encode_trial
from hparams_lab.cli.output.tables import (
    Column,
    count,
    format_number,
    make_console,
    print_prose,
    print_table,
    trial_columns,
)
from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Status


def format_title(logged: Logged) -> str:
    """Return what some sweeps are called: their experiment, and how many they are."""
    return f"{logged.home.name}, {count(len(logged.sweeps), 'sweep')}"


def encode_head(logged: Logged) -> dict[str, Any]:
    """Return what a document begins with: the experiment and the sweeps that it is about."""
    return {
        "experiment": logged.home.name,
        "path": logged.home.path,
        "sweeps": [sweep.id for sweep in logged.sweeps],
    }


def tell_front(
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
    known = list_numbers(row for row in rows if row.label == Status.SUCCESS.value)
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
                "first": first,
                "second": second,
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
        f"{format_title(logged)}: {len(front)} of {count(num_compared, 'trial')} are beaten by "
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
