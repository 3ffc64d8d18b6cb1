"""Every error a user can meet, each one sentence: rule, value, next action.

    HParamsLabError
    ├── DeclarationError (ValueError)         the experiment module says something impossible
    ├── AssignmentError (ValueError)          a value is outside the declared space
    ├── UnknownExperimentError (LookupError)  no such experiment, sweep or trial
    ├── ExperimentLoadError (ImportError)     the experiment module or its data cannot be loaded
    ├── UsageError (ValueError)               a command line that cannot be obeyed
    ├── LogdirError (OSError)                 the log directory cannot be used
    │   └── StorageError (OSError)            what a sweep records cannot be written
    ├── EventFormatError (ValueError)         an event file is damaged
    └── ExecutorError (RuntimeError)          no process to run in can be had
    Diverged (ArithmeticError)                a run's loss is no finite number any more
    Pruned (Exception)                        not an error: the strategy ends a run early

Each is also a built-in exception, so a generic handler works too.
The command line prints a `HParamsLabError` as it is and exits with code 2; any
other exception keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HParamsLabError(Exception):
    """Base of every error that the user can mend."""


class DeclarationError(HParamsLabError, ValueError):
    """An experiment declaration that breaks rules.

    Attributes:
        problems: one sentence for each broken rule, in declaration order.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[DeclarationError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class AssignmentError(HParamsLabError, ValueError):
    """A hyperparameter value, or a set of them, outside the declared space."""


class UnknownExperimentError(HParamsLabError, LookupError):
    """No experiment, sweep or trial goes by that name."""


class ExperimentLoadError(HParamsLabError, ImportError):
    """The experiment module, or its data, cannot be loaded."""


class UsageError(HParamsLabError, ValueError):
    """A command line that cannot be obeyed."""


class LogdirError(HParamsLabError, OSError):
    """The log directory cannot be read or written."""


class StorageError(LogdirError):
    """What a run or a sweep records cannot be written: no run of the sweep goes on.

    Let it pass where a train function meets it.
    """


class EventFormatError(HParamsLabError, ValueError):
    """An event file holds bytes that no writer wrote."""


class ExecutorError(HParamsLabError, RuntimeError):
    """The executor cannot give runs a process to run in."""


class Diverged(ArithmeticError):  # noqa: N818 - what happened, as the field says it
    """A run's loss is no finite number any more, so that going on is in vain.

    Attributes:
        value: what the objective is to be all the same; None if the run has failed.
    """

    def __init__(self, message: str, value: float | None = None) -> None:
        super().__init__(message)
        self.value = value


class Pruned(Exception):  # noqa: N818 - a signal to the train function, not an error
    """Raised by `Run.report` when the search strategy ends the run early."""


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the closest candidate, else an empty string.

    Example:
        >>> did_you_mean("learning_rat", ["learning_rate", "dropout"])
        " Did you mean 'learning_rate'?"
        >>> did_you_mean("zzz", ["learning_rate"])
        ''
    """
    closest = difflib.get_close_matches(name, list(candidates), n=1)
    return f" Did you mean {closest[0]!r}?" if closest else ""
