"""The links into Time Series: what they pin, and what they colour by."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.dashboard.links import find_curve, make_links
from hparams_lab.dashboard.view.view import open_view
from hparams_lab.declare.objective import maximize
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import HPARAMS, add_sweep, make_spec, make_sweep, write_run
from tests.support.story import write_story

URL = "http://localhost:6006/"


def pinned_by(link: str) -> list[str]:
    """Return the tags that a link pins."""
    (cards,) = parse_qs(urlsplit(link).query)["pinnedCards"]
    return [card["tag"] for card in json.loads(cards) if card["plugin"] == "scalars"]


def test_links_colour_by_day_and_by_the_first_word(tmp_path: Path) -> None:
    """There is a link for days and one for the first axis of words; both go to Time Series."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        links = make_links(URL, view.runs)

    assert ["Time Series by day", "Time Series by optimizer"] == [*links]
    for link in links.values():
        assert parse_qs(urlsplit(link).query)["runColorGroup"][0].startswith("regex:")
        assert urlsplit(link).fragment == "timeseries"


def test_each_experiments_objective_is_pinned(tmp_path: Path) -> None:
    """The curves of both experiments' objectives are pinned."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        links = make_links(URL, view.runs)

    assert {"accuracy", "cost"} == {*pinned_by(links["Time Series by day"])}


def test_nothing_to_show_has_no_links() -> None:
    """Without a run there is no link."""
    assert {} == make_links(URL, [])


@pytest.mark.parametrize(
    ("scalars", "tag"),
    [
        ({"accuracy": [0.1, 0.2], "loss": [1.0, 0.5]}, "accuracy"),
        ({"accuracy": [0.2], "validation/accuracy": [0.1, 0.2]}, "validation/accuracy"),
        ({"accuracy": [0.2], "report/accuracy": [0.1, 0.2], "loss": [1, 0]}, "report/accuracy"),
        ({"accuracy": [0.2], "loss": [1.0, 0.5]}, "loss"),
        ({"accuracy": [0.2]}, "accuracy"),
        ({}, ""),
    ],
    ids=["own", "validation", "reported", "another", "no curve", "nothing"],
)
def test_pinned_tag_has_a_curve(scalars: dict[str, list[float]], tag: str, tmp_path: Path) -> None:
    """The objective's own curve is pinned, else the one that is nearest to it."""
    sweep = make_sweep(hparams=HPARAMS, objective=maximize(Metric("accuracy")))
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.1}), scalars)
    with open_view(tmp_path) as view:
        assert tag == find_curve(view.runs)


def test_axis_of_words_comes_before_numbers(tmp_path: Path) -> None:
    """The link's axis is one of words if there is one, wherever it is declared."""
    hparams = [HParam("units", Discrete([1, 2])), HParam("kind", Discrete(["a", "b"]))]
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep(hparams=hparams))
    write_run(make_spec(sweep_dir, {"units": 1, "kind": "a"}), {"accuracy": [1.0]})
    with open_view(tmp_path) as view:
        links = make_links(URL, view.runs)

    assert "Time Series by kind" in links
