"""A silent Optuna study in memory, to which trials are reported.

The event files are the only record: a study lives as long as its strategy, and a
resumed sweep fills a new one.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import warnings
from collections.abc import Iterator

import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import Trial, TrialState

from hparams_lab.declare.objective import Goal

# Hyperband deals trials to its brackets by the name and the number of the trial.
_STUDY_NAME = "hparams_lab"


def make_study(goal: Goal, pruner: BasePruner | None = None) -> Study:
    """Return a new study in memory; without a pruner it never stops a trial."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=_STUDY_NAME,
        direction=goal.value,
        # Draws nothing: a strategy that samples brings samplers of its own.
        sampler=RandomSampler(seed=0),
        pruner=pruner or NopPruner(),
    )


def report_once(trial: Trial, value: float, budget: int) -> bool:
    """Report a value, and return whether it is the first at this budget, which counts."""
    if budget in trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
        return False
    trial.report(value, budget)
    return True


def report_end(trial: Trial, value: float | None, *, goal: Goal, pruned: bool) -> None:
    """Report to the study how a trial ended.

    A value that is NaN counts as the worst there is, so that a sampler keeps away from
    where it came from. A failure says nothing: its cause may be the machine.

    Args:
        trial: still running.
        value: None if it failed or was pruned.
        goal: which way is better.
        pruned: whether it was stopped early.
    """
    if pruned:
        trial.study.tell(trial, state=TrialState.PRUNED)
    elif value is None:
        trial.study.tell(trial, state=TrialState.FAIL)
    else:
        worst = -math.inf if goal is Goal.MAXIMIZE else math.inf
        trial.study.tell(trial, worst if math.isnan(value) else value)


@contextlib.contextmanager
def silence_optuna() -> Iterator[None]:
    """Keep warnings back: of NaNs, infinities and settings that Optuna calls experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def derive_seed(seed: int, *numbers: int) -> int:
    """Return a seed below 2**32 for one of many draws, unlike that for any other."""
    text = ",".join(map(str, (seed, *numbers)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
