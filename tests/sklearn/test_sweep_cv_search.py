from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from tensorboard.plugins.hparams.summary_v2 import RealInterval

from tests.support.estimators import Touchy, X, Y, make_search

OPEN = {"noise": RealInterval(0.0, 1.0)}


@pytest.mark.parametrize("search", ["random", "halton", "bayes"])
def test_open_spaces_are_searched(search: str) -> None:
    """Each search draws as many different candidates as it is given trials."""
    fitted = make_search(Touchy(), OPEN, search=search, trials=5, random_state=0).fit(X, Y)

    assert 5 == len({*fitted.cv_results_["param_noise"]})
    assert 5 == len(fitted.cv_results_["params"])


def test_one_at_a_time_walks_from_the_best() -> None:
    """Coordinate search tries fewer candidates than the grid has."""
    space = {"noise": [0.0, 0.5, 1.0], "mood": ["good", "fine", "merry"]}
    fitted = make_search(Touchy(), space, search="one_at_a_time").fit(X, Y)

    assert len(fitted.cv_results_["params"]) < 9


@pytest.mark.parametrize("search", ["random", "halton", "bayes"])
def test_a_seed_repeats_the_search(search: str) -> None:
    """With an integer `random_state`, candidates and scores are the same again."""
    options: dict[str, Any] = {"search": search, "trials": 4, "random_state": 3}
    one, other = (make_search(Touchy(), OPEN, **options).fit(X, Y) for _ in range(2))

    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )


def test_without_a_seed_each_search_is_another() -> None:
    """Without `random_state`, the next fit draws other candidates."""
    search = make_search(Touchy(), OPEN, search="random", trials=1)

    assert 2 == len({search.fit(X, Y).best_params_["noise"] for _ in range(2)})


def test_the_callers_generators_go_on() -> None:
    """With a seed of its own, a search leaves the global generators as they were."""
    np.random.seed(1)
    random.seed(1)
    expected = (np.random.random(), random.random())
    np.random.seed(1)
    random.seed(1)
    make_search(random_state=0, refit=False).fit(X, Y)

    assert expected == (np.random.random(), random.random())


def test_trials_limit_a_grid() -> None:
    """`trials` ends a grid search early."""
    assert 2 == len(make_search(trials=2).fit(X, Y).cv_results_["params"])


def test_it_prints_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """`verbose=1` prints a line a fit; nothing is printed by default."""
    make_search(cv=2).fit(X, Y)
    silent = capsys.readouterr()
    make_search(cv=2, verbose=1).fit(X, Y)

    assert ("", "") == (silent.out, silent.err)
    assert 6 == capsys.readouterr().out.count("[CV] END")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"search": "hyperband"}, "search='hyperband' stops runs by what they report"),
        ({"search": "asha"}, "an estimator's fit reports nothing. Choose 'random' or 'bayes'"),
        ({"search": "gird"}, "'search' parameter of SweepCV must be a str among"),
        ({"search": "random"}, "search='random' never runs out of points here. Give trials=N"),
        ({"trials": 0}, "'trials' parameter of SweepCV must be an int in the range"),
        ({"random_state": -1}, "'random_state' parameter of SweepCV"),
        ({"error_score": "nan"}, "'error_score' parameter of SweepCV"),
        ({"scoring": ["f1", "recall"]}, "For multi-metric scoring, the parameter refit must"),
        ({"name": "a/b"}, "an experiment's name is a folder"),
        ({"scoring": {"day/x": "f1", "fit_time": "f1"}, "refit": "fit_time"}, "'fit_time' twice"),
    ],
    ids=repr,
)
def test_impossible_parameters_are_refused(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """What cannot be searched for is refused before anything is written."""
    search = make_search(Touchy(), OPEN, **{"logdir": tmp_path / "logs", **options})

    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)
    assert [] == list(tmp_path.iterdir())


def _score_twice(estimator: Any, X: Any, y: Any) -> dict[str, float]:  # noqa: N803
    return {"right": accuracy_score(y, estimator.predict(X)), "even": 0.5}


@pytest.mark.parametrize("refit", [True, "left", lambda results: 0], ids=["True", "left", "lambda"])
def test_a_function_of_several_scores_needs_refit(refit: Any) -> None:
    """A scoring function that returns several scores needs one of them to be named."""
    with pytest.raises(ValueError, match=r"refit must name the score .* \(right, even\); got"):
        make_search(scoring=_score_twice, refit=refit).fit(X, Y)
