"""`SweepCV`: cross-validated search as a scikit-learn estimator, logged to TensorBoard.

    fit(X, y) ──▶ splits ──▶ launch: a trial a candidate, a run a split ──▶ cv_results_
                                 │                                             │
                     logs/<name>/<sweep>/... for the dashboard      best_estimator_, refit

What to try is decided by this package's searches; fitting, scoring, the form of the results
and everything that is asked of the best estimator afterwards is scikit-learn's own, by way
of the base class of its searches. Runs are executed here, one after the other.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable

from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import Goal, maximize
from hparams_lab.declare.space import SearchSpace
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.remote.opened import opened
from hparams_lab.search.catalog import STRATEGIES, make_strategy
from hparams_lab.sklearn.fits import Fits, check_scores, name_scores
from hparams_lab.sklearn.parameters import ParameterSpace
from hparams_lab.sklearn.sklearn_internals import (
    BaseSearchCV,
    Interval,
    StrOptions,
    check_method_params,
    fit_and_score_once,
    insert_error_scores,
    num_samples,
    warn_or_raise_about_fit_failures,
)
from hparams_lab.sklearn.splits import Splits, count_folds
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.launch import launch_loaded
from hparams_lab.sweeps.listeners import Listeners, Started
from hparams_lab.sweeps.options import LaunchOptions


class SweepCV(BaseSearchCV):  # type: ignore[misc]  # scikit-learn ships no types
    """Search an estimator's parameters by cross-validation, and log it to TensorBoard.

    Used as `GridSearchCV` is, whose results it gives for the same grid: fitted, it
    predicts, transforms and scores as the best estimator does. The dashboard shows a
    trial for each candidate, with the mean over its splits and their spread. A fit that
    fails is a FAILURE there, and has `error_score` in `cv_results_`.

    While an estimator is fitted, Python's and NumPy's global generators are seeded by the
    run, so that a search with an integer `random_state` gives the same results also where
    estimators draw from them; afterwards they go on as if nothing had been.

    Args:
        estimator: what to fit; it is cloned.
        space: parameter to the values to try, a list or `hp.Discrete`, `hp.RealInterval`
            or `hp.IntInterval`; or a list of `hp.HParam` and `lab.Axis`; or a
            `lab.SearchSpace`. Names with `__` reach into pipelines.
        search: `grid`, `random`, `halton`, `one_at_a_time` or `bayes`.
        trials: upper limit of candidates, at least 1; None for all there are.
        scoring: as of `GridSearchCV`. Where it gives several scores, `refit` names the one
            that is searched for, or else it is the first.
        cv: as of `GridSearchCV`; at most 100 folds. Repeats of folds that each hold every
            row out once are logged as repeats.
        refit: as of `GridSearchCV`.
        name: of the experiment, a folder of `logdir`.
        logdir: where to log; None logs nowhere: a temporary folder is used, and removed.
            Sweeps of one name in one folder are named by the second, so that one waits
            for the next where they follow each other more quickly.
        random_state: decides what is proposed, and the generators as above. Estimators
            and splitters have their own.
        error_score: score of a fit that failed, or `"raise"`.
        verbose: 1 prints a line a fit; 2 its scores too.
        return_train_score: whether training rows are scored too.

    Attributes:
        sweep_dir_: the directory of the sweep; None where nothing was logged. All other
            attributes are those of `GridSearchCV`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> tree = DecisionTreeClassifier(random_state=0)
        >>> search = SweepCV(tree, {"max_depth": [1, 2, None]}, logdir=None)
        >>> search.fit(*load_iris(return_X_y=True)).best_params_
        {'max_depth': None}
    """

    _parameter_constraints = {  # noqa: RUF012 - as scikit-learn declares it
        **BaseSearchCV._parameter_constraints,
        "space": [Mapping, list, tuple, SearchSpace],
        "search": [StrOptions(set(STRATEGIES))],
        "trials": [Interval(Integral, 1, None, closed="left"), None],
        "name": [str],
        "logdir": [str, PathLike, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        space: Any,
        *,
        search: str = "grid",
        trials: int | None = None,
        scoring: Any = None,
        cv: Any = None,
        refit: bool | str | Callable[[Mapping[str, Any]], int] = True,
        name: str = "sweep_cv",
        logdir: str | PathLike[str] | None = "logs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        verbose: int = 0,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            cv=cv,
            refit=refit,
            error_score=error_score,
            verbose=verbose,
            return_train_score=return_train_score,
        )
        self.space = space
        self.search = search
        self.trials = trials
        self.name = name
        self.logdir = logdir
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, **params: Any) -> SweepCV:  # noqa: N803 - its name
        """Search, and fit the best estimator to all rows.

        Args:
            X: `[num_rows, num_features]`, or what else the estimator takes.
            y: `[num_rows]` or `[num_rows, num_outputs]`; None where there is no target.
            **params: as of `GridSearchCV`: `groups` for the splitter, and what the
                estimator's fit takes, of which each fit gets the items of its rows.

        Raises:
            ValueError: if a parameter is impossible, or all fits failed.
            HParamsLabError: if the space or the log directory is of no use.
            KeyboardInterrupt: on Ctrl-C; what was run is logged.
        """
        self._validate_params()
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)  # noqa: N806 - its name
        routed = self._get_routed_params_for_fit(check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        pairs = list(splitter.split(X, y, **routed.splitter.split))
        splits = count_folds(pairs, num_samples(X))
        parameters = ParameterSpace(self.space)

        def fit_and_score(**candidate: Any) -> dict[str, Any]:
            result: dict[str, Any] = fit_and_score_once(
                clone(self.estimator),
                X,
                y,
                scorer=scorers,
                fit_params=routed.estimator.fit,
                score_params=routed.scorer.score,
                return_train_score=self.return_train_score,
                return_times=True,
                error_score=self.error_score,
                verbose=self.verbose and self.verbose + 1,  # it prints from 2 on
                **candidate,
            )
            check_scores(result["test_scores"], self.scoring, self.refit)
            return result

        fits = Fits(
            fit_and_score,
            parameters,
            splits,
            score_names=name_scores(scorers, self.scoring, self.refit),
            with_train_scores=self.return_train_score,
        )
        self._launch(fits, parameters.space, splits)
        self.n_splits_ = len(pairs)
        self._conclude(fits, scorers, refit_metric)
        if self.refit:
            self._refit(X, y, routed.estimator.fit)
        return self

    def set_callbacks(self, *callbacks: Any) -> SweepCV:
        """Refuse scikit-learn's callbacks: the dashboard shows how far the search has come.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"SweepCV has no callbacks; got {callbacks}. Follow it in TensorBoard, or set "
            "verbose=1."
        )

    def _launch(self, fits: Fits, space: SearchSpace, splits: Splits) -> None:
        """Run the trials, a run for each split."""
        seed = self._draw_seed()
        self._check_search(space, seed)

        def begin(started: Started) -> None:
            self.sweep_dir_ = None if self.logdir is None else started.sweep_dir.path

        launch_here(
            Experiment(
                name=self.name,
                hparams=space.axes,
                metrics=fits.metrics,
                objective=maximize(fits.metrics[0]),
                train=fits.train,
                description=f"`{self.estimator!r}`",
            ),
            self.logdir,
            Listeners(on_start=begin, on_result=fits.settle),
            search=self.search,
            seed=seed,
            trials=self.trials,
            repeats=splits.repeats,
            folds=splits.num_folds if splits.num_folds > 1 else None,
        )

    def _draw_seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_search(self, space: SearchSpace, seed: int) -> None:
        """Refuse a search that is of no use here.

        Raises:
            ValueError: if it is.
        """
        strategy = make_strategy(self.search, space, goal=Goal.MAXIMIZE, seed=seed)
        if strategy.traits.prunes:
            raise ValueError(
                f"search={self.search!r} stops runs by what they report while they train, and "
                "an estimator's fit reports nothing. Choose 'random' or 'bayes'."
            )
        if self.trials is None and strategy.max_trials is None:
            raise ValueError(
                f"search={self.search!r} never runs out of points here. Give trials=N."
            )

    def _conclude(self, fits: Fits, scorers: Any, refit_metric: Any) -> None:
        """Set what the search found, as scikit-learn's own do at the end of theirs."""
        warn_or_raise_about_fit_failures(fits.results, self.error_score)
        if callable(self.scoring):
            insert_error_scores(fits.results, self.error_score)
        self.multimetric_ = isinstance(fits.results[0]["test_scores"], Mapping)
        if callable(self.scoring) and self.multimetric_:
            refit_metric = self.refit
        self.cv_results_ = self._format_results(fits.candidates, self.n_splits_, fits.results)
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, refit_metric, self.cv_results_)
            self.best_params_ = self.cv_results_["params"][self.best_index_]
            if not callable(self.refit):
                self.best_score_ = self.cv_results_[f"mean_test_{refit_metric}"][self.best_index_]

    def _refit(self, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:  # noqa: N803 - its name
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        began = time.time()
        best.fit(X, *(() if y is None else (y,)), **fit_params)
        self.refit_time_ = time.time() - began
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def launch_here(
    experiment: Experiment,
    logdir: str | PathLike[str] | None,
    listeners: Listeners,
    **options: Any,
) -> None:
    """Launch a sweep; the caller's global generators are as they were afterwards.

    Args:
        experiment: to launch; it has no data of its own.
        logdir: where; None: in a temporary folder, which is removed.
        listeners: are called as it goes; what they raise ends the sweep.
        **options: further ones of `LaunchOptions`.

    Raises:
        HParamsLabError: as `launch`.
        KeyboardInterrupt: as `launch`.
    """
    executor = InlineExecutor(lambda: worker.Loaded(experiment, None), worker.execute)
    with _open(logdir) as folder, _kept_generators(), executor:
        launch_loaded(
            experiment,
            LaunchOptions(logdir=folder, executor="inline", command=tuple(sys.argv), **options),
            executor,
            listeners,
        )


@contextlib.contextmanager
def _open(logdir: str | PathLike[str] | None) -> Iterator[Path]:
    if logdir is not None:
        with opened(logdir, writes=True) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hparams_lab-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def _kept_generators() -> Iterator[None]:
    """Give Python's and NumPy's generators back as they were; each run seeds them."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
