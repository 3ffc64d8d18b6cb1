"""Studies of Optuna with given trials."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import (
    FloatDistribution,
)
from optuna.trial import create_trial

X = FloatDistribution(-1.0, 1.0)


def make_study(*trials: dict[str, Any], **options: Any) -> optuna.Study:
    """Return a study of trials over `x`, each changed as it is said."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="toy", **options)
    for trial in trials:
        defaults = {"params": {"x": 0.5}, "distributions": {"x": X}}
        study.add_trial(create_trial(**{**defaults, **trial}))
    return study
