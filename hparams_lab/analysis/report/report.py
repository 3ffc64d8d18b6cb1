"""What a report says of an experiment: gathered here, laid out by `report_page`.

The template escapes whatever it is given, as names and values are the user's. Should that
ever fail, the page's own policy still keeps browsers from running or loading anything that
is not in it by our hand.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hparams_lab.analysis.compare import text as compare_text
from hparams_lab.analysis.compare.comparison import Comparison, GroupPair
from hparams_lab.analysis.plots.pictures import Picture, Skipped
from hparams_lab.analysis.plots.saving import SVG, encode_figure
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.analysis.report import tables as report_tables
from hparams_lab.analysis.report.tables import Failure, Table
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.objective import Goal
from hparams_lab.text import count

MAX_TRIALS = 100
"""So many stand in the table of trials."""

_MAX_FAILURES = 50


@dataclass(frozen=True)
class Best:
    """The best trial."""

    value: str  # of the objective, and how sure it is
    facts: Sequence[tuple[str, str]]  # what to know of it: name and text
    replay: str  # the command that runs it again; empty if none can


@dataclass(frozen=True)
class ChangeNote:
    """What was changed from one group to another."""

    title: str  # from which to which
    lines: Sequence[str]  # plain text


@dataclass(frozen=True)
class DrawnPicture:
    """A picture of the report."""

    kind: str  # one of `plots.pictures.KINDS`
    title: str  # what it shows
    svg: bytes  # bytes of its file


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that a report says; every text is plain, none is markup."""

    experiment: str  # name
    question: str  # what the experiment asks, its first paragraph; empty if nothing
    made: str  # local time with its offset
    scope: str  # of which sweeps and trials it is
    objective: str  # what is sought
    best: Best | None  # the best trial; None if none was run in full
    verdicts: Sequence[str]  # one sentence for each group of runs against another
    remarks: Sequence[str]  # what to know of the groups
    groups: Sequence[Table]  # tables of them
    changes: Sequence[ChangeNote]  # between groups, where there were any
    effects: Table | None  # table of the hyperparameters; None if there are none
    effect_notes: Sequence[str]  # what to bear in mind of them
    pictures: Sequence[DrawnPicture]  # in order
    skipped: Sequence[Skipped]  # pictures that there are none of, and why
    trials: Table  # table, best first
    num_more_trials: int  # that are not in the table
    failures: Sequence[Failure]  # of runs, by trial
    num_more_failures: int  # that are not listed
    provenance: Table  # table of the sweeps


def gather_report(
    logged: Logged,
    trials: Trials,
    comparison: Comparison,
    pictures: Sequence[Picture],
    skipped: Sequence[Skipped],
    *,
    replay: str,
    made: str,
) -> Report:
    """Return what a report says.

    Args:
        logged: the sweeps and their runs.
        trials: those that are reported on.
        comparison: of the groups of their runs.
        pictures: of the trials.
        skipped: pictures that the trials do not allow.
        replay: the command that runs the best trial again; empty if none can.
        made: local time with its offset.
    """
    failures = report_tables.list_failures(trials.rows)
    has_effects = any(map(math.isfinite, trials.values)) and bool(trials.effects.axes)
    return Report(
        experiment=logged.home.name,
        question=logged.sweeps[-1].description.partition("\n\n")[0],
        made=made,
        scope=_describe_scope(trials),
        objective=_describe_objective(trials),
        best=_describe_best(logged, trials, replay),
        verdicts=[_tell_pair(pair) for pair in reversed(comparison.pairs)],
        remarks=compare_text.list_remarks(comparison),
        groups=[
            report_tables.from_columns(tabulate(comparison))
            for tabulate in (compare_text.tabulate_results, compare_text.tabulate_origins)
            if comparison.groups
        ],
        changes=[
            ChangeNote(f"{pair.before} to {pair.after}", pair.changes.lines())
            for pair in reversed(comparison.pairs)
        ],
        effects=report_tables.tabulate_effects(trials.effects) if has_effects else None,
        effect_notes=trials.effects.notes if has_effects else (),
        pictures=[
            DrawnPicture(each.kind, each.title, encode_figure(each.figure, SVG))
            for each in pictures
        ],
        skipped=skipped,
        trials=report_tables.tabulate_trials(trials, limit=MAX_TRIALS),
        num_more_trials=max(0, len(trials.rows) - MAX_TRIALS),
        failures=failures[:_MAX_FAILURES],
        num_more_failures=max(0, len(failures) - _MAX_FAILURES),
        provenance=report_tables.tabulate_sweeps(logged),
    )


def find_best(trials: Trials) -> TrialRow | None:
    """Return the best trial that was run in full; None if there is none."""
    return next((row for row in trials.rows if row.is_complete), None)


def _describe_scope(trials: Trials) -> str:
    days = [sweep.day for sweep in trials.sweeps]
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    labels = Counter(row.told_label for row in trials.rows)
    statuses = ", ".join(f"{number} {label}" for label, number in labels.items())
    scope = f"{count(len(trials.sweeps), 'sweep')}, {span}: {count(len(trials.rows), 'trial')}"
    return f"{scope} ({statuses})" if statuses else scope


def _describe_objective(trials: Trials) -> str:
    better = "higher" if trials.measure.goal is Goal.MAXIMIZE else "lower"
    return f"{trials.measure.name}, {better} is better"


def _describe_best(logged: Logged, trials: Trials, replay: str) -> Best | None:
    row = find_best(trials)
    if row is None:
        return None
    seeds = [str(run.seed) for run in row.runs if run.seed is not None]
    facts = [
        *((name, format_value(value)) for name, value in row.assignment.items()),
        *(
            (tag, report_tables.format_mean(row, tag))
            for tag in logged.sweeps[-1].metric_keys
            if tag != trials.measure.name and tag in row.metrics
        ),
        ("trial", f"{row.sweep_id}/{row.trial_id}"),
        ("seed", ", ".join(seeds) or "not known"),
        ("directory", str(row.runs[0].dir.path.parent)),
    ]
    return Best(_describe_value(row, trials.measure.name), facts, replay)


def _describe_value(row: TrialRow, tag: str) -> str:
    value = f"{tag} {row.metrics.get(tag, math.nan):.5g}"
    spread = row.spreads.get(tag)
    if spread is None:
        return f"{value}, of a single run"
    runs = count(spread.count, "run")
    if not math.isfinite(spread.low):
        return f"{value}, the mean of {runs}"
    return f"{value}, the mean of {runs}, 95 % interval {spread.low:.5g} to {spread.high:.5g}"


def _tell_pair(pair: GroupPair) -> str:
    unmatched = "; ".join(compare_text.list_unmatched(pair))
    verdict = compare_text.format_verdict(pair)
    return f"{verdict}. {unmatched[0].upper()}{unmatched[1:]}." if unmatched else f"{verdict}."


_TEMPLATE: Final = "report.html.jinja"


def format_page(report: Report) -> str:
    """Return the page, complete with pictures, styles and script."""
    import jinja2

    loader = jinja2.PackageLoader("hparams_lab.analysis.report", "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Files of ours, which stand in the page as they are.
    style, script = (
        loader.get_source(environment, name)[0] for name in ("report.css", "report.js")
    )
    return environment.get_template(_TEMPLATE).render(
        report=report,
        pictures=[(each, _encode_uri(each.svg)) for each in report.pictures],
        style=style,
        script=script,
        policy=_state_policy(style, script),
    )


def _encode_uri(svg: bytes) -> str:
    """Return a picture as an address that holds it: in `<img>` an SVG runs and loads nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _state_policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows what is in the page, and nothing else."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
