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

Importing this package imports nothing else: each public name, and the packages `keras`,
`sklearn` and `interop`, are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hparams_lab.analysis.trials.selection import Runs, read_runs
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
    from hparams_lab.events.read.reader import RunRecord, Series
    from hparams_lab.events.read.scan import Summary
    from hparams_lab.runs.run import Run

# For type checkers; the interpreter goes by the table below.
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

_MODULES = {
    "Assignment": "declare.assignment",
    "Axis": "declare.axis",
    "Experiment": "declare.experiment",
    "Objective": "declare.objective",
    "Run": "runs.run",
    "RunRecord": "events.read.reader",
    "Runs": "analysis.trials.selection",
    "SearchSpace": "declare.space",
    "Series": "events.read.reader",
    "Summary": "events.read.scan",
    "main": "cli.main",
    "maximize": "declare.objective",
    "minimize": "declare.objective",
    "read_runs": "analysis.trials.selection",
}
_PACKAGES = ("interop", "keras", "sklearn")


def __getattr__(name: str) -> Any:
    # PEP 562. The fork server, its supervisor and `--help` need none of these names, and
    # importing all of them takes half a second.
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'errors')}")
    value = globals()[name] = getattr(module, name)  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})
