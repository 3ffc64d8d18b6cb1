"""The scikit-learn tier: `SweepCV`, a search like `GridSearchCV` that logs as it goes."""

from hparams_lab.sklearn.sweep_cv import SweepCV

__all__ = ["SweepCV"]
