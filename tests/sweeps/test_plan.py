"""Setting a sweep up: what `--set`, `--trials`, `--search` and `--seed` come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    HParam,
    IntInterval,
    Metric,
    RealInterval,
)

from hparams_lab.declare import domains
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import AssignmentError, UsageError
from hparams_lab.sweeps.launch import make_plan
from hparams_lab.sweeps.options import LaunchOptions
from hparams_lab.sweeps.settings import parse_settings
from tests.support.spaces import discretes

EXPERIMENT = Experiment(
    name="toy",
    hparams=[
        HParam("units", Discrete([8, 16, 32])),
        Axis(HParam("rate", RealInterval(0.001, 0.1)), scale="log", grid_points=3),
        HParam("flag", Discrete([False, True])),
        HParam("name", Discrete(["adam", "a,b", 'say "hi"', "", "x=y"])),
        Axis(HParam("depth", IntInterval(1, 8)), step=7, when={"flag": True}),
    ],
    metrics=[Metric("loss")],
    objective=minimize("loss"),
    train=lambda run: {"loss": 0.0},
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], {}),
        (["units=8"], {"units": [8]}),
        (["units=16,8"], {"units": [16, 8]}),
        (["units=8", "rate=1e-2,0.05"], {"units": [8], "rate": [0.01, 0.05]}),
        (["flag=true"], {"flag": [True]}),
        (["flag=0,1"], {"flag": [False, True]}),
        (['name="a,b",adam'], {"name": ["a,b", "adam"]}),
        (['name="say ""hi"""'], {"name": ['say "hi"']}),
        (['name=""'], {"name": [""]}),
        (["name=x=y"], {"name": ["x=y"]}),
    ],
    ids=str,
)
def test_settings_are_values_of_the_domains(
    settings: Sequence[str], expected: dict[str, list[Any]]
) -> None:
    """`AXIS=VALUE,...` is read as values of the axis's type, in the order written."""
    actual = parse_settings(EXPERIMENT.space, settings)

    assert expected == actual
    assert repr(expected) == repr(actual)


@given(st.data())
def test_any_value_can_be_set(data: st.DataObject) -> None:
    """Each value of a domain, quoted where it must be, is set by its text."""
    domain = data.draw(discretes())
    value = domains.cast(domain, data.draw(st.sampled_from(list(domain.values))))
    text = domains.format_value(value).replace('"', '""')
    experiment = Experiment(
        name="toy",
        hparams=[HParam("x", domain)],
        metrics=[Metric("loss")],
        objective=minimize("loss"),
        train=len,
    )

    assert {"x": [value]} == parse_settings(experiment.space, [f'x="{text}"'])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["units"], r"--set takes AXIS=VALUE,\.\.\.; got 'units'"),
        (["units="], r"--set takes AXIS=VALUE,\.\.\.; got 'units='"),
        (["units=8", "units=16"], "must name an axis once; got 'units' again. Join its values."),
    ],
    ids=["no_value", "empty", "twice"],
)
def test_a_setting_of_another_form_is_refused(settings: Sequence[str], message: str) -> None:
    """A setting that cannot be read is told the form."""
    with pytest.raises(UsageError, match=message):
        parse_settings(EXPERIMENT.space, settings)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("unit=8", r"hparam 'unit' is not declared; .* Did you mean 'units'\?"),
        ("=8", "hparam '' is not declared"),
        ("units=9", "hparam 'units' must be one of 8, 16, 32; got 9"),
        ("units=8,nine", "hparam 'units' must be one of 8, 16, 32; got 'nine'"),
        ("units=8,", "hparam 'units' must be one of 8, 16, 32; got ''"),
        ("rate=nan", r"hparam 'rate' must be a number in \[0\.001, 0\.1\]; got nan"),
        ("flag=maybe", "hparam 'flag' must be one of False, True; got 'maybe'"),
        ("name=sgd", "hparam 'name' must be one of .*; got 'sgd'"),
    ],
    ids=["misspelt", "no_name", "value", "type", "trailing_comma", "nan", "bool", "string"],
)
def test_an_impossible_setting_is_told_why(setting: str, message: str) -> None:
    """An unknown axis or an illegal value is told what is legal and what to do."""
    with pytest.raises(AssignmentError, match=message) as caught:
        parse_settings(EXPERIMENT.space, [setting])

    assert str(caught.value).endswith((".", "?"))


