"""The frozen declaration of an experiment."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.errors import DeclarationError

UNITS = HParam("units", Discrete([16, 32]))
ACCURACY = Metric("accuracy")


def declare(**changes: Any) -> Experiment:
    """Return a small experiment with some fields changed."""
    fields: dict[str, Any] = {
        "name": "digits",
        "hparams": [UNITS],
        "metrics": [ACCURACY, Metric("loss", group="validation")],
        "objective": maximize("accuracy"),
        "train": lambda run: {"accuracy": 1.0},
    }
    return Experiment(**{**fields, **changes})


# What is changed in a good declaration, and a part of the sentence that says what is wrong.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty_name": ({"name": ""}, "must have a printable name; got ''"),
    "blank_name": ({"name": " "}, "must have a printable name; got ' '"),
    "newline_in_name": ({"name": "a\nb"}, "must have a printable name; got 'a\\nb'"),
    "no_name": ({"name": None}, "must have a printable name; got None"),
    "slash": ({"name": "a/b"}, "must not contain a slash"),
    "backslash": ({"name": "a\\b"}, "must not contain a slash"),
    "dots": ({"name": ".."}, "nor begin with '.'"),
    "dash": ({"name": "-rf"}, "nor begin with '.', '-' or a space; got '-rf'"),
    "leading_space": ({"name": " digits"}, "got ' digits'"),
    "no_hparam": ({"hparams": []}, "must have an hparam; got none"),
    "number_as_hparams": (
        {"hparams": 16},
        "the hparams of experiment 'digits' must be a list; got 16",
    ),
    "lone_hparam": ({"hparams": UNITS}, "the hparams of experiment 'digits' must be a list"),
    "hparam_twice": ({"hparams": [UNITS, UNITS]}, "'units' twice"),
    "lone_metric": ({"metrics": ACCURACY}, "the metrics of experiment 'digits' must be a list"),
    "string_as_metric": ({"metrics": ["accuracy"]}, "must be an hp.Metric; got 'accuracy'"),
    "metric_twice": ({"metrics": [ACCURACY, ACCURACY]}, "got 'accuracy' twice"),
    "slash_group": ({"metrics": [Metric("accuracy", group="/a")]}, "without a leading slash"),
    "misspelt_objective": (
        {"objective": maximize("acuracy")},
        "must be a declared metric (accuracy, validation/loss); got 'acuracy'. "
        "Did you mean 'accuracy'?",
    ),
    "misspelt_group": (
        {"objective": minimize("validation_loss")},
        "got 'validation_loss'. Did you mean 'validation/loss'?",
    ),
    "unknown_objective": (
        {"objective": minimize("zzz")},
        "got 'zzz'. Declare it or choose one of them.",
    ),
    "string_as_objective": (
        {"objective": "accuracy"},
        "must say what is sought; got 'accuracy'. Write lab.maximize",
    ),
    "no_objective": ({"objective": None}, "must say what is sought; got None"),
    "no_train": (
        {"train": None},
        "train of experiment 'digits' must be a function of a run; got None",
    ),
    "data_as_load_data": (
        {"load_data": [1, 2]},
        "load_data of experiment 'digits' must be a function without",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_declaration_is_told_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    """Each broken rule is a DeclarationError that names the rule and the value."""
    with pytest.raises(DeclarationError, match=re.escape(message)):
        declare(**changes)


def test_all_problems_are_told_at_once() -> None:
    """Name, function, space, metrics and objective are checked in one go."""
    with pytest.raises(DeclarationError) as caught:
        declare(
            name="a/b",
            train=3,
            hparams=[HParam("x"), UNITS, UNITS],
            metrics=["loss"],
            objective="loss",
        )

    assert len(caught.value.problems) == 6
    assert list(caught.value.problems) == str(caught.value).splitlines()


def test_no_metric_is_one_problem() -> None:
    """Without any metric, the objective is not blamed as well."""
    with pytest.raises(DeclarationError) as caught:
        declare(metrics=[])

    assert len(caught.value.problems) == 1


def test_a_declaration_makes_its_space() -> None:
    """A bare hparam is an axis; the space is their ordered product."""
    rate = Axis(HParam("rate", RealInterval(1e-3, 1e-1)), scale="log", grid_points=3)
    experiment = declare(hparams=[UNITS, rate])

    assert experiment.space.size == 6
    assert [axis.name for axis in experiment.space] == ["units", "rate"]
    assert experiment.metric_keys == ("accuracy", "validation/loss")


def test_a_declaration_is_frozen() -> None:
    """No field of a declaration can be set afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        declare().name = "other"  # type: ignore[misc]


def test_a_declaration_does_not_change_with_the_lists_it_was_made_of() -> None:
    """Changing the list of metrics afterwards does not change the declaration."""
    metrics = [ACCURACY]
    experiment = declare(metrics=metrics)
    metrics.append(Metric("late"))

    assert experiment.metric_keys == ("accuracy",)


def test_metrics_may_come_from_a_generator() -> None:
    """A declaration keeps what a generator gives, like that of a list."""
    experiment = declare(metrics=(Metric(tag) for tag in ("accuracy", "loss")))

    assert experiment.metric_keys == ("accuracy", "loss")


@pytest.mark.parametrize("name", ["lernråte 1", 'it\'s "quoted"', "a.b", "数字"])
def test_odd_names_are_names(name: str) -> None:
    """Spaces, quotes, dots and any script are fine in an experiment's name."""
    assert name == declare(name=name).name
