from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval

from hparams_lab.analysis.export.table import Sheet, encode_csv, list_runs, list_trials
from hparams_lab.analysis.trials.rows import rank_trials
from hparams_lab.analysis.where import Condition
from hparams_lab.declare.objective import minimize
from hparams_lab.errors import UsageError
from hparams_lab.events.foreign.reader import read_foreign
from hparams_lab.events.read.reader import read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.search.base import Traits
from tests.support.factories import FRIDAY, add_sweep, make_spec, make_sweep, ticking, write_run

FOREIGN = Path(__file__).parents[2] / "events" / "data"
VALUES = {"units": 8, "rate": 0.1}


def _list_trials(sweep_dir: SweepDir, sweep: Sweep) -> Sheet:
    records = read_runs(sweep_dir, sweep.space)
    return list_trials(rank_trials(records, [sweep]), [sweep])


def _list_runs(sweep_dir: SweepDir, sweep: Sweep) -> Sheet:
    return list_runs(read_runs(sweep_dir, sweep.space), {sweep_dir.path: sweep})


def _write_one(
    tmp_path: Path, scalars: dict[str, Sequence[float]], values: dict[str, Any], **changes: Any
) -> tuple[SweepDir, Sweep]:
    sweep = make_sweep(**changes)
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    write_run(make_spec(sweep_dir, values), scalars, clock=ticking(1_800_000_000.0))
    return sweep_dir, sweep


def test_a_trial_has_its_ids_its_times_and_its_path(tmp_path: Path) -> None:
    """Who and when a trial was stands before its values."""
    sweep_dir, sweep = _write_one(tmp_path, {"accuracy": [0.5]}, VALUES)
    sheet = _list_trials(sweep_dir, sweep)
    row = dict(zip(sheet.columns, next(sheet.rows), strict=True))

    assert ("toy", sweep.id, "0000-") == (row["experiment"], row["sweep"], row["trial"][:5])
    assert str(sweep_dir.path / row["trial"]) == row["path"]
    assert datetime.fromtimestamp(1_800_000_000, timezone.utc) < row["start"] < row["end"]
    assert ("17", 1, "0123abcd") == (row["seeds"], row["runs"], row["commit"])


def test_several_runs_have_a_spread(tmp_path: Path) -> None:
    """The mean of each declared metric comes with its deviation, its count and its interval."""
    sweep = make_sweep(repeats=2)
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    spec = make_spec(sweep_dir, VALUES)
    for repeat, loss in enumerate((1.0, 3.0)):
        run_dir = sweep_dir.run_dir(spec.dir.trial_id, repeat=repeat)
        write_run(replace(spec, dir=run_dir), {"loss": [loss]})
    columns = _list_trials(sweep_dir, sweep).columns

    assert ([2.0], [2.0]) == (columns["loss"], columns["n/loss"])
    assert [pytest.approx(2**0.5)] == columns["std/loss"]
    assert columns["ci95_low/loss"][0] < 2 < columns["ci95_high/loss"][0]


def test_a_metric_named_as_an_hparam_gives_way(tmp_path: Path) -> None:
    """The hyperparameter keeps its name in every row, and the metric has its kind before it."""
    hparams = (HParam("loss", Discrete(["l1", "l2"])), HParam("rate", RealInterval(0.1, 0.5)))
    values = {"loss": "l1", "rate": 0.1}
    sheet = _list_runs(*_write_one(tmp_path, {"loss": [0.5]}, values, hparams=hparams))

    assert (["l1"], [0.5]) == (sheet.columns["loss"], sheet.columns["metric/loss"])


def test_a_fact_named_as_an_hparam_or_a_metric_gives_way(tmp_path: Path) -> None:
    """An hparam `seed` and a metric `secs` are the user's; ours are `run/seed`, `run/secs`."""
    sheet = _list_runs(
        *_write_one(
            tmp_path,
            {"accuracy": [0.5], "secs": [3.0]},
            {"seed": 8, "run/seed": 9},
            hparams=(HParam("seed", Discrete([8])), HParam("run/seed", Discrete([9]))),
        )
    )

    assert ([8], [9]) == (sheet.columns["seed"], sheet.columns["run/seed"])
    assert ([17], [3.0]) == (sheet.columns["run/run/seed"], sheet.columns["secs"])
    assert "run/secs" in sheet.columns


