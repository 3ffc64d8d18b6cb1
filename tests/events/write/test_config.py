"""The one `hparams_config` of an experiment: right for all of its sweeps, written once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path
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
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import LogdirError
from hparams_lab.events import schema
from hparams_lab.events.write.config import read_config, write_config
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.sweep import Sweep
from tests.support.factories import FRIDAY, HPARAMS, SATURDAY, add_sweep, decode_config, make_sweep

ADAM = Discrete(["adam"])


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Return the directory of an experiment without sweeps."""
    return ExperimentDir(tmp_path / "toy")


def config_of(*sweeps: Sweep) -> api_pb2.Experiment:
    """Return the config of some sweeps, oldest first."""
    return decode_config(schema.encode_config(sweeps).value[0])


def differing(*spaces: Sequence[Any]) -> list[str]:
    """Return what is marked as varied, of a sweep a space."""
    ids = [f"2026-11-2{day}_07-00-00" for day in range(len(spaces))]
    sweeps = [make_sweep(i, hparams=space) for i, space in zip(ids, spaces, strict=True)]
    return sorted(info.name for info in config_of(*sweeps).hparam_infos if info.differs)


def merge(first: Domain, second: Domain) -> Any:
    """Return the domain of an hparam that two sweeps have with different domains."""
    sweeps = [
        make_sweep(sweep_id, hparams=[HParam("x", domain)])
        for sweep_id, domain in ((FRIDAY, first), (SATURDAY, second))
    ]
    info = config_of(*sweeps).hparam_infos[0]
    if info.HasField("domain_discrete"):
        return list(info.domain_discrete)
    return info.domain_interval.min_value, info.domain_interval.max_value


def test_config_comes_back(home: ExperimentDir) -> None:
    """The config that is written is the one that is read."""
    add_sweep(home, make_sweep())
    write_config(home)

    assert schema.encode_config([make_sweep()]) == read_config(home)


def test_no_config_is_none(home: ExperimentDir) -> None:
    """Before the first sweep there is no config."""
    assert read_config(home) is None


def test_rewriting_changes_nothing(home: ExperimentDir) -> None:
    """Where nothing has changed the file is left alone: the same bytes of the same file."""
    add_sweep(home, make_sweep())
    write_config(home)
    content, inode = home.config_file.read_bytes(), home.config_file.stat().st_ino
    write_config(home)

    assert (content, inode) == (home.config_file.read_bytes(), home.config_file.stat().st_ino)


def test_equal_sweeps_give_equal_bytes(tmp_path: Path) -> None:
    """Equal declarations, written at equal times, give equal files."""
    homes = [ExperimentDir(tmp_path / name / "toy") for name in "ab"]
    for each in homes:
        add_sweep(each, make_sweep())
        write_config(each, clock=lambda: 1.0)

    assert homes[0].config_file.read_bytes() == homes[1].config_file.read_bytes()


def test_only_the_config_is_left(home: ExperimentDir) -> None:
    """A wider config takes the place of the narrower one; nothing else lies beside it."""
    add_sweep(home, make_sweep(FRIDAY, hparams=HPARAMS[:1]))
    write_config(home)
    add_sweep(home, make_sweep(SATURDAY))
    write_config(home)

    assert [FRIDAY, SATURDAY, home.config_file.name] == sorted(
        path.name for path in home.path.iterdir()
    )
    assert schema.encode_config(
        [make_sweep(FRIDAY, hparams=HPARAMS[:1]), make_sweep(SATURDAY)]
    ) == read_config(home)


