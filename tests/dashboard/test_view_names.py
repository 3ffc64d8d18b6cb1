"""What runs are called in a view."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, RealInterval

from hparams_lab.dashboard.view.finder import ShownRun
from hparams_lab.dashboard.view.names import label_pattern, list_label_axes, name_runs
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.rules import find_hparam_name_problems
from hparams_lab.events.read.start import Start
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.search.base import Traits
from tests.support.factories import FRIDAY, SATURDAY, make_sweep

TRIAL = "0000-01234567"


def found(
    hparams: list[Any],
    values: dict[str, Any],
    *,
    home: str = "toy",
    repeat: int = 0,
    fold: int | None = None,
    **changes: Any,
) -> ShownRun:
    """Return a run that was found, which need not exist."""
    path = Path("/logs") / home
    run_dir = SweepDir(path / SATURDAY).run_dir(TRIAL, repeat=repeat, fold=fold)
    start = Start(values, f"{TRIAL}@{SATURDAY}", 1.0)
    sweep = make_sweep(hparams=hparams, **changes)
    return ShownRun(ExperimentDir(path), sweep, run_dir, start, (), 0)


OPTIMIZER = HParam("optimizer", Discrete(["adam", "sgd"]))
UNITS = HParam("units", Discrete([8, 16]))


def test_name_says_sweep_trial_values_and_run() -> None:
    """A run's name has what Time Series can colour and filter by."""
    run = found([OPTIMIZER, UNITS], {"optimizer": "adam", "units": 16.0})

    assert [f"{SATURDAY}/{TRIAL},optimizer=adam,units=16,r00"] == [*name_runs([run])]


def test_name_says_the_experiment_among_several() -> None:
    """Runs of several experiments stand below their experiments' names."""
    runs = [found([UNITS], {"units": 8.0}, home=home) for home in ("a", "b")]

    assert ["a", "b"] == [name.partition("/")[0] for name in name_runs(runs)]


def test_run_that_is_shown_as_text_has_another_name() -> None:
    """A run whose session start is amended is another run to TensorBoard."""
    run = found([UNITS], {"units": 8.0})

    assert [*name_runs([run])] != [*name_runs([run], ["units"])]
    assert [*name_runs([run])] == [*name_runs([run], ["rate"])]


@pytest.mark.parametrize(
    ("hparams", "shown"),
    [
        ([OPTIMIZER], ["optimizer"]),
        ([HParam("x", Discrete([True, False]))], ["x"]),
        ([HParam("x", Discrete([1]))], []),
        ([HParam("x", RealInterval(0.0, 1.0))], []),
        ([Axis(HParam("x", RealInterval(0.0, 1.0)), grid=[0.1, 0.2])], ["x"]),
        ([Axis(HParam("x", IntInterval(0, 99)), step=1)], []),
        ([HParam("x", Discrete([str(i) for i in range(10)]))], []),
    ],
    ids=["text", "bool", "constant", "interval", "listed", "hundred", "ten words"],
)
def test_axes_with_a_few_values_are_labels(hparams: list[Any], shown: list[str]) -> None:
    """An axis of two to nine listed values stands in names, no other does."""
    assert shown == [
        *list_label_axes([make_sweep(hparams=hparams, strategy="random", traits=Traits())])
    ]


def test_what_varies_between_sweeps_is_a_label() -> None:
    """An axis with one value in each sweep, but not the same, stands in names."""
    sweeps = [
        make_sweep(sweep_id, hparams=[HParam("optimizer", Discrete([word]))])
        for sweep_id, word in ((FRIDAY, "adam"), (SATURDAY, "sgd"))
    ]

    assert {"optimizer": str} == list_label_axes(sweeps)


WORDS = st.text(min_size=1, max_size=300)
NAMES = WORDS.filter(lambda name: not find_hparam_name_problems("hparam", name, {}))


@given(name=NAMES, words=st.lists(WORDS, min_size=2, max_size=3, unique=True))
@settings(deadline=None, max_examples=100)
def test_any_words_make_a_path(name: str, words: list[str]) -> None:
    """Whatever axes and values are called, the name is a path of two short components."""
    (path,) = name_runs([found([HParam(name, Discrete(words))], {name: words[0]})])
    components = path.split("/")

    assert len(components) == 2
    assert all(0 < len(part.encode()) <= 255 for part in components)
    assert "\0" not in path


@given(
    repeats=st.integers(1, 1_100),
    folds=st.one_of(st.none(), st.integers(2, 120)),
    data=st.data(),
)
@settings(deadline=None, max_examples=100)
def test_no_run_begins_with_another(repeats: int, folds: int | None, data: st.DataObject) -> None:
    """No run of a trial has a name that another's begins with, however many there are."""
    keys = st.tuples(st.integers(0, repeats - 1), st.integers(0, (folds or 1) - 1))
    chosen = data.draw(st.lists(keys, min_size=2, max_size=4, unique=True))
    runs = {
        (repeat, fold if folds else None): found(
            [UNITS], {}, repeat=repeat, fold=fold if folds else None, repeats=repeats, folds=folds
        )
        for repeat, fold in chosen
    }
    names = [*name_runs([*runs.values()])]

    assert len(names) == len(runs)
    assert not [(a, b) for a in names for b in names if a != b and b.startswith(a)]


def test_pattern_captures_the_value() -> None:
    """The pattern of an axis captures its value in a run's name, that of no other axis."""
    hparams = [HParam("a/b", Discrete(["x", "y"])), HParam("b", Discrete(["u", "v"]))]
    (name,) = name_runs([found(hparams, {"a/b": "y", "b": "u"})])

    assert [["y"], ["u"]] == [re.findall(label_pattern(axis), name) for axis in ("a/b", "b")]
