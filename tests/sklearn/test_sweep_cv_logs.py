from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sklearn.model_selection import RepeatedKFold

from hparams_lab.cli.main import main
from hparams_lab.sklearn import SweepCV
from tests.support.estimators import SMOOTHINGS, X, Y, make_search
from tests.support.oracle import Board, read_board, read_scalars


def _fit(folder: Path, **options: Any) -> tuple[SweepCV, Board]:
    search = make_search(**{"logdir": folder, "cv": 3, **options}).fit(X, Y)
    return search, read_board(folder / search.name)


def test_the_dashboard_has_a_row_a_candidate(tmp_path: Path) -> None:
    """Each candidate is a trial, its splits are runs, and its score is their mean."""
    search, board = _fit(tmp_path)

    means = [board.column("score")[trial_id] for trial_id in board.trial_ids]
    assert means == pytest.approx(list(search.cv_results_["mean_test_score"]))
    assert ["STATUS_SUCCESS"] * 9 == board.statuses
    assert ["var_smoothing"] == board.differing


def test_the_dashboard_has_the_spread(tmp_path: Path) -> None:
    """Beside a candidate's score stand its deviation over the splits and their number."""
    search, board = _fit(tmp_path)

    first = board.trial_ids[0]
    expected = search.cv_results_["std_test_score"][0] * (3 / 2) ** 0.5  # n - 1
    assert expected == pytest.approx(board.column("std/score")[first], rel=1e-6)
    assert 3 == board.column("n/score")[first]


def test_the_score_searched_for_comes_first(tmp_path: Path) -> None:
    """With several scores, the first column is that which `refit` names."""
    _, board = _fit(tmp_path, scoring=["f1", "recall"], refit="recall", return_train_score=True)

    columns = ["recall", "f1", "train_recall", "train_f1", "fit_time", "score_time"]
    assert columns == board.metrics[:6]


def test_a_score_is_called_by_its_name(tmp_path: Path) -> None:
    """A lone score goes by the name it was asked for by."""
    assert "f1" == _fit(tmp_path, scoring="f1")[1].metrics[0]


def test_values_without_a_type_are_shown_by_label(tmp_path: Path) -> None:
    """None among the values is a word in the dashboard."""
    search, board = _fit(tmp_path, space={"priors": [None, (0.5, 0.5)]})

    shown = {board.values(trial_id)["priors"] for trial_id in board.trial_ids}
    assert {"None", "(0.5, 0.5)"} == shown
    assert search.best_params_["priors"] in (None, (0.5, 0.5))


def test_repeated_folds_are_repeats(tmp_path: Path) -> None:
    """The folds of each repeat are named so, and the interval knows the folds."""
    search, _ = _fit(tmp_path, cv=RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), trials=1)

    names = sorted(path.name for path in search.sweep_dir_.glob("0000-*/*"))
    assert ["r00f00", "r00f01", "r01f00", "r01f01"] == names


def test_each_run_has_the_score_of_its_split(tmp_path: Path) -> None:
    """What a run logs is what the results have of its split."""
    search, _ = _fit(tmp_path, trials=1)

    (run_dir,) = search.sweep_dir_.glob("*/r00f02")
    ((_, _, score),) = read_scalars(run_dir)["score"]
    assert search.cv_results_["split2_test_score"][0] == pytest.approx(score)


def test_provenance_says_that_there_is_no_file(tmp_path: Path) -> None:
    """A sweep from memory is recorded with versions and seed, and without sources."""
    search, _ = _fit(tmp_path, random_state=7)

    sweep = json.loads((search.sweep_dir_ / "sweep.json").read_text())
    assert ("", 7, 3) == (sweep["source"], sweep["seed"], sweep["folds"])
    assert "scikit-learn" in sweep["provenance"]["versions"]
    assert not (search.sweep_dir_ / "source.zip").exists()


def test_nothing_is_left_without_a_log_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`logdir=None` leaves no file behind, nor a name of one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    search = make_search().fit(X, Y)

    assert [] == list(tmp_path.iterdir())
    assert search.sweep_dir_ is None


def test_logs_are_in_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a search logs to `logs/sweep_cv` in the working directory."""
    monkeypatch.chdir(tmp_path)
    search = SweepCV(make_search().estimator, SMOOTHINGS).fit(X, Y)

    assert tmp_path / "logs" / "sweep_cv" == search.sweep_dir_.parent


@pytest.mark.parametrize("words", [["show"], ["best"]], ids=" ".join)
def test_the_command_line_reads_it(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`show` and `best` read a search as any sweep."""
    search, _ = _fit(tmp_path, name="bayes")
    with pytest.raises(SystemExit) as ended:
        main(argv=[*words, "bayes", f"--logdir={tmp_path}"])

    assert 0 == (ended.value.code or 0)
    assert f"{search.best_score_:.5g}" in capsys.readouterr().out


def test_it_cannot_be_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A search is in no file that could be run again, and `resume` says so."""
    _fit(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(argv=["resume", "sweep_cv", f"--logdir={tmp_path}"])

    assert 2 == ended.value.code
    assert 1 == len(capsys.readouterr().err.splitlines())
