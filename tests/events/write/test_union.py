"""One config for several experiments, and session starts that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    Metric,
    RealInterval,
)

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.events import schema
from hparams_lab.events.read.start import Start
from hparams_lab.events.write.union import Columns, unite
from hparams_lab.runs.sweep import Sweep
from tests.support.factories import FRIDAY, SATURDAY, decode_config, make_sweep

WORDS = Discrete(["high", "low"])


def infos_of(columns: Columns) -> dict[str, api_pb2.HParamInfo]:
    """Return the columns' hparams by name."""
    return {info.name: info for info in decode_config(columns.config.value[0]).hparam_infos}


def metrics_of(columns: Columns) -> list[str]:
    """Return the columns' metrics in their order."""
    return [info.name.tag for info in decode_config(columns.config.value[0]).metric_infos]


def unite_domains(*domains: Domain) -> Columns:
    """Return the columns of experiments that have an hparam of one name with these domains."""
    sweeps = [make_sweep(hparams=[HParam("x", domain)]) for domain in domains]
    return unite({f"e{place}": [sweep] for place, sweep in enumerate(sweeps)})


def fit(columns: Columns, sweep: Sweep, values: Mapping[str, Any], experiment: str = "a") -> Start:
    """Return the start of a run of a sweep as the columns need it."""
    start = Start(values, "t@s", 1.0)
    return columns.fit(start, sweep, experiment=experiment, group_name="t@s")


def test_one_experiment_has_its_own_config() -> None:
    """The columns of one experiment are those of the config in its own directory."""
    sweeps = [make_sweep(FRIDAY), make_sweep(SATURDAY)]

    assert schema.encode_config(sweeps) == unite({"toy": sweeps}).config


def test_experiment_is_a_varied_column() -> None:
    """Several experiments are distinguished by a column with their names, which differs."""
    info = infos_of(unite({"b": [make_sweep()], "a": [make_sweep()]}))["experiment"]

    assert info.differs
    assert ["a", "b"] == list(info.domain_discrete)


def test_experiment_column_leaves_a_users_hparam_alone() -> None:
    """An hparam that is called `experiment` keeps its column."""
    sweep = make_sweep(hparams=[HParam("experiment", Discrete([1, 2]))])
    columns = unite({"a": [sweep], "b": [make_sweep()]})

    assert columns.experiment_column == "experiment_2"
    assert [1.0, 2.0] == list(infos_of(columns)["experiment"].domain_discrete)


@pytest.mark.parametrize(
    ("domains", "texts"),
    [
        ((WORDS, Discrete([1, 2])), ["1", "2", "high", "low"]),
        ((Discrete([True, False]), Discrete([0, 1])), ["0", "1", "False", "True"]),
        ((WORDS, RealInterval(0.5, 1.0)), ["0.5", "1.0", "high", "low"]),
        ((WORDS, Discrete([True, False]), IntInterval(1, 2)), None),
    ],
    ids=["text and integer", "bool and integer", "text and number", "three"],
)
def test_disagreeing_types_become_text(
    domains: Sequence[Domain], texts: Sequence[str] | None
) -> None:
    """A column that experiments disagree about is one of texts, with all their values."""
    columns = unite_domains(*domains)
    info = infos_of(columns)["x"]

    assert columns.as_text == {"x"}
    assert info.type == api_pb2.DATA_TYPE_STRING
    assert texts is None or texts == sorted(info.domain_discrete)


def test_agreeing_types_stay_numbers() -> None:
    """Integers and reals share a column of numbers."""
    columns = unite_domains(Discrete([1, 2]), RealInterval(0.5, 4.0))

    assert columns.as_text == frozenset()
    assert infos_of(columns)["x"].type == api_pb2.DATA_TYPE_FLOAT64


def test_condition_on_a_text_column_is_no_matter() -> None:
    """An axis may depend on one whose values become texts."""
    units = HParam("units", Discrete([1, 2]))
    space = [units, Axis(HParam("rate", RealInterval(0.1, 0.2)), when={units: [1]})]
    other = make_sweep(hparams=[HParam("units", WORDS)])

    assert unite({"a": [make_sweep(hparams=space)], "b": [other]}).as_text == {"units"}


def test_constant_of_one_experiment_that_another_has_otherwise_differs() -> None:
    """What is constant in each experiment, but not the same, is marked as varied."""
    columns = unite_domains(Discrete([1]), Discrete([2]))

    assert infos_of(columns)["x"].differs


def test_objectives_are_the_first_metrics() -> None:
    """Each experiment's objective stands before what the others measure besides."""
    accuracy, loss, cost = Metric("accuracy"), Metric("loss"), Metric("cost")
    a = make_sweep(SATURDAY, metrics=[loss, accuracy], objective=maximize(accuracy))
    b = make_sweep(FRIDAY, metrics=[loss, cost], objective=minimize(cost))

    assert ["accuracy", "cost", "loss"] == metrics_of(unite({"a": [a], "b": [b]}))


def test_start_of_one_experiment_stays_as_it_is() -> None:
    """Where there is one experiment, nothing needs to be amended."""
    sweep = make_sweep()
    start = Start({"units": 8.0}, "t@s", 1.0)
    columns = unite({"a": [sweep]})

    assert start == columns.fit(start, sweep, experiment="a", group_name="t@s")


def test_start_gets_its_experiment() -> None:
    """A start of several experiments says which, in its values and its Trial ID."""
    sweep = make_sweep()
    start = fit(unite({"a": [sweep], "b": [sweep]}), sweep, {"units": 8.0}, experiment="b")

    assert {"units": 8.0, "experiment": "b"} == start.hparams
    assert start.group_name == "t@s@b"


@pytest.mark.parametrize(
    ("domain", "value", "text"),
    [
        (Discrete([1, 2]), 2.0, "2"),
        (RealInterval(0.0, 1.0), 0.1, "0.1"),
        (Discrete([True, False]), True, "True"),
        (WORDS, "low", "low"),
    ],
    ids=["integer", "number", "bool", "text"],
)
def test_value_of_a_text_column_is_one_of_its_texts(domain: Domain, value: Any, text: str) -> None:
    """A value becomes the text that the column's filter lists for it."""
    sweep = make_sweep(hparams=[HParam("x", domain)])
    others = {"b": [make_sweep(hparams=[HParam("x", WORDS)])]}
    others["c"] = [make_sweep(hparams=[HParam("x", Discrete([3]))])]
    start = fit(unite({"a": [sweep], **others}), sweep, {"x": value})

    assert text == start.hparams["x"]


def test_a_name_of_one_experiment_is_not_put_upon_another() -> None:
    """A column that two experiments call by different names is called by its tag."""
    sweeps = [
        make_sweep(metrics=[Metric("loss", display_name=name)], objective=minimize("loss"))
        for name in ("Height", "Cross-entropy")
    ]
    columns = unite({f"e{place}": [sweep] for place, sweep in enumerate(sweeps)})

    (info,) = decode_config(columns.config.value[0]).metric_infos
    assert ("loss", "") == (info.name.tag, info.display_name)


def test_a_name_that_all_experiments_have_is_kept() -> None:
    """A column that two experiments call by one name is called by that."""
    hparams = [HParam("rate", RealInterval(0.1, 0.5), display_name="Learning rate")]
    columns = unite({name: [make_sweep(hparams=hparams)] for name in ("a", "b")})

    assert "Learning rate" == infos_of(columns)["rate"].display_name
