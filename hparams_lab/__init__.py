"""Declare, run and compare hyperparameter experiments; look at them in TensorBoard.

An experiment module declares TensorBoard's own `hp.HParam`s and `hp.Metric`s and a
train function; `hparams_lab run NAME` runs their product, each run in a fresh process,
and writes what TensorBoard's HParams dashboard reads:

    from tensorboard.plugins.hparams import api as hp
    import hparams_lab as lab

    HP_X = hp.HParam("x", hp.RealInterval(-1.0, 3.0))

    EXPERIMENT = lab.Experiment(
        name="parabola",
        hparams=[lab.Axis(HP_X, grid_points=5)],
        metrics=[hp.Metric("loss")],
        objective=lab.minimize("loss"),
        train=lambda run: {"loss": (run.hparams[HP_X] - 1.0) ** 2},
    )

Importing this package does not import TensorFlow; `lab.keras`, `lab.sklearn` and
`lab.interop` are imported when they are first named.
"""

import importlib
import types

from hparams_lab.analysis.selection import Runs, read_runs
from hparams_lab.cli.main import main
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.experiment import Experiment
from hparams_lab.declare.objective import Objective, maximize, minimize
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import (
    AssignmentError,
    DeclarationError,
    Diverged,
    EventFormatError,
    ExecutorError,
    ExperimentLoadError,
    HParamsLabError,
    LogdirError,
    Pruned,
    UnknownExperimentError,
    UsageError,
)
from hparams_lab.events.reader import RunRecord, Series
from hparams_lab.events.scan import Summary
from hparams_lab.runs.run import Run

__all__ = [
    "Assignment",
    "AssignmentError",
    "Axis",
    "DeclarationError",
    "Diverged",
    "EventFormatError",
    "ExecutorError",
    "Experiment",
    "ExperimentLoadError",
    "HParamsLabError",
    "LogdirError",
    "Objective",
    "Pruned",
    "Run",
    "RunRecord",
    "Runs",
    "SearchSpace",
    "Series",
    "Summary",
    "UnknownExperimentError",
    "UsageError",
    "main",
    "maximize",
    "minimize",
    "read_runs",
]

_LAZY = ("interop", "keras", "sklearn")


def __getattr__(name: str) -> types.ModuleType:
    # PEP 562: each of these imports a library that most users of the rest do without.
    if name in _LAZY:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
