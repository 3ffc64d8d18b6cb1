from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial

from hparams_lab.errors import DeclarationError, LogdirError, UsageError
from hparams_lab.interop.optuna import import_study
from tests.support.imported_search import Logged, read_logged
from tests.support.optuna_studies import X, make_study


def put(study: optuna.Study, folder: Path) -> Logged:
    """Import a study and return what there is to see of it."""
    return read_logged(import_study(study, folder))


def test_trials_are_rows_with_their_values(tmp_path: Path) -> None:
    """The dashboard has each complete trial's parameter and value."""
    study = make_study({"value": 2.0}, {"value": 1.0, "params": {"x": -0.5}})
    logged = put(study, tmp_path)

    assert [0.5, -0.5] == logged.hparam("x")
    assert [2.0, 1.0] == logged.column("value")
    assert study.best_params == dict(logged.rows[0].assignment)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_direction_is_the_studys(tmp_path: Path, direction: str) -> None:
    """What is best is so by the study's direction."""
    study = make_study({"value": 2.0}, {"value": 1.0, "params": {"x": 0.0}}, direction=direction)
    logged = put(study, tmp_path)

    assert direction == logged.sweep.objective.goal.value
    assert study.best_params == dict(logged.rows[0].assignment)


def test_a_real_study_agrees_with_the_board(tmp_path: Path) -> None:
    """A search that Optuna ran, pruned trials included, is ranked as Optuna ranks it."""

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1.0, 1.0)
        for step in range(3):
            trial.report(x**2, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x**2

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler(seed=0)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=10)
    logged = put(study, tmp_path)

    labels = [row.label for row in logged.rows]
    assert study.best_params == dict(logged.rows[0].assignment)
    assert len(study.get_trials(states=[TrialState.PRUNED])) == labels.count("PRUNED") > 0


@pytest.mark.parametrize(
    ("distribution", "value", "axis"),
    [
        pytest.param(
            FloatDistribution(1e-4, 1.0, log=True), 0.1,
            {"domain": {"real_interval": [1e-4, 1.0]}, "scale": "log"}, id="log",
        ),
        pytest.param(
            FloatDistribution(0.0, 0.5, step=0.1), 0.3,
            {"domain": {"real_interval": [0.0, 0.5]}, "step": 0.1}, id="step",
        ),
        pytest.param(
            IntDistribution(1, 3), 2, {"domain": {"int_interval": [1, 3]}}, id="integer"
        ),
        pytest.param(
            IntDistribution(8, 64, step=8), 16,
            {"domain": {"int_interval": [8, 64]}, "step": 8}, id="integer step",
        ),
        pytest.param(
            IntDistribution(1, 64, log=True), 16,
            {"domain": {"int_interval": [1, 64]}, "scale": "log"}, id="integer log",
        ),
        pytest.param(
            CategoricalDistribution(["a", "b"]), "b",
            {"domain": {"discrete": ["a", "b"], "type": "str"}}, id="categories",
        ),
        pytest.param(
            CategoricalDistribution([None, 1]), None,
            {"domain": {"discrete": ["1", "None"], "type": "str"}}, id="mixed categories",
        ),
    ],
)  # fmt: skip
def test_distributions_are_axes(
    tmp_path: Path, distribution: Any, value: Any, axis: dict[str, Any]
) -> None:
    """An axis has its distribution's bounds, scale, step and choices."""
    study = make_study({"value": 1.0, "params": {"p": value}, "distributions": {"p": distribution}})

    assert {"name": "p", **axis} == put(study, tmp_path).sweep.space["p"].encode_json()


def test_bounds_that_moved_are_spanned(tmp_path: Path) -> None:
    """A parameter whose bounds changed within the study has an axis that holds all of them."""
    wider = {"params": {"x": 4.0}, "distributions": {"x": FloatDistribution(0.0, 5.0)}}
    domain = (
        put(make_study({"value": 1.0}, {"value": 1.0, **wider}), tmp_path).sweep.space["x"].domain
    )

    assert (-1.0, 5.0) == (domain.min_value, domain.max_value)


def test_parameters_of_some_trials_are_absent_in_the_others(tmp_path: Path) -> None:
    """A parameter that is asked for on a branch has no value beside it, and comes last."""
    deep = {
        "params": {"depth": 3, "x": 0.5},
        "distributions": {"depth": IntDistribution(1, 9), "x": X},
    }
    logged = put(make_study({"value": 1.0, **deep}, {"value": 2.0}), tmp_path)

    assert [3.0, None] == logged.hparam("depth")
    assert ["x", "depth"] == [axis.name for axis in logged.sweep.space]


