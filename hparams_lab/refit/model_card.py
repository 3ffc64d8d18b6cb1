"""The model card of a refit: what the model is, what was measured of it, how to get it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hparams_lab.analysis.trials.pick import Pick
from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.declare.domains import format_value
from hparams_lab.runs.provenance import Provenance
from hparams_lab.text import markdown_table

_PACKAGES = ("tensorflow", "keras", "numpy", "hparams_lab")


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """All that a model card says."""

    question: str  # of the experiment, one line; empty if it asks none
    pick: Pick  # the trial whose values the model has
    made: str  # local time with its offset, ISO 8601
    seed: int  # of the refit
    trained_on: Sequence[str]  # what it was trained on, one line each
    data_digest: str  # of what `load_data` returned; empty if none could be taken
    values: Mapping[str, float]  # last value of each tag, as far as training wrote any
    provenance: Provenance  # command, code, versions and machine of the refit
    notices: Sequence[str]  # what else to know, one sentence each
    files: Sequence[str]  # what was saved, one line each
    loading: str  # Python code that loads it
    repeating: str  # the command that does all this again


def format_card(card: ModelCard) -> str:
    """Return the card as Markdown."""
    sweep, row = card.pick.sweep, card.pick.row
    sections = [
        f"# {sweep.experiment}, trial {row.trial_id}",
        card.question,
        _format_table(
            [
                ("experiment", sweep.experiment),
                ("trial", f"{row.trial_id} of sweep {row.sweep_id}"),
                ("place", f"{card.pick.place} of {card.pick.num_trials} trials, {row.label}"),
                ("objective", f"{sweep.objective.goal.value} {sweep.objective.tag}"),
                ("trained again", card.made),
                ("seed", str(card.seed)),
            ]
        ),
        "\n".join(f"- {notice}" for notice in card.notices),
        "## Hyperparameters",
        _format_table((name, format_value(value)) for name, value in row.assignment.items()),
        "## What the sweep measured",
        "The mean over the trial's runs, and of several ± their standard deviation (their number).",
        _format_table(_list_measured(card.pick)),
        "## What this model was trained on",
        "\n".join(f"- {line}" for line in card.trained_on),
        f"SHA-256 of the data: `{card.data_digest}`"
        if card.data_digest
        else "No digest of the data: it holds what has no bytes to take one of.",
        "## Last values of this training",
        "What is measured on rows that `run.split` holds out is a training score here: a refit "
        "trains on them, too.",
        _format_table((tag, f"{value:.5g}") for tag, value in card.values.items()),
        "## Code and versions",
        _format_table(_list_versions(card)),
        "## Files",
        "\n".join(f"- {line}" for line in card.files),
        "Load it, in this folder:",
        f"```python\n{card.loading}\n```",
        "Make it again:",
        f"```\n{card.repeating}\n```",
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _list_measured(pick: Pick) -> Iterable[tuple[str, str]]:
    """Yield each metric of the trial, of several runs as `mean ± std (n)`."""
    for tag in dict.fromkeys([pick.sweep.objective.tag, *pick.sweep.metric_keys]):
        yield tag, _format_metric(pick.row, tag)


def _format_metric(row: TrialRow, tag: str) -> str:
    if tag not in row.metrics:
        return "-"
    text = f"{row.metrics[tag]:.5g}"
    spread = row.spreads.get(tag)
    return text if spread is None else f"{text} ± {spread.std:.2g} ({spread.count})"


def _list_versions(card: ModelCard) -> Iterable[tuple[str, str]]:
    now, then = card.provenance, card.pick.sweep.provenance
    commits = sorted({run.labels.get("commit", "none") for run in card.pick.row.runs})
    yield "commit", f"{now.commit_label} (the sweep's: {', '.join(commits)})"
    if now.git is not None and now.git.dirty:
        yield "uncommitted changes", "yes"
    yield "Python", now.python
    for name in _PACKAGES:
        version, before = now.versions.get(name), then.versions.get(name)
        if version is not None:
            has_changed = before not in (None, version)
            yield name, f"{version} (the sweep's: {before})" if has_changed else version
    yield "machine", f"{now.host}, {now.platform}"


def _format_table(rows: Iterable[tuple[str, str]]) -> str:
    cells = [map(_cell, row) for row in rows]
    return markdown_table(["", ""], cells) if cells else ""


def _cell(text: str) -> str:
    """Return text in which no character is markup."""
    return re.sub(r"([\\`*|<\[\]])", r"\\\1", " ".join(text.splitlines()))
