"""Other tools' results on the HParams board: scikit-learn, Keras Tuner, Optuna.

    search, project, study ──▶ ImportedSearch ──▶ <logdir>/<name>/<sweep>/...

Each becomes a sweep like our own: `hparams_lab show`, `best` and TensorBoard read it. It
runs nothing, so `hparams_lab resume` refuses it. Each module is imported when it is first
named.
"""

from importlib import import_module
from types import ModuleType

_LAZY = ("keras_tuner", "optuna", "sklearn")


def __getattr__(name: str) -> ModuleType:
    if name in _LAZY:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