def test_a_plan_without_options_is_the_whole_grid() -> None:
    """By default each point of the space is a trial."""
    plan = make_plan(EXPERIMENT, LaunchOptions())

    assert EXPERIMENT.space.size == plan.max_trials == 3 * 3 * 5 * (1 + 2)
    assert EXPERIMENT.space.at(0) == plan.strategy.propose()


def test_a_plan_is_over_the_narrowed_space() -> None:
    """Settings narrow the space, and the strategy with it."""
    plan = make_plan(EXPERIMENT, LaunchOptions(settings=["units=8", "name=adam", "flag=true"]))
    first = plan.strategy.propose()

    assert plan.max_trials == plan.space.size == 3 * 2
    assert first == {"units": 8, "rate": 0.001, "flag": True, "name": "adam", "depth": 1}


def test_an_axis_is_set_beside_its_grid_points() -> None:
    """`--set` may name a value between the grid points, as long as the domain has it."""
    plan = make_plan(EXPERIMENT, LaunchOptions(settings=["rate=0.005", "flag=false", "name=adam"]))

    assert plan.max_trials == 3
    assert [plan.space.at(i)["rate"] for i in range(3)] == [0.005] * 3


def test_an_axis_is_not_set_between_its_steps() -> None:
    """`--set` cannot name a value that the axis's step excludes."""
    with pytest.raises(AssignmentError, match="'depth' must be 1 plus a multiple of 7; got 2"):
        make_plan(EXPERIMENT, LaunchOptions(settings=["depth=2"]))


@pytest.mark.parametrize(("max_trials", "expected"), [(1, 1), (7, 7), (10**6, 135), (None, 135)])
def test_trials_are_limited_by_the_smaller_number(max_trials: int | None, expected: int) -> None:
    """`--trials` lowers the strategy's limit and never raises it."""
    assert expected == make_plan(EXPERIMENT, LaunchOptions(trials=max_trials)).max_trials


def test_a_plan_leaves_the_declaration_as_it_is() -> None:
    """Narrowing for one sweep does not change the experiment."""
    before = EXPERIMENT.space.encode_json()
    make_plan(EXPERIMENT, LaunchOptions(settings=["units=8"]))

    assert before == EXPERIMENT.space.encode_json()


@pytest.mark.parametrize("search", ["random", "halton", "bayes", "hyperband", "asha"])
def test_a_search_without_an_end_needs_a_limit(search: str) -> None:
    """Where points never run out, the user says when to stop: by trials or by time."""
    with pytest.raises(UsageError, match=rf"--search={search} never runs out .* Add --trials=N or"):
        make_plan(EXPERIMENT, LaunchOptions(search=search))
    by_trials = make_plan(EXPERIMENT, LaunchOptions(search=search, trials=7))
    by_time = make_plan(EXPERIMENT, LaunchOptions(search=search, time_budget_secs=7.0))

    assert (7, None) == (by_trials.max_trials, by_time.max_trials)


@pytest.mark.parametrize(("rate", "expected"), [("0.001", 135), ("0.002", 136)])
def test_a_try_beside_the_grid_is_one_trial_more(rate: str, expected: int) -> None:
    """A point of the grid that is tried first is no further trial; one beside it is."""
    tries = [f"units=8,rate={rate},flag=false,name=adam"]
    plan = make_plan(EXPERIMENT, LaunchOptions(tries=tries))

    assert expected == plan.max_trials
    assert [8] == [point["units"] for point in plan.tries]


def test_a_try_must_lie_in_the_narrowed_space() -> None:
    """What `--set` has excluded cannot be tried."""
    options = LaunchOptions(settings=["units=8"], tries=["units=16,rate=0.1,flag=false,name=adam"])
    with pytest.raises(AssignmentError, match="'units' must be one of 8; got 16"):
        make_plan(EXPERIMENT, options)
