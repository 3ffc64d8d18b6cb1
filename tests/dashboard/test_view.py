"""The view of a log directory: what TensorBoard's own backend makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from hparams_lab.dashboard.view.view import View, open_view
from hparams_lab.events.write.config import write_config
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.factories import FRIDAY, SATURDAY
from tests.support.oracle import count_configs, read_board
from tests.support.story import (
    HPARAM_COLUMNS,
    METRIC_COLUMNS,
    NUM_RUNS,
    SATURDAY_POINTS,
    all_trial_ids,
    write_friday,
    write_saturday,
    write_story,
)


def run_names(view: View) -> list[str]:
    """Return the names of the view's sessions, as TensorBoard has them."""
    return sorted(str(path.relative_to(view.path)) for path in view.path.rglob("*,r[0-9]*"))


def test_one_experiment_looks_as_its_own_directory(tmp_path: Path) -> None:
    """A view of one experiment shows what TensorBoard shows of the experiment's directory."""
    write_friday(tmp_path)
    write_saturday(tmp_path)
    write_config(ExperimentDir(tmp_path / "toy"))
    with open_view(tmp_path, ["toy"]) as view:
        shown, expected = read_board(view.path), read_board(tmp_path / "toy")

    assert expected.experiment == shown.experiment
    assert expected.trial_ids == shown.trial_ids
    assert expected.column("accuracy") == shown.column("accuracy")


def test_several_experiments_share_all_columns(tmp_path: Path) -> None:
    """The columns are the union of all sweeps', the objectives the first metrics."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        board = read_board(view.path)
        num_configs = count_configs(view.path)

    assert HPARAM_COLUMNS == board.hparams
    assert METRIC_COLUMNS == board.metrics
    assert num_configs == 1


def test_several_experiments_have_a_row_for_each_trial(tmp_path: Path) -> None:
    """Trials of one second and one assignment in two experiments are two rows."""
    write_saturday(tmp_path)
    write_saturday(tmp_path / "second")
    (tmp_path / "second" / "toy").rename(tmp_path / "twin")
    (tmp_path / "second").rmdir()
    with open_view(tmp_path) as view:
        board = read_board(view.path)

    assert all_trial_ids(tmp_path) == board.trial_ids
    assert len(board.trial_ids) == 2 * len(SATURDAY_POINTS)


def test_rows_say_their_experiment(tmp_path: Path) -> None:
    """Each row of several experiments has the name of its own."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        board = read_board(view.path)

    assert all_trial_ids(tmp_path) == board.trial_ids
    for trial_id in board.trial_ids:
        assert trial_id.rpartition("@")[2] == board.values(trial_id)["experiment"]


def test_disagreeing_types_are_all_text(tmp_path: Path) -> None:
    """Where one experiment has numbers and another words, the column has texts, in all rows."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        board = read_board(view.path)
    (rate,) = (info for info in board.experiment.hparam_infos if info.name == "rate")

    assert ["0.1", "0.5", "high", "low"] == sorted(rate.domain_discrete)
    rates = {board.values(trial_id)["rate"] for trial_id in board.trial_ids}
    assert {"0.1", "0.5", "high", "low"} == rates


def test_copied_sweep_is_rows_of_its_own(tmp_path: Path) -> None:
    """Rows of a sweep whose directory was copied to another day are not merged with its own."""
    sweep_dir = write_friday(tmp_path)
    copied = sweep_dir.path.with_name(SATURDAY)
    shutil.copytree(sweep_dir.path, copied)
    with open_view(tmp_path, ["toy"]) as view:
        board = read_board(view.path)

    assert 2 * [FRIDAY] + 2 * [SATURDAY] == sorted(i.partition("@")[2] for i in board.trial_ids)


def test_no_run_name_begins_another(tmp_path: Path) -> None:
    """No session's name is the beginning of another's, which TensorBoard would take for its own."""
    write_story(tmp_path)
    with open_view(tmp_path) as view:
        names = run_names(view)

    assert len(names) == NUM_RUNS
    assert [] == [(a, b) for a in names for b in names if a != b and b.startswith(a)]


def test_only_the_last_attempt_is_shown(tmp_path: Path) -> None:
    """Of two attempts at a run the later one counts."""
    sweep_dir = write_friday(tmp_path)
    first = next(sweep_dir.find_run_dirs())
    again = first.next_attempt()
    shutil.copytree(first.path, again.path)
    with open_view(tmp_path, ["toy"]) as view:
        names = run_names(view)

    assert len(names) == 2
    assert names[0].endswith(",r00a1")


def test_limit_keeps_whole_newest_trials(tmp_path: Path) -> None:
    """With room for three runs beside the columns, the newest sweep comes first."""
    write_friday(tmp_path)
    write_saturday(tmp_path)
    with open_view(tmp_path, ["toy"], max_runs=4) as view:
        ids = read_board(view.path).trial_ids
        num_left_out = view.num_left_out

    assert [FRIDAY, SATURDAY, SATURDAY] == sorted(i.partition("@")[2] for i in ids)
    assert num_left_out == 1


def test_choice_is_shown_and_nothing_else(tmp_path: Path) -> None:
    """Only the chosen sweeps and trials have rows, and only the columns that these need."""
    write_friday(tmp_path)
    write_saturday(tmp_path)
    chosen = SweepDir(tmp_path / "toy" / FRIDAY)
    trial_id = next(chosen.find_run_dirs()).trial_id
    with open_view(tmp_path, ["toy"], choose=lambda home, sweep_dirs: {chosen: [trial_id]}) as view:
        board = read_board(view.path)

    assert [f"{trial_id}@{FRIDAY}"] == board.trial_ids
    assert "optimizer" not in board.hparams


def test_reports_are_shown(tmp_path: Path) -> None:
    """Pictures and texts about an experiment are there, in runs of their own."""
    write_friday(tmp_path)
    report = tmp_path / "toy" / "reports" / SATURDAY
    report.mkdir(parents=True)
    (report / "events.out.tfevents.1.report").touch()
    with open_view(tmp_path, ["toy"]) as view:
        assert (view.path / "reports" / SATURDAY / "events.out.tfevents.1.report").exists()
