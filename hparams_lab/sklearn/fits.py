"""The train function of a cross-validation: a run fits and scores one estimator.

Scores go to the run's event file, where the dashboard has them from, and in full
precision, with scikit-learn's times and errors, to a list that `cv_results_` is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.errors import LogdirError
from hparams_lab.events.schema import Ending
from hparams_lab.runs.run import Run
from hparams_lab.sklearn.parameters import ParameterSpace
from hparams_lab.sklearn.splits import Splits
from hparams_lab.sweeps.listeners import RunResult


class FitFailedError(Exception):
    """The estimator raised; its traceback is the cause."""


class Fits:
    """The fits of a search, one after the other in this process.

    Args:
        fit_and_score: scikit-learn's `_fit_and_score`, but for the candidate and the split.
        parameters: what is varied.
        splits: of each candidate.
        score_names: tags of the scores; a lone score goes by the first.
        with_train_scores: whether training rows are scored too.

    Attributes:
        candidates: parameters of each trial that has begun, in order.
        results: what `fit_and_score` returned for each of their splits, in order.
    """

    def __init__(
        self,
        fit_and_score: Callable[..., dict[str, Any]],
        parameters: ParameterSpace,
        splits: Splits,
        *,
        score_names: Sequence[str],
        with_train_scores: bool,
    ) -> None:
        self._fit_and_score = fit_and_score
        self._parameters = parameters
        self._splits = splits
        self._score_names = score_names
        self._with_train_scores = with_train_scores
        self._error: Exception | None = None
        self._num_ended = 0
        self.candidates: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []

    @property
    def metrics(self) -> list[Metric]:
        """What a run logs, the scores first."""
        train_names = [f"train_{name}" for name in self._score_names if self._with_train_scores]
        scores = [Metric(name) for name in (*self._score_names, *train_names)]
        times = [Metric(name, description="seconds") for name in ("fit_time", "score_time")]
        return scores + times

    def train(self, run: Run) -> dict[str, float]:
        """Fit and score, and log the scores.

        Raises:
            FitFailedError: if the estimator's fit raised.
            Exception: whatever else scikit-learn raises, which `settle` raises again.
        """
        index = self._splits.index_of(run)
        training_rows, held_out = self._splits.pairs[index]
        parameters = self._parameters.decode(run.hparams)
        try:
            result = self._fit_and_score(
                parameters=parameters,
                train=training_rows,
                test=held_out,
                split_progress=(index, len(self._splits.pairs)),
            )
        except Exception as error:
            self._error = error
            raise
        if index == 0:
            self.candidates.append(parameters)
        self.results.append(result)
        if traceback := result["fit_error"]:
            summary = traceback.strip().splitlines()[-1]
            raise FitFailedError(summary) from FitFailedError(f"\n{traceback}")
        # Not returned: what a scoring function returns need not have been declared.
        for tag, value in self._list_scalars(result).items():
            run.scalar(tag, value, 0)
        return {}

    def settle(self, ended: RunResult) -> None:
        """Raise what is to end the search, as a run has ended.

        Raises:
            Exception: what train raised, unless it was the estimator's fit that failed.
            LogdirError: if the run was not carried out, and not because of Ctrl-C.
        """
        if self._error is not None:
            raise self._error
        self._num_ended += 1
        is_missing = len(self.results) < self._num_ended
        if is_missing and ended.outcome.ending is not Ending.INTERRUPTED:
            raise LogdirError(f"{ended.outcome.reason}. Mend that, and fit again.")

    def _list_scalars(self, result: Mapping[str, Any]) -> dict[str, float]:
        scalars = self._name_scores(result["test_scores"])
        if self._with_train_scores:
            train_scores = self._name_scores(result["train_scores"])
            scalars |= {f"train_{name}": value for name, value in train_scores.items()}
        return {**scalars, "fit_time": result["fit_time"], "score_time": result["score_time"]}

    def _name_scores(self, scores: Any) -> dict[str, float]:
        return dict(scores) if isinstance(scores, Mapping) else {self._score_names[0]: scores}


def name_scores(scorers: Any, scoring: Any, refit: Any) -> list[str]:
    """Return the tags of the scores as far as they are known, first what is searched for.

    Args:
        scorers: that scikit-learn made of `scoring`.
        scoring: as the user gave it.
        refit: likewise.
    """
    if isinstance(scoring, str):
        return [scoring]
    names = list(getattr(scorers, "_scorers", ()))  # a scoring function's are not known yet
    if isinstance(refit, str):
        return [refit, *(name for name in names if name != refit)]
    return names or ["score"]


def check_scores(scores: Any, scoring: Any, refit: Any) -> None:
    """Refuse several scores of a scoring function if none of them can be searched for.

    Args:
        scores: that it returned.
        scoring: as the user gave it.
        refit: likewise.

    Raises:
        ValueError: if `refit` names none of them.
    """
    if callable(scoring) and isinstance(scores, Mapping) and refit not in scores:
        raise ValueError(
            "refit must name the score that is searched for, as scoring returns several "
            f"({', '.join(scores)}); got {refit!r}. Name one of them."
        )
