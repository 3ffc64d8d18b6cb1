from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

import hparams_lab as lab
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.trial import make_trial
from hparams_lab.sklearn.fits import Fits
from hparams_lab.sklearn.parameters import ParameterSpace
from hparams_lab.sklearn.splits import count_folds
from hparams_lab.sweeps.listeners import RunResult
from hparams_lab.sweeps.worker import Outcome
from tests.support.estimators import Touchy, X, Y, make_search
from tests.support.factories import make_spec
from tests.support.oracle import read_board

MOODS = {"mood": ["bad", "good"]}


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("error_score", [np.nan, 0.0], ids=repr)
def test_failed_fits_have_the_error_score(error_score: float) -> None:
    """A fit that fails has `error_score` and a warning, as in scikit-learn's searches."""
    searches: list[Any] = [
        GridSearchCV(Touchy(), MOODS, error_score=error_score),
        make_search(Touchy(), MOODS, error_score=error_score),
    ]
    for search in searches:
        with pytest.warns(FitFailedWarning, match="5 fits failed out of a total of 10"):
            search.fit(X, Y)

    expected, actual = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(expected, actual)
    assert {"mood": "good"} == searches[1].best_params_


@pytest.mark.filterwarnings("ignore")  # of what is shown here
def test_failed_fits_are_failures_on_the_board(tmp_path: Path) -> None:
    """The runs of a candidate that fails are FAILURES, its traceback kept beside them."""
    search = make_search(Touchy(), MOODS, cv=2, logdir=tmp_path, error_score=0.0).fit(X, Y)

    (told, _) = sorted(search.sweep_dir_.glob("*/*/failure.txt"))
    statuses = read_board(tmp_path / "sweep_cv").statuses
    assert ["STATUS_FAILURE"] * 2 + ["STATUS_SUCCESS"] * 2 == statuses
    assert "RuntimeError: not in the mood" in told.read_text()
    assert "estimators.py" in told.read_text()


@pytest.mark.filterwarnings("ignore")  # of what is shown here
def test_failed_scoring_is_a_failure_on_the_board(tmp_path: Path) -> None:
    """A score that could not be had is NaN for scikit-learn, and a FAILURE on the board."""
    space = {"mood": ["undecided", "good"]}
    search = make_search(Touchy(), space, cv=2, logdir=tmp_path).fit(X, Y)

    assert math.isnan(search.cv_results_["mean_test_score"][0])
    assert 2 == read_board(tmp_path / "sweep_cv").statuses.count("STATUS_FAILURE")


def test_a_search_of_which_nothing_fits_says_so() -> None:
    """Where all fits fail, one error has the traceback."""
    with pytest.raises(ValueError, match=r"(?s)All the 5 fits failed.*not in the mood"):
        make_search(Touchy(), {"mood": ["bad"]}).fit(X, Y)


def test_the_first_error_may_end_the_search(tmp_path: Path) -> None:
    """With `error_score="raise"` the estimator's own error ends the search at once."""
    search = make_search(Touchy(), MOODS, logdir=tmp_path, error_score="raise")

    with pytest.raises(RuntimeError, match="not in the mood"):
        search.fit(X, Y)
    assert ["STATUS_FAILURE"] == read_board(tmp_path / "sweep_cv").statuses


def test_an_unknown_parameter_ends_the_search() -> None:
    """A parameter that the estimator does not have is no failed fit: it is told at once."""
    with pytest.raises(ValueError, match="Invalid parameter 'var_smoothin' for estimator"):
        make_search(space={"var_smoothin": [1.0]}).fit(X, Y)


class _Impatient(GaussianNB):  # type: ignore[misc]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: N803
        """Press Ctrl-C."""
        raise KeyboardInterrupt


def test_an_interrupted_run_has_an_end(tmp_path: Path) -> None:
    """Ctrl-C ends the search, and the run that it met has a true end."""
    search = make_search(_Impatient(), logdir=tmp_path)

    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert ["STATUS_FAILURE"] == read_board(tmp_path / "sweep_cv").statuses
    assert search.sweep_dir_.is_dir()


def test_a_log_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A log directory that cannot be written to is refused before the first fit."""
    (tmp_path / "logs").write_text("")

    with pytest.raises(lab.LogdirError, match="cannot write to the log directory"):
        make_search(logdir=tmp_path / "logs").fit(X, Y)


def test_a_run_that_was_not_carried_out_ends_the_search(tmp_path: Path) -> None:
    """Where a run could not begin, its split would be missing in the results."""
    space = ParameterSpace({"mood": ["good"]})
    rows = np.arange(4)
    splits = count_folds([(rows, rows)], 4)
    fits = Fits(dict, space, splits, score_names=["score"], with_train_scores=False)
    trial = make_trial(0, space.space.at(0))
    spec = make_spec(SweepDir(tmp_path), trial.assignment)
    ended = RunResult(trial, spec, Outcome(Ending.FAILED, reason="the run was lost"))

    with pytest.raises(lab.LogdirError, match=r"the run was lost. Mend that, and fit again"):
        fits.settle(ended)
