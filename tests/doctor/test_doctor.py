"""The doctor finds nothing in health, mends without touching records, and is right after it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hparams_lab.doctor.doctor import (
    examine_experiment,
    examine_others,
    list_homes,
    mend,
)
from hparams_lab.events.read.reader import read_run
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir
from tests.conftest import InlineLauncher
from tests.support.factories import FRIDAY, make_spec, make_sweep, write_run
from tests.support.oracle import read_board
from tests.support.sick_logdir import kinds, make_healthy, make_old, sweep_of

ENDLESS = {"units": 8, "rate": 0.3}


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps that nothing is wrong with."""
    return make_healthy(tmp_path / "logs")


def make_ill(home: ExperimentDir) -> None:
    """Leave a run without an end, no config, an empty sweep and temporary files."""
    write_run(make_spec(sweep_of(home), ENDLESS, index=9), {"accuracy": [0.1]}, ending=None)
    home.config_file.unlink()
    empty = home.path / "2026-11-19_00-00-00"
    empty.mkdir()
    leftover = home.path / ".config-123.tmp"
    leftover.touch()
    for path in (empty, leftover):
        make_old(path)


def test_nothing_is_wrong_in_health(home: ExperimentDir) -> None:
    """In what our writers wrote, nothing is found."""
    assert [] == examine_experiment(home)


@pytest.mark.parametrize(
    "options",
    [{}, {"repeats": 2}, {"search": "bayes", "trials": 4}],
    ids=["grid", "repeats", "bayes"],
)
def test_nothing_is_wrong_with_a_real_sweep(
    options: dict[str, object], launch_inline: InlineLauncher
) -> None:
    """In what a sweep leaves behind, nothing is found, whatever the search was."""
    text = """
        def train(run):
            return {"loss": run.hparams["x"]}

        EXPERIMENT = lab.Experiment(
            name="line",
            hparams=[lab.Axis(HParam("x", RealInterval(0.0, 1.0)), grid_points=3)],
            metrics=[Metric("loss")],
            objective=lab.minimize("loss"),
            train=train,
        )
    """

    assert [] == examine_experiment(launch_inline(text, **options))


def test_what_was_mended_is_not_found_again(home: ExperimentDir) -> None:
    """A second examination finds none of what was mended, and each mend says what it did."""
    make_ill(home)
    ill = kinds(home)
    cures = mend(examine_experiment(home))

    expected = ["sweep without sweep.json", "runs without an end", "leftover", "stale config"]
    assert expected == ill
    assert all(cure.done for cure in cures)
    assert [] == kinds(home)


def test_mending_changes_no_record(home: ExperimentDir) -> None:
    """What event files held they still hold; only the run without an end has more."""
    make_ill(home)
    before = {path: path.read_bytes() for path in home.path.glob("*/*/*/*tfevents*")}
    mend(examine_experiment(home))
    after = {path: path.read_bytes() for path in home.path.glob("*/*/*/*tfevents*")}

    assert before.keys() == after.keys()
    assert all(after[path].startswith(content) for path, content in before.items())
    assert ["0009"] == [path.parts[-3][:4] for path in before if before[path] != after[path]]


def test_the_dashboard_is_right_after_mending(home: ExperimentDir) -> None:
    """TensorBoard has the columns again, and the dead run is a failure."""
    make_ill(home)
    ill = read_board(home.path)
    mend(examine_experiment(home))
    cured = read_board(home.path)

    assert ("", True) == (ill.experiment.name, "STATUS_UNKNOWN" in ill.statuses)
    assert ("toy", ["accuracy", "loss"]) == (cured.experiment.name, cured.metrics)
    assert cured.statuses.count("STATUS_FAILURE") == 1
    assert "STATUS_UNKNOWN" not in cured.statuses


def test_what_cannot_be_mended_is_said(home: ExperimentDir) -> None:
    """A mend that fails says why, and the others are done."""
    make_ill(home)
    findings = examine_experiment(home)
    (home.path / "2026-11-19_00-00-00" / "notes").touch()
    cures = mend(findings)

    assert [False, True, True, True] == [bool(cure.done) for cure in cures]
    assert "not empty" in cures[0].problem


def test_examining_changes_nothing(home: ExperimentDir) -> None:
    """To look is to leave every file and directory as it was."""
    make_ill(home)
    paths = [home.path, *home.path.rglob("*")]
    before = {path: path.stat().st_mtime_ns for path in paths}
    examine_experiment(home)

    assert before == {path: path.stat().st_mtime_ns for path in [home.path, *home.path.rglob("*")]}


def test_experiments_and_others_are_told_apart(home: ExperimentDir, tmp_path: Path) -> None:
    """A folder with sweeps, whole or not, is an experiment; other tools' runs are named."""
    data = Path(__file__).parents[1] / "events" / "data" / "pytorch"
    shutil.copytree(data, tmp_path / "logs" / "from torch")
    (tmp_path / "logs" / "broken" / FRIDAY).mkdir(parents=True)
    (tmp_path / "logs" / ".archive" / "old" / FRIDAY).mkdir(parents=True)

    assert ["broken", "toy"] == [each.name for each in list_homes(tmp_path / "logs")]
    others = examine_others(tmp_path / "logs")
    assert {"foreign runs"} == {finding.kind for finding in others}
    assert all("from torch" in finding.problem for finding in others)


def test_an_ended_run_takes_its_time_from_its_last_event(home: ExperimentDir) -> None:
    """A run that died on Friday did not go on until the doctor came."""
    spec = make_spec(sweep_of(home), ENDLESS, index=9)
    write_run(spec, {"accuracy": [0.1]}, ending=None)
    mend(examine_experiment(home))
    record = read_run(spec.dir, make_sweep().space)

    assert record is not None
    assert (Ending.INTERRUPTED, True) == (record.ending, record.wall_secs < 10)  # type: ignore[operator]
