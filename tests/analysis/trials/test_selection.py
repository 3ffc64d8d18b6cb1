"""Runs are read of one experiment or all, of some days, under a condition."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

import hparams_lab as lab
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.analysis.where import Condition
from hparams_lab.errors import UnknownExperimentError, UsageError
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

FOREIGN = Path(__file__).parents[2] / "events" / "data" / "hp_api"


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Return two experiments: `toy` with a run on each of two days, `other` with one."""
    for name, day, accuracy in (
        ("toy", FRIDAY, 0.5),
        ("toy", SATURDAY, 0.75),
        ("other", SATURDAY, 0.25),
    ):
        sweep_dir = add_sweep(ExperimentDir(tmp_path / name), make_sweep(day, experiment=name))
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.25})
        write_run(spec, {"accuracy": [1.0, accuracy], "train/loss": [2.0, 1.0]})
    return tmp_path


def last(runs: lab.Runs) -> list[float]:
    """Return the last accuracy of each run."""
    return [run.metrics["accuracy"].last for run in runs]


def test_all_experiments_are_read(logdir: Path) -> None:
    """Without a name the runs of all experiments come, by name, oldest first."""
    assert [0.25, 0.5, 0.75] == last(lab.read_runs(logdir))


def test_one_experiment_is_read(logdir: Path) -> None:
    """With a name the runs of that experiment come."""
    assert [0.5, 0.75] == last(lab.read_runs(logdir, "toy"))


def test_a_run_has_its_values_and_curves(logdir: Path) -> None:
    """A record has the run's place, typed values, status, and its curves when asked."""
    run = lab.read_runs(logdir, "toy")[0]

    assert ("toy", FRIDAY) == (run.dir.experiment, run.dir.sweep_id)
    assert {"units": 8, "rate": 0.25} == dict(run.assignment)
    assert "SUCCESS" == run.status.value
    assert ([0, 1], [1.0, 0.5]) == (run.curves["accuracy"].steps, run.curves["accuracy"].values)
    assert (2, 0.5, 1, 0.5, 1.0) == run.metrics["accuracy"]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-11-21", None, [0.75]),
        (None, "2026-11-20", [0.5]),
        ("1d", None, [0.75]),
        ("2w", None, [0.5, 0.75]),
        (FRIDAY, SATURDAY, [0.5, 0.75]),
    ],
    ids=["since a day", "until a day", "a day ago", "two weeks ago", "ids"],
)
def test_days_are_selected(
    logdir: Path, since: str | None, until: str | None, expected: list[float]
) -> None:
    """Sweeps are chosen by when they started."""
    noon = datetime(2026, 11, 21, 20)

    assert expected == last(
        lab.read_runs(logdir, "toy", since=since, until=until, now=lambda: noon)
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("accuracy > 0.4", [0.5, 0.75]),
        ("experiment == 'other'", [0.25]),
        ("day == '2026-11-21' and units == 8", [0.25, 0.75]),
        ("`train/loss` > 5", []),
        ("status == 'SUCCESS' and ending == 'complete' and secs < 60", [0.25, 0.5, 0.75]),
    ],
)
def test_a_condition_selects(logdir: Path, where: str, expected: list[float]) -> None:
    """Runs are chosen by their values, metrics and facts."""
    assert expected == last(lab.read_runs(logdir, where=where))


def test_a_slice_is_runs(logdir: Path) -> None:
    """A part of the runs is what the whole is."""
    runs = lab.read_runs(logdir)

    assert [0.5, 0.75] == last(runs[1:])
    assert "Runs(2)" == repr(runs[1:])


def write_foreign(folder: Path) -> None:
    """Put a run of the plain hp.hparams API into a folder."""
    folder.mkdir()
    shutil.copytree(FOREIGN, folder, dirs_exist_ok=True)


def test_runs_of_other_writers_come_too(logdir: Path) -> None:
    """Beside our experiments, directories of other writers' runs are read."""
    write_foreign(logdir / "tutorial")
    ours = [run.dir.path for run in lab.read_runs(logdir)][:3]
    foreign = lab.read_runs(logdir, "tutorial")

    assert 0 < len(foreign)
    assert [*ours, *(run.dir.path for run in foreign)] == [
        run.dir.path for run in lab.read_runs(logdir)
    ]


def test_a_folder_of_other_runs_is_a_logdir(tmp_path: Path) -> None:
    """Where nothing is ours, the log directory may itself be another writer's."""
    write_foreign(tmp_path / "runs")

    assert len(lab.read_runs(tmp_path)) == len(lab.read_runs(tmp_path / "runs")) > 0


def test_an_unknown_experiment_is_told_the_closest(logdir: Path) -> None:
    """A misspelt experiment is told the closest name."""
    with pytest.raises(UnknownExperimentError, match="Did you mean 'toy'"):
        lab.read_runs(logdir, "toys")


def test_an_unknown_name_in_a_condition_is_refused(logdir: Path) -> None:
    """A condition on what no run has is refused with the closest name."""
    with pytest.raises(UsageError, match="Did you mean 'accuracy'"):
        lab.read_runs(logdir, where="acuracy > 0.5")


def test_a_logdir_that_is_not_there_has_no_runs(tmp_path: Path) -> None:
    """Where nothing is logged, there are no runs."""
    assert 0 == len(lab.read_runs(tmp_path / "nowhere"))


def test_trials_of_several_sweeps_are_ranked_together(logdir: Path) -> None:
    """What is read of an experiment has its trials, best first, over all its sweeps."""
    logged = read_logged(ExperimentDir(logdir / "toy"))

    assert [SATURDAY, FRIDAY] == [row.sweep_id for row in logged.rows]


def test_the_directory_of_an_experiment_is_a_logdir_of_one(logdir: Path) -> None:
    """Who names an experiment's own directory gets its runs."""
    assert [0.5, 0.75] == last(lab.read_runs(logdir / "toy"))


def test_a_qualified_name_means_the_same_in_all_runs(logdir: Path) -> None:
    """A metric is found by metric/NAME also where no hyperparameter has its name."""
    condition = Condition.parse("`metric/accuracy` > 0.6 and `trial/secs` > 0")
    rows = read_logged(ExperimentDir(logdir / "toy")).rows

    assert [0.75] == last(lab.read_runs(logdir, "toy", where="`metric/accuracy` > 0.6"))
    assert [SATURDAY] == [row.sweep_id for row in rows if condition.matches(row.facts)]


def test_times_that_contradict_each_other_are_refused(logdir: Path) -> None:
    """A since behind the until is refused, as it selects nothing, ever."""
    with pytest.raises(UsageError, match="since"):
        lab.read_runs(logdir, since="2026-11-22", until="2026-11-20")
