from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.plots.pictures import draw_picture
from hparams_lab.analysis.report.report import MAX_TRIALS, Report, format_page, gather_report
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run
from tests.support.plot_trials import GRID, UNITS, log_points, show_logged

EVIL = "<script>alert('x')</script> & \"quotes\""


def report_on(home: ExperimentDir, *, kinds: Sequence[str] = (), replay: str = "") -> Report:
    """Return the report of all that is logged, with some pictures."""
    logged = read_logged(home)
    trials = show_logged(logged)
    pictures = [draw_picture(kind, trials) for kind in kinds]
    return gather_report(
        logged, trials, compare(logged), pictures, [], replay=replay, made="2026-11-21 18:00"
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return the report of two days, on each of which the first run failed."""
    logdir = tmp_path_factory.mktemp("logs")
    home = log_points(logdir, sweep_ids=(FRIDAY, SATURDAY), failed=lambda index: index == 0)
    for record in read_logged(home).records:
        if record.ending is Ending.FAILED:
            record.dir.failure_file.write_text("Traceback:\n  ...\nValueError: too steep\n")
    return report_on(home, kinds=["best_so_far"], replay="hparams_lab run toy")


class _Seen(HTMLParser):
    """What a browser makes of a page: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_answer_comes_first(report: Report) -> None:
    """A report opens with the best trial, its values, and the command that runs it again."""
    assert report.best is not None
    assert "accuracy 0.26, of a single run" == report.best.value
    assert {"units": "16", "rate": "0.01"}.items() <= dict(report.best.facts).items()
    assert "hparams_lab run toy" == report.best.replay


def test_repeats_give_an_interval(tmp_path: Path) -> None:
    """Of a trial of several runs the interval of the mean is reported."""
    home = experiment_dir(tmp_path, "toy")
    sweep_dir = add_sweep(home, make_sweep(repeats=2))
    for repeat, accuracy in enumerate([0.5, 0.7]):
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
        run_dir = sweep_dir.run_dir(spec.dir.trial_id, repeat=repeat)
        write_run(replace(spec, dir=run_dir), {"accuracy": [accuracy]})
    report = report_on(home)

    assert report.best is not None
    assert report.best.value.startswith("accuracy 0.6, the mean of 2 runs, 95 % interval -0.67")


def test_days_are_compared(report: Report) -> None:
    """Two days give a verdict, a table of both, and what was changed between them."""
    assert report.verdicts[0].startswith("2026-11-21 against 2026-11-20: ")
    assert ["2026-11-20", "2026-11-21"] == [row[0].text for row in report.groups[0].rows]
    assert ["2026-11-20 to 2026-11-21"] == [change.title for change in report.changes]


@pytest.mark.slow
def test_so_many_trials_are_listed_and_the_others_counted(tmp_path: Path) -> None:
    """The table stops after a hundred trials, and says how many it leaves out."""
    points = [{"units": units} for units in range(MAX_TRIALS + 5)]
    axis = HParam("units", IntInterval(0, MAX_TRIALS + 5))
    home = log_points(tmp_path, points, hparams=(axis,), score=lambda values: values["units"])
    report = report_on(home)

    assert (MAX_TRIALS, 5) == (len(report.trials.rows), report.num_more_trials)
    assert "5 more trials are left out." in _Seen(format_page(report)).text


def test_failures_are_listed_with_their_reason(report: Report) -> None:
    """A run that failed stands with the last line of what was recorded, and the whole."""
    failure = report.failures[0]

    assert 2 == len(report.failures)
    assert ("failed", "ValueError: too steep") == (failure.ending, failure.reason)
    assert failure.details.startswith("Traceback:")


def test_a_report_without_a_full_trial_says_so(tmp_path: Path) -> None:
    """Where every run failed there is a page all the same, with the reasons."""
    report = report_on(log_points(tmp_path, GRID[:1], failed=lambda index: True))

    assert report.best is None
    assert "No trial was run in full" in _Seen(format_page(report)).text


def test_the_page_needs_nothing_else(report: Report) -> None:
    """No element of the page refers to anything outside of it."""
    seen = _Seen(format_page(report))
    addresses = [
        value
        for _, attributes in seen.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]

    assert addresses
    assert all(address and address.startswith("data:") for address in addresses)


def _log_evil(logdir: Path) -> ExperimentDir:
    axis = HParam(EVIL, Discrete([EVIL, "tame"]))
    points = [{EVIL: value, "units": 8} for value in (EVIL, "tame")]
    home = log_points(
        logdir,
        points,
        hparams=(axis, UNITS),
        score=lambda values: len(values[EVIL]) / 100,
        description=EVIL,
        failed=lambda index: index == 1,
    )
    for record in read_logged(home).records:
        record.dir.failure_file.write_text(EVIL)
    return home


def test_whatever_the_user_wrote_is_text(tmp_path: Path) -> None:
    """Names, values, descriptions and reasons that look like markup are read, never obeyed."""
    seen = _Seen(format_page(report_on(_log_evil(tmp_path), replay=EVIL)))
    scripts = [attributes for tag, attributes in seen.elements if tag == "script"]

    assert 1 == len(scripts)
    assert seen.text.count(EVIL) >= 6


@pytest.mark.parametrize("kind", ["style", "script"])
def test_the_policy_allows_the_page_s_own_style_and_script(report: Report, kind: str) -> None:
    """The policy names the digest of what stands in the page, and allows nothing else."""
    page = format_page(report)
    found: Any = re.search(f"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    policies = [
        attributes["content"] or ""
        for tag, attributes in _Seen(page).elements
        if tag == "meta" and "http-equiv" in attributes
    ]

    assert policies[0].startswith("default-src 'none'; img-src data:;")
    assert f"{kind}-src 'sha256-{digest}'" in policies[0]
