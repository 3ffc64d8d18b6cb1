from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete

from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.interop.keras_tuner import import_project
from tests.support.imported_search import Logged, read_logged

# Written by Keras Tuner 1.4.8: a random search of six trials, one of which failed.
RECORDED = Path(__file__).parent / "data" / "keras_tuner"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """The recorded project on the board."""
    return read_logged(import_project(RECORDED, tmp_path_factory.mktemp("logs"), name="tuned"))


def write_project(folder: Path, *trials: Mapping[str, Any], **oracle: Any) -> Path:
    """Write a project of trials over `units`, each changed as it is said, and return it."""
    entry = {"name": "units", "min_value": 8, "max_value": 64, "step": 8, "sampling": "linear"}
    space = [{"class_name": "Int", "config": {**entry, "conditions": []}}]
    state = {"hyperparameters": {"space": space, "values": {}}, "start_order": []}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oracle.json").write_text(json.dumps({**state, **oracle}))
    for number, changes in enumerate(trials):
        trial = {
            "trial_id": str(number),
            "hyperparameters": {"space": space, "values": {"units": 8 * (number + 1)}},
            "metrics": make_metrics(val_loss=[[1.0]]),
            "score": 1.0,
            "best_step": 0,
            "status": "COMPLETED",
            "message": None,
        }
        path = folder / f"trial_{number}" / "trial.json"
        path.parent.mkdir()
        path.write_text(json.dumps({**trial, **changes}))
    return folder