def test_reports_are_a_curve(tmp_path: Path) -> None:
    """Intermediate values stand where runs of ours have what they report."""
    study = make_study({"value": 0.25, "intermediate_values": {0: 1.0, 5: 0.5}})
    (run,) = put(study, tmp_path).runs

    assert ([0, 5], [1.0, 0.5]) == (
        run.curves["report/value"].steps,
        run.curves["report/value"].values,
    )
    assert [5] == run.curves["value"].steps


def test_ends_are_told_truly(tmp_path: Path) -> None:
    """Pruned and failed trials are so, and those that have not ended are left out."""
    study = make_study(
        {"value": 1.0},
        {"state": TrialState.PRUNED, "intermediate_values": {0: 3.0}},
        {"state": TrialState.FAIL, "system_attrs": {"fail_reason": "it rained"}},
    )
    study.enqueue_trial({"x": 0.0})
    study.ask()
    logged = put(study, tmp_path)

    assert ["SUCCESS", "PRUNED", "FAILURE"] == [row.label for row in logged.rows]
    assert [1.0] == logged.column("value")
    assert "it rained\n" == logged.runs[2].dir.failure_file.read_text()


def test_times_are_the_trials(tmp_path: Path) -> None:
    """Sessions have their trials' times, and the sweep that of the first."""
    study = make_study()
    trial = create_trial(value=1.0, params={"x": 0.0}, distributions={"x": X})
    trial.datetime_start = datetime(2026, 11, 20, 18, 0, 0)
    trial.datetime_complete = datetime(2026, 11, 20, 18, 0, 30)
    study.add_trial(trial)
    logged = put(study, tmp_path)

    assert "2026-11-20_18-00-00" == logged.sweep.id
    assert trial.datetime_start.timestamp() == logged.runs[0].start_time_secs
    assert 30.0 == logged.rows[0].wall_secs


def test_importing_again_is_refused(tmp_path: Path) -> None:
    """A study is imported once, as its trials would stand there twice."""
    study = make_study({"value": 1.0})
    import_study(study, tmp_path)

    with pytest.raises(LogdirError, match="imported once"):
        import_study(study, tmp_path)


def test_several_objectives_are_metrics_of_which_the_first_ranks(tmp_path: Path) -> None:
    """All values of a multi-objective study are columns."""
    study = make_study(
        {"values": [1.0, 5.0]}, {"values": [2.0, 4.0]}, directions=["maximize", "minimize"]
    )
    logged = put(study, tmp_path)

    assert [1.0, 2.0] == logged.column("value_0")
    assert [5.0, 4.0] == logged.column("value_1")
    assert 2.0 == logged.rows[0].objective_value


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_metrics_have_the_names_that_the_study_gives(tmp_path: Path) -> None:
    """A study that names its value names the metric."""
    study = make_study({"value": 1.0})
    study.set_metric_names(["loss"])

    assert "loss" == put(study, tmp_path).board.metrics[0]


def test_attributes_that_are_numbers_are_metrics(tmp_path: Path) -> None:
    """Numbers that were noted are columns, and words stand in the run card."""
    attributes = {"size": 3, "note": "a word", "n/value": 1.0, "value": 7.0}
    logged = put(make_study({"value": 1.0, "user_attrs": attributes}), tmp_path)
    (event_file,) = logged.runs[0].dir.event_files

    assert [3.0] == logged.column("size")
    assert [1.0] == logged.column("value")
    assert {"value", "size"} == {*logged.board.metrics}
    assert b"| note | a word |" in event_file.read_bytes()


def test_a_study_without_ended_trials_is_refused(tmp_path: Path) -> None:
    """A study that has not run has nothing to show."""
    with pytest.raises(UsageError, match="must have a trial that has ended"):
        import_study(make_study(), tmp_path)


def test_a_study_that_is_no_folder_needs_a_name(tmp_path: Path) -> None:
    """A name that cannot be a folder's is refused, and one that is given takes its place."""
    study = make_study({"value": 1.0})

    with pytest.raises(DeclarationError, match="must not contain a slash"):
        import_study(study, tmp_path, name="a/b")
    assert tmp_path / "ab" == import_study(study, tmp_path, name="ab").parent
