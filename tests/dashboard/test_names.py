"""Names and values with spaces, quotes and any script reach the dashboard unharmed."""

from __future__ import annotations

import pytest

from tests.conftest import InlineLauncher
from tests.support.oracle import read_board

ODD = {
    "spaces": "with two spaces",
    "quotes": "'single' \"double\" `back`",
    "unicode": "Größe 学習率 🙂",
    "markup": "<b>&amp;</b> a|b",
    "slashes": "a/b\\c",
}

MODULE = """
    ODD = {odd!r}

    def train(run):
        run.scalar("step " + ODD, 0.5, 0)
        return {{ODD: len(run.hparams[ODD])}}

    EXPERIMENT = lab.Experiment(
        name={name!r},
        hparams=[HParam(ODD, Discrete(["plain", ODD]), display_name=ODD, description=ODD)],
        metrics=[Metric(ODD, display_name=ODD, description=ODD)],
        objective=lab.maximize(ODD),
        description=ODD,
        train=train,
    )
"""


@pytest.mark.parametrize("odd", list(ODD.values()), ids=list(ODD))
def test_odd_names_are_shown(odd: str, launch_inline: InlineLauncher) -> None:
    """An hparam, its value, a metric and an experiment of an odd name are shown as declared."""
    name = odd.replace("/", "").replace("\\", "")
    board = read_board(launch_inline(MODULE.format(odd=odd, name=name)).path)
    (info,) = board.experiment.metric_infos

    assert (name, odd) == (board.experiment.name, board.experiment.description)
    assert (odd, [odd]) == (board.hparams[0], board.differing)
    assert (odd, odd) == (info.name.tag, info.display_name)
    assert ["STATUS_SUCCESS"] * 2 == board.statuses
    assert {board.values(trial)[odd]: value for trial, value in board.column(odd).items()} == {
        "plain": 5.0,
        odd: float(len(odd)),
    }