def test_columns_are_the_union() -> None:
    """Every hparam and metric of any sweep is a column."""
    config = config_of(
        make_sweep(FRIDAY, hparams=[HParam("old", ADAM)], metrics=[Metric("mse")]),
        make_sweep(SATURDAY, hparams=[HParam("new", ADAM)], metrics=[Metric("loss")]),
    )

    assert ["new", "old", "day", "sweep", "commit"] == [i.name for i in config.hparam_infos]
    assert ["loss", "mse"] == [info.name.tag for info in config.metric_infos]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Discrete([8, 16]), Discrete([16, 32]), [8.0, 16.0, 32.0]),
        (Discrete([8, 16, 32]), Discrete([8]), [8.0, 16.0, 32.0]),
        (Discrete(["a"]), Discrete(["b"]), ["a", "b"]),
        (Discrete([1, 2]), Discrete([0.5]), [0.5, 1.0, 2.0]),
        (RealInterval(0.0, 0.5), RealInterval(0.1, 1.0), (0.0, 1.0)),
        (RealInterval(0.0, 1.0), RealInterval(0.2, 0.3), (0.0, 1.0)),
        (IntInterval(1, 4), Discrete([8]), (1.0, 8.0)),
        (IntInterval(1, 4), RealInterval(0.5, 2.5), (0.5, 4.0)),
        (Discrete(range(5)), Discrete(range(5, 9)), [float(i) for i in range(9)]),
        (Discrete(range(5)), Discrete(range(5, 10)), (0.0, 9.0)),
        (Discrete(list("abcdefgh")), Discrete(list("ij")), list("abcdefghij")),
    ],
    ids=[
        *("wider", "narrower", "strings", "int_and_real"),
        *("wider_interval", "narrower_interval", "interval_and_discrete", "intervals"),
        *("nine_numbers", "ten_numbers", "ten_strings"),
    ],
)
def test_domain_is_the_union(first: Domain, second: Domain, expected: Any) -> None:
    """A column's domain holds the values of all sweeps, in a form whose filter works."""
    assert expected == merge(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Discrete([1]), Discrete(["1"])),
        (Discrete([True]), Discrete([1])),
        (RealInterval(0.0, 1.0), Discrete(["a"])),
    ],
    ids=["number_string", "bool_number", "interval_string"],
)
def test_type_must_not_change(first: Domain, second: Domain) -> None:
    """An hparam of two types fits no column, and is refused by name."""
    with pytest.raises(LogdirError, match=r"'x' must keep its type.*Rename it"):
        merge(first, second)


@pytest.mark.parametrize(
    ("spaces", "expected"),
    [
        ([[HParam("a", Discrete([1, 2])), HParam("b", Discrete([1]))]], ["a"]),
        ([[Axis(HParam("a", RealInterval(0.0, 1.0)), grid=[0.5]), *HPARAMS]], ["rate", "units"]),
        ([[HParam("a", Discrete([1]))], [HParam("a", Discrete([2]))]], ["a"]),
        ([[HParam("a", Discrete([1]))], [HParam("a", Discrete([1]))]], []),
        ([[HParam("a", Discrete([1, 2]))], [HParam("a", Discrete([1]))]], ["a"]),
    ],
    ids=["within_a_sweep", "fixed", "between_sweeps", "the_same_twice", "narrowed"],
)
def test_differs_is_what_was_varied(spaces: list[list[Any]], expected: list[str]) -> None:
    """Exactly the hparams that took two values, in a sweep or between two, are marked."""
    assert expected == differing(*spaces)


def test_labels_never_differ() -> None:
    """Day, sweep and commit are not marked even where they vary, so they come after."""
    config = config_of(make_sweep(FRIDAY, commit="aaaa"), make_sweep(SATURDAY, commit="bbbb"))
    labels = {info.name: info for info in config.hparam_infos if info.name not in ("units", "rate")}

    assert ["day", "sweep", "commit"] == list(labels)
    assert not any(info.differs for info in labels.values())
    assert ["2026-11-20", "2026-11-21"] == list(labels["day"].domain_discrete)


def test_objective_is_the_first_metric() -> None:
    """The metric that ranks trials is the first column, wherever it was declared."""
    config = config_of(make_sweep(objective=minimize("loss")))

    assert ["loss", "accuracy"] == [info.name.tag for info in config.metric_infos]


def test_best_value_is_the_first_metric() -> None:
    """Where the best value counts, its own column comes first and says so."""
    config = config_of(make_sweep(objective=minimize("loss", reduction="best")))
    columns = [(info.name.tag, info.display_name) for info in config.metric_infos]

    assert [("best/loss", "loss (best)"), ("loss", ""), ("accuracy", "")] == columns


def test_group_is_part_of_the_tag() -> None:
    """A metric of a group is found under `group/tag`, in the run itself."""
    config = config_of(make_sweep(metrics=[Metric("loss", group="validation")]))
    (info,) = config.metric_infos

    assert ("validation/loss", "") == (info.name.tag, info.name.group)


def start_sweep(home: ExperimentDir, sweep_id: str) -> None:
    """Do as a sweep that starts does, in whatever process this is."""
    add_sweep(home, make_sweep(sweep_id, hparams=[HParam(sweep_id, ADAM)]))
    write_config(home)


def test_writers_together_end_with_the_union(home: ExperimentDir) -> None:
    """A config that overtakes the one being written is not lost: the end is that of both."""
    other = multiprocessing.get_context("spawn").Process(target=start_sweep, args=[home, SATURDAY])

    def clock() -> float:
        if not other.pid:  # as the first event is written, and what to write is settled
            other.start()
            other.join()
        return 1.0

    sweeps = [make_sweep(i, hparams=[HParam(i, ADAM)]) for i in (FRIDAY, SATURDAY)]
    add_sweep(home, sweeps[0])
    write_config(home, clock=clock)

    assert other.exitcode == 0
    assert schema.encode_config(sweeps) == read_config(home)