def test_best_is_by_the_objectives_goal(tmp_path: Path) -> None:
    """A run's best is the least of what is minimized, wherever in the curve it was."""
    sheet = _list_runs(
        *_write_one(
            tmp_path,
            {"loss": [3.0, 1.0, 2.0]},
            VALUES,
            objective=minimize(Metric("loss")),
        )
    )

    assert ([2.0], [1.0]) == (sheet.columns["loss"], sheet.columns["best/loss"])


def test_declared_columns_are_there_without_rows(tmp_path: Path) -> None:
    """A sweep without a run has its columns all the same, the declared ones first."""
    sweep = make_sweep()
    sheet = _list_runs(add_sweep(ExperimentDir(tmp_path / "toy"), sweep), sweep)

    assert ["units", "rate", "accuracy", "loss"] == [*sheet.columns][-4:]
    assert [] == [*sheet.rows]


def test_what_a_sweep_did_not_have_is_missing(tmp_path: Path) -> None:
    """An hparam of one sweep is None in the rows of another."""
    older_dir, older = _write_one(tmp_path, {"accuracy": [0.5]}, VALUES, sweep_id=FRIDAY)
    narrow = (HParam("units", Discrete([8, 16])),)
    newer_dir, newer = _write_one(tmp_path, {"accuracy": [0.6]}, {"units": 8}, hparams=narrow)
    records = [*read_runs(older_dir, older.space), *read_runs(newer_dir, newer.space)]
    sheet = list_runs(records, {older_dir.path: older, newer_dir.path: newer})

    assert [0.1, None] == sheet.columns["rate"]


def test_types_do_not_depend_on_the_values(tmp_path: Path) -> None:
    """A column of folds is of integers though there are none, a metric's of floats."""
    sheet = _list_runs(*_write_one(tmp_path, {}, VALUES))

    assert (int, float) == (sheet.type_of("fold"), sheet.type_of("accuracy"))


def _write_one_unended(tmp_path: Path) -> tuple[SweepDir, Sweep]:
    sweep = make_sweep()
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    write_run(make_spec(sweep_dir, VALUES), {"loss": [1.0]}, ending=None)
    return sweep_dir, sweep


@pytest.mark.parametrize("listed", [_list_trials, _list_runs], ids=["trials", "runs"])
def test_a_run_without_an_end_has_no_end(listed: Any, tmp_path: Path) -> None:
    """What is running is listed, without a time of its end."""
    sheet = listed(*_write_one_unended(tmp_path))

    assert (["RUNNING"], [None]) == (sheet.columns["status"], sheet.columns["end"])


def test_pruned_trials_say_so(tmp_path: Path) -> None:
    """A trial's status is that of `show`, a run's that of the dashboard and why it ended."""
    sweep = make_sweep(traits=Traits(prunes=True))
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    write_run(make_spec(sweep_dir, VALUES), {}, ending=Ending.PRUNED)
    runs = _list_runs(sweep_dir, sweep)

    assert ["PRUNED"] == _list_trials(sweep_dir, sweep).columns["status"]
    assert (["SUCCESS"], ["pruned"]) == (runs.columns["status"], runs.columns["ending"])


def test_runs_of_other_tools_have_the_dashboards_names() -> None:
    """Without trials and experiments of ours, they go by Trial ID and run name."""
    sheet = list_runs(read_foreign(FOREIGN / "keras_tuner"), {})

    assert ["0", "1"] == sheet.columns["trial"]
    assert ["0/execution0", "1/execution0"] == sheet.columns["run"]
    assert [None, None] == sheet.columns["experiment"]


def test_conditions_choose_rows() -> None:
    """The rows that are left have all columns, and their types."""
    sheet = list_runs(read_foreign(FOREIGN / "hp_api"), {})
    kept = sheet.keep(Condition.parse("accuracy > 0.9"))

    assert ([32], 1) == ([*kept.columns["num_units"]], kept.num_rows)
    assert [*sheet.columns] == [*kept.columns]
    with pytest.raises(UsageError, match="accurac"):
        sheet.keep(Condition.parse("accurac > 0.9"))


def test_names_that_are_no_utf8_are_spelled_out(tmp_path: Path) -> None:
    """A folder may be called by any bytes; what is exported is text all the same."""
    shutil.copytree(FOREIGN / "hp_api", tmp_path / os.fsdecode(b"caf\xe9"))
    sheet = list_runs(read_foreign(tmp_path), {})

    assert rb"caf\udce9" in encode_csv(sheet)