def make_metrics(**series: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return metrics as Keras Tuner writes them: by step, the values of all executions."""
    return {
        "metrics": {
            name: {
                "direction": "max" if "accuracy" in name else "min",
                "observations": [{"value": v, "step": step} for step, v in enumerate(values)],
            }
            for name, values in series.items()
        }
    }


def test_the_recorded_trials_are_rows(recorded: Logged) -> None:
    """Each trial has its score and its status, under the tuner's number."""
    scores = [0.5625, 0.65625, 0.5, 0.53125, 0.78125]

    assert scores == recorded.column("val_accuracy")
    assert 1 == recorded.board.statuses.count("STATUS_FAILURE")
    assert ["0000", "0001", "0002", "0003", "0004", "0005"] == [
        trial_id[:4] for trial_id in recorded.board.trial_ids
    ]


def test_the_objective_is_what_the_scores_are_of(recorded: Logged) -> None:
    """The project does not name its objective; its trials' scores tell."""
    assert "maximize('val_accuracy', reduction='last')" == str(recorded.sweep.objective)
    assert "val_accuracy" == recorded.board.metrics[0]
    assert 0.78125 == recorded.rows[0].objective_value


def test_the_recorded_space_is_declared(recorded: Logged) -> None:
    """Scale, step, choices and constants are those that Keras Tuner declares."""
    space = recorded.sweep.space

    assert "log" == space["rate"].scale
    assert (8, 16, 24, 32) == tuple(space["units_0"].levels)
    assert ["adam", "broken", "sgd"] == sorted(space["optimizer"].levels)
    assert isinstance(space["dropout"].domain, Discrete) and space["dropout"].domain.dtype is bool
    assert ("binary_crossentropy",) == tuple(space["loss"].levels)


def test_a_conditional_scope_is_a_condition(recorded: Logged) -> None:
    """Units of the second layer exist where there are two layers."""
    assert {"layers": (2,)} == recorded.sweep.space["units_1"].conditions
    assert [8, None, None, 24, None, 24] == recorded.hparam("units_1")


def test_a_failed_trial_says_why(recorded: Logged) -> None:
    """The message of a trial that failed lies in its run."""
    (failed,) = (run for run in recorded.runs if run.status.value == "FAILURE")

    assert "there is no optimizer 'broken'" in failed.dir.failure_file.read_text()


def test_times_are_those_of_the_search(recorded: Logged) -> None:
    """The sweep bears the time at which the search began."""
    assert "2026-11-21_14-57-30" == recorded.sweep.id
    assert recorded.runs[0].start_time_secs < recorded.runs[1].start_time_secs


def test_importing_again_is_refused(tmp_path: Path) -> None:
    """A project whose time is known is imported once."""
    import_project(RECORDED, tmp_path)

    with pytest.raises(LogdirError, match="imported once"):
        import_project(RECORDED, tmp_path)


def test_the_best_step_counts_and_the_others_are_a_curve(tmp_path: Path) -> None:
    """Of a metric with several steps the row has the best step's, and TensorBoard the curve."""
    metrics = make_metrics(val_loss=[[3.0], [1.0], [2.0]], loss=[[3.0], [2.0], [0.5]])
    project = write_project(tmp_path / "p", {"metrics": metrics, "best_step": 1})
    logged = read_logged(import_project(project, tmp_path / "logs"))

    assert ([1.0], [2.0]) == (logged.column("val_loss"), logged.column("loss"))
    for tag in ("report/val_loss", "validation/loss"):
        assert [3.0, 1.0, 2.0] == logged.runs[0].curves[tag].values
    assert [0, 1, 2] == logged.runs[0].curves["train/loss"].steps


def test_executions_that_were_kept_apart_are_repeats(tmp_path: Path) -> None:
    """Values of two executions are two runs, whose mean is the score."""
    trial = {"metrics": make_metrics(val_loss=[[0.5, 1.5]])}
    logged = read_logged(import_project(write_project(tmp_path / "p", trial), tmp_path / "logs"))

    assert ["r00", "r01"] == [run.dir.path.name for run in logged.runs]
    assert [1.0] == logged.column("val_loss")
    assert [2.0] == logged.column("n/val_loss")


def test_executions_that_were_not_all_kept_are_one_run(tmp_path: Path) -> None:
    """Where a retry left more values in one trial than in another, the means count."""
    trials = [{}, {"metrics": make_metrics(val_loss=[[0.5, 1.5]])}]
    project = write_project(tmp_path / "p", *trials)
    logged = read_logged(import_project(project, tmp_path / "logs"))

    assert [1.0, 1.0] == logged.column("val_loss")
    assert ["SUCCESS", "SUCCESS"] == [row.label for row in logged.rows]


@pytest.mark.parametrize(
    ("status", "statuses"),
    [
        ("INVALID", ["STATUS_SUCCESS", "STATUS_FAILURE"]),
        ("FAILED", ["STATUS_SUCCESS", "STATUS_FAILURE"]),
        ("RUNNING", ["STATUS_SUCCESS"]),
    ],
)
def test_other_ends_are_told_truly(tmp_path: Path, status: str, statuses: list[str]) -> None:
    """What crashed or gave no number has failed; what has not ended is left out."""
    project = write_project(tmp_path / "p", {}, {"status": status, "score": None})

    assert statuses == read_logged(import_project(project, tmp_path / "logs")).board.statuses


def test_hyperband_rounds_are_told_apart(tmp_path: Path) -> None:
    """The tuner's own values are columns, so that a trial and its continuation differ."""
    space = {"space": []}
    trials = [
        {"hyperparameters": {**space, "values": {"units": 8, "tuner/epochs": epochs}}}
        for epochs in (2, 6)
    ]
    project = write_project(tmp_path / "p", *trials, brackets=[])
    logged = read_logged(import_project(project, tmp_path / "logs"))

    assert [2.0, 6.0] == logged.hparam("tuner/epochs")
    assert "Hyperband" == logged.sweep.strategy


def test_values_that_were_not_active_are_left_out(tmp_path: Path) -> None:
    """Older versions write a value for what its condition rules out; no row has it."""
    config = {"name": "rate", "min_value": 0.1, "max_value": 0.9, "step": None}
    condition = {"class_name": "Parent", "config": {"name": "units", "values": [16]}}
    entry = {"class_name": "Float", "config": {**config, "conditions": [condition]}}
    units = {"class_name": "Choice", "config": {"name": "units", "values": [8, 16]}}
    values = [{"units": units, "rate": 0.5} for units in (8, 16)]
    space = [units, entry]
    project = write_project(
        tmp_path / "p",
        *({"hyperparameters": {"space": space, "values": value}} for value in values),
        hyperparameters={"space": space},
    )
    logged = read_logged(import_project(project, tmp_path / "logs"))

    assert [None, 0.5] == logged.hparam("rate")


@pytest.mark.parametrize("trial", [{"status": "FAILED", "score": None}, {"score": 7.0}], ids=str)
def test_scores_that_tell_no_objective_are_refused(tmp_path: Path, trial: dict[str, Any]) -> None:
    """A project without a score that is a metric's cannot be ranked."""
    project = write_project(tmp_path / "p", trial)

    with pytest.raises(UsageError, match=r"completed trial|must be of one metric"):
        import_project(project, tmp_path / "logs")


def test_a_folder_of_projects_names_them(tmp_path: Path) -> None:
    """Who names the folder above a project is told what is in it."""
    shutil.copytree(RECORDED, tmp_path / "tuned")

    with pytest.raises(LogdirError, match=r"has an oracle.json.*Name one of those in it: tuned"):
        import_project(tmp_path)


@pytest.mark.parametrize("text", ["{", "{}", "[]"])
def test_a_damaged_trial_is_named(tmp_path: Path, text: str) -> None:
    """A file that Keras Tuner did not write so is told by its path."""
    project = write_project(tmp_path / "p", {})
    (project / "trial_0" / "trial.json").write_text(text)

    with pytest.raises(LogdirError, match=r"trial_0/trial\.json"):
        import_project(project, tmp_path / "logs")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Keras Tuner's own making
def test_a_project_of_the_real_tuner_is_read(tmp_path: Path) -> None:
    """What Keras Tuner writes today is what it summarizes."""
    keras_tuner = pytest.importorskip("keras_tuner")

    class Parabola(keras_tuner.RandomSearch):  # type: ignore[misc]  # it has no types
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
            return {"loss": (trial.hyperparameters.Float("x", -1.0, 1.0) - 0.5) ** 2}

    objective = keras_tuner.Objective("loss", "min")
    tuner = Parabola(objective=objective, max_trials=3, directory=tmp_path, project_name="p")
    tuner.search(verbose=0)
    logged = read_logged(import_project(tmp_path / "p", tmp_path / "logs"))
    (best,) = tuner.oracle.get_best_trials(1)

    assert best.hyperparameters.values == dict(logged.rows[0].assignment)
    assert best.score == pytest.approx(logged.rows[0].objective_value)
