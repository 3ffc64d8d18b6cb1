"""A comparison in words, for the terminal and as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hparams_lab.analysis.changes.changes import Sameness
from hparams_lab.analysis.compare.comparison import Comparison, GroupPair
from hparams_lab.analysis.compare.design import Unit
from hparams_lab.analysis.compare.groups import By, Group
from hparams_lab.analysis.compare.significance import Significance
from hparams_lab.analysis.compare.verdict import Conclusion, Finding
from hparams_lab.declare.domains import format_value
from hparams_lab.events.schema import Status
from hparams_lab.stats.power import MAX_REPEATS
from hparams_lab.text import count, markdown_table

Table = dict[str, list[str]]
"""Cells by header, a row for each group."""

_LEAST_P = 0.001


def name_comparison(comparison: Comparison) -> str:
    """Return what is compared by what: `digits by day: accuracy (maximize)`."""
    objective = comparison.objective
    by = comparison.by.value
    return f"{comparison.experiment} by {by}: {objective.tag} ({objective.goal.value})"


def format_verdict(pair: GroupPair) -> str:
    """Return one sentence on a group against another: the verdict first, then why."""
    return f"{pair.after} against {pair.before}: {_format_finding(pair)}"


def list_remarks(comparison: Comparison) -> list[str]:
    """Return what a reader must know of the groups, one sentence each."""
    remarks = [f"{group.label}: {note}" for group in comparison.groups for note in group.notes]
    if comparison.num_left_out:
        text = count(comparison.num_left_out, "trial")
        remarks.append(f"{text} in no group: their runs are of several commits")
    if len(comparison.groups) == 1:
        remarks.append(_describe_single(comparison.groups[0], comparison.by))
    return remarks


def list_unmatched(pair: GroupPair) -> list[str]:
    """Return what was not compared, or not alike, one fact each; empty if all was."""
    facts = [
        f"{count(number, 'point')} only in {label}"
        for number, label in (
            (pair.num_only_before, pair.before),
            (pair.num_only_after, pair.after),
        )
        if number
    ]
    if pair.left_out:
        text = ", ".join(f"{number} {label}" for label, number in pair.left_out.items())
        facts.append(f"trials left out: {text}")
    if pair.num_unused and not pair.finding.problem:
        facts.append(f"{count(pair.num_unused, 'run')} of matched trials without a counterpart")
    if pair.changes.data is Sameness.OTHER and not pair.finding.problem:
        facts.append("the data is not the same, so the difference may be the data's own")
    return facts


def tabulate_results(comparison: Comparison) -> Table:
    """Return a table of what the groups came to."""
    groups = comparison.groups
    labels = dict.fromkeys(label for group in groups for label in group.statuses)
    others = [label for label in labels if label != Status.SUCCESS.value]
    return {
        comparison.by.value: [group.label for group in groups],
        "trials": [str(group.num_trials) for group in groups],
        "ok": [str(group.statuses.get(Status.SUCCESS.value, 0)) for group in groups],
        **{
            label.lower(): [str(group.statuses.get(label, 0)) for group in groups]
            for label in others
        },
        "best": [_format_number(group.best.value if group.best else None) for group in groups],
        "median": [_format_number(group.median) for group in groups],
        "mean ± 95 %": [_format_mean(group) for group in groups],
    }


def tabulate_origins(comparison: Comparison) -> Table:
    """Return a table of where the groups come from."""
    groups = comparison.groups
    return {
        comparison.by.value: [group.label for group in groups],
        "when": [_format_period(group) for group in groups],
        "sweeps": [str(len(group.sweeps)) for group in groups],
        "runs": [str(group.num_runs) for group in groups],
        "secs": [f"{group.wall_secs:.1f}" for group in groups],
        "commits": [", ".join(group.commits) for group in groups],
    }


def format_best(group: Group) -> str:
    """Return the best trial of a group: its value, id and assignment."""
    if group.best is None:
        return f"best of {group.label}: none, as no trial succeeded in full"
    best = group.best
    values = ", ".join(f"{name}={format_value(value)}" for name, value in best.assignment.items())
    trial = f"{best.sweep}/{best.trial}"
    return f"best of {group.label}: {_format_number(best.value)} by {trial}: {values}"


def format_markdown(comparison: Comparison) -> str:
    """Return the whole comparison as Markdown: verdicts, tables, what changed."""
    return "\n\n".join(_list_blocks(comparison)) + "\n"


def _list_blocks(comparison: Comparison) -> Iterator[str]:
    yield f"## {_escape(name_comparison(comparison))}"
    for pair in comparison.pairs:
        caveats = "".join(f" {fact[0].upper()}{fact[1:]}." for fact in list_unmatched(pair))
        yield f"**{_escape(format_verdict(pair))}.**{_escape(caveats)}"
    yield from map(_escape, list_remarks(comparison))
    if comparison.groups:
        yield _format_table(tabulate_results(comparison))
        yield _format_table(tabulate_origins(comparison))
        yield "\n".join(f"- {_escape(format_best(group))}" for group in comparison.groups)
    for pair in comparison.pairs:
        yield f"### What changed from {_escape(pair.before)} to {_escape(pair.after)}"
        yield "\n".join(f"    {line}" for line in pair.changes.lines()) or "Nothing."


def _format_table(table: Table) -> str:
    rows = zip(*table.values(), strict=True)
    return markdown_table([_escape(name) for name in table], (map(_escape, row) for row in rows))


def _escape(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in text)


def _format_finding(pair: GroupPair) -> str:
    finding, evidence = pair.finding, pair.finding.evidence
    if evidence is None:
        matched = f" ({count(pair.num_matched, 'matched trial')})" if pair.num_matched else ""
        return f"no evidence{matched}: {finding.problem}"
    if finding.is_identical:
        kind = "folds" if finding.unit is Unit.FOLD else "pairs"
        text = f"no evidence: identical in all {evidence.num_after} {kind}"
        return f"{text} ({_count_trials(finding)})"
    if finding.verdict is Conclusion.NO_EVIDENCE:
        text = f"no evidence ({evidence.difference:+.3g}; {_format_support(finding, evidence)})"
        return f"{text}; {finding.problem or _format_needed(finding)}"
    size = f"{abs(evidence.difference):.3g}"
    return f"{finding.verdict.value} by {size} ({_format_support(finding, evidence, 'size')})"


def _format_support(finding: Finding, evidence: Significance, of: str = "difference") -> str:
    """Return interval, p-value, basis and effect size; of a size, the interval has no sign."""
    low, high, effect = evidence.low, evidence.high, evidence.effect_size
    if of == "size":
        (low, high), effect = sorted((abs(low), abs(high))), abs(effect)
    interval = f"95 % interval {low:.3g} to {high:.3g}"
    if not math.isfinite(low):
        interval = "too few for an interval"
    basis = _count_trials(finding)
    if finding.unit is Unit.SPLIT:
        basis += f", {evidence.num_before} and {count(evidence.num_after, 'split')} of the data"
    elif finding.unit is Unit.FOLD:
        basis += f", {count(evidence.num_before, 'fold')}"
    elif not evidence.num_before == evidence.num_after == finding.num_trials:
        basis += f", {evidence.num_before} and {count(evidence.num_after, 'run')}"
    if math.isfinite(effect):
        basis += f", d = {effect:.2g}"
    return f"{interval}; {_format_p_values(finding, evidence)}; {basis}"


def _format_p_values(finding: Finding, evidence: Significance) -> str:
    text = _format_p(evidence.p_value)
    corrected = finding.corrected_p_value
    if corrected is None or corrected == evidence.p_value:
        return text
    return f"{text}, corrected {_format_p(corrected)}"


def _format_p(p_value: float) -> str:
    return f"p < {_LEAST_P:g}" if p_value < _LEAST_P else f"p = {p_value:.2g}"


def _format_needed(finding: Finding) -> str:
    """Return what would settle it."""
    repeats = finding.repeats_needed
    if finding.unit is Unit.SPLIT:
        return "fewer runs would show more with the same --seed on both sides"
    if repeats is None:
        return "one run a side does not show the noise: run both with --repeats"
    if repeats <= MAX_REPEATS:
        return f"--repeats={repeats} would show a difference of this size"
    if finding.unit is Unit.FOLD:
        return f"not even {MAX_REPEATS} repeats of these folds would show a difference of this size"
    return (
        f"to show takes more than {MAX_REPEATS} repeats: the difference, if any, is too small to "
        "matter here"
    )


def _describe_single(group: Group, by: By) -> str:
    text = f"{group.label} is the only {by.value}, so there is nothing to compare it with"
    if by is not By.SWEEP and len(group.sweeps) > 1:
        return f"{text}; it has {len(group.sweeps)} sweeps: try --by=sweep"
    return text


def _count_trials(finding: Finding) -> str:
    return count(finding.num_trials, "matched trial")


def _format_mean(group: Group) -> str:
    text = _format_number(group.mean)
    half_width = (group.high - group.low) / 2
    return text if math.isnan(half_width) else f"{text} ± {half_width:.2g}"


def _format_number(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.5g}"


def _format_period(group: Group) -> str:
    """Return the first start and the last end to the minute; a day is written once."""
    started = group.started[:16].replace("T", " ")
    if group.ended is None:
        return f"since {started}"
    ended = group.ended[:16].replace("T", " ")
    return f"{started} to {ended[11:] if ended[:10] == started[:10] else ended}"
