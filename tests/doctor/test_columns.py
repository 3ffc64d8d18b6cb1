"""What the doctor finds wrong with the dashboard's columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.doctor.doctor import examine_experiment, mend
from hparams_lab.logdir.archive import move
from hparams_lab.logdir.entry import find_entry
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import SATURDAY, add_sweep, make_spec, make_sweep, write_run
from tests.support.locks import another_holds
from tests.support.oracle import count_configs, read_board
from tests.support.sick_logdir import (
    SCALARS,
    find,
    first_run,
    kinds,
    make_healthy,
    sweep_of,
    write_session,
)

SUNDAY = "2026-11-22_09-00-00"


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps that nothing is wrong with."""
    return make_healthy(tmp_path / "logs")


@pytest.mark.parametrize("where", ["from torch/1700000000.1", "in a run"])
def test_a_config_of_another_tool_is_named_and_archived(where: str, home: ExperimentDir) -> None:
    """A second experiment tag is found; archived by its name, one is left for TensorBoard."""
    folder = home.path / where
    if where == "in a run":
        folder = first_run(home).path / "1700000000.1"
    write_session(folder, {"lr": 0.1}, has_config=True)
    found = find(home, "several configs")
    num_configs = count_configs(home.path)
    move([find_entry(home, str(found.paths[0].relative_to(home.path)))])

    assert (2, [folder]) == (num_configs, [*found.paths])
    assert count_configs(home.path) == 1
    assert [] == kinds(home)


def test_a_config_beside_ours_is_named(home: ExperimentDir) -> None:
    """An event file with a config right in the experiment's directory is found by its name."""
    write_session(home.path, {"lr": 0.1}, has_config=True)

    assert [home.path / "events.out.tfevents.1000000000.other"] == [
        *find(home, "several configs").paths
    ]


@pytest.mark.parametrize(
    ("make_stale", "problem"),
    [
        (lambda home: home.config_file.unlink(), "is missing"),
        (lambda home: home.config_file.write_bytes(b"x" * 99), "is damaged"),
        (
            lambda home: add_sweep(
                home,
                make_sweep(SUNDAY, hparams=[*make_sweep().space, HParam("depth", Discrete([1]))]),
            ),
            "is not that of its sweeps",
        ),
    ],
    ids=["missing", "damaged", "narrow"],
)
def test_a_stale_config_is_rewritten(make_stale: object, problem: str, home: ExperimentDir) -> None:
    """A config that is not that of the sweeps is found, and after mending TensorBoard has it."""
    make_stale(home)  # type: ignore[operator]
    found = find(home, "stale config")
    mend([found])

    assert problem in found.problem
    assert "stale config" not in kinds(home)
    wide = (home.path / SUNDAY).exists()
    assert wide == ("depth" in read_board(home.path).hparams)


def test_a_column_too_many_is_found(home: ExperimentDir) -> None:
    """The columns of a sweep that somebody removed by hand are named."""
    deep = make_sweep(SATURDAY, hparams=[*make_sweep().space, HParam("depth", Discrete([1, 2]))])
    deep.write(sweep_of(home, SATURDAY))
    mend(examine_experiment(home))
    make_sweep(SATURDAY).write(sweep_of(home, SATURDAY))

    assert find(home, "stale config").effect == "TensorBoard shows an empty column for depth."


def test_contradictory_sweeps_are_named(home: ExperimentDir) -> None:
    """Sweeps whose columns have no type in common are found, and not mended."""
    add_sweep(home, make_sweep(SUNDAY, hparams=[HParam("units", Discrete(["few", "many"]))]))
    found = find(home, "contradictory sweeps")

    assert found.mend is None
    assert "'units' must keep its type" in found.effect


def test_an_hparam_of_no_sweep_is_found(home: ExperimentDir) -> None:
    """A run with an hparam that no sweep.json declares is named: TensorBoard drops it."""
    spec = make_spec(sweep_of(home), {"units": 8, "rate": 0.1, "momentum": 0.9}, index=7)
    write_run(spec, SCALARS)

    assert [spec.dir.path] == [*find(home, "unknown hparam").paths]
    assert "momentum" not in read_board(home.path).hparams


@pytest.fixture
def silent(home: ExperimentDir) -> ExperimentDir:
    """The same, with a metric that no run writes declared on Saturday."""
    sweep = make_sweep(SATURDAY)
    replace(sweep, metrics=[*sweep.metrics, Metric("f1")]).write(sweep_of(home, SATURDAY))
    mend(examine_experiment(home))
    return home


def test_a_metric_that_is_never_written_is_found(silent: ExperimentDir) -> None:
    """A declared metric without a value is named with its sweep: its column is empty."""
    found = find(silent, "unwritten metric")

    assert "'f1' is declared" in found.problem
    assert [silent.path / SATURDAY] == [*found.paths]
    assert {} == read_board(silent.path).column("f1")


def test_a_running_sweep_may_still_write_its_metrics(silent: ExperimentDir) -> None:
    """Of a sweep that a process runs nothing is said to be missing."""
    with another_holds(sweep_of(silent, SATURDAY)):
        assert [] == kinds(silent)
