"""How a sweep is going: a bar on a terminal, one plain line a run elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hparams_lab.cli.output.tables import count, format_number, format_size
from hparams_lab.declare.domains import format_value
from hparams_lab.events.schema import Ending, Status
from hparams_lab.executors.base import Cause
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.listeners import RunResult, Started


class Lines:
    """Prints a line a run: for logs, pipes and CI.

    Args:
        console: printed to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._total = ""
        self._objective = ""
        self._shows_runs = False
        self._count = 0

    def load(self, name: str) -> None:
        """Say nothing of the loading: what is loaded is told when it runs."""

    def start(self, started: Started) -> None:
        """Print what begins."""
        self._total = "?" if started.max_runs is None else str(started.max_runs)
        self._shows_runs = started.sweep.runs_per_trial > 1
        self._count = started.num_done
        self._objective = started.sweep.objective.tag
        self._console.print(format_title(started.sweep))
        if started.notice:
            self._console.print(f"note: {started.notice}")

    def add(self, result: RunResult) -> None:
        """Print a run that has ended."""
        self._count += 1
        outcome = result.outcome
        place = f"[{self._count:>{len(self._total)}}/{self._total}]"
        pairs = (f"{name}={format_value(value)}" for name, value in result.spec.assignment.items())
        if outcome.status is Status.SUCCESS:
            told = f"{self._objective}={format_number(outcome.objective_value)}"
            told = "pruned" if outcome.ending is Ending.PRUNED else told
        else:
            told = f"FAILURE: {outcome.failure}"
        took = "" if outcome.wall_secs is None else f" ({outcome.wall_secs:.1f} s)"
        took = " (taken over)" if result.spec.reused_from else took
        trial = result.trial.id
        name = f"{trial}/{result.spec.dir.path.name}" if self._shows_runs else trial
        self._console.print(" ".join([place, name, f"{told}{took}", *pairs]))

    def note_retry(self, result: RunResult, cause: Cause, wait_secs: float) -> None:
        """Print that a run is to be tried again."""
        self._console.print(_format_retry(result, wait_secs))

    def stop(self) -> None:
        """Leave what is printed."""


class Bar:
    """Draws a bar with the time left and the best value so far: for terminals.

    Args:
        console: drawn on.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("", start=False, total=None, told="", visible=False)
        self._status = console.status("")
        self._sweep: Sweep | None = None
        self._best: float | None = None
        self._num_failures = 0
        self._num_retries = 0

    def load(self, name: str) -> None:
        """Show that the experiment is being loaded, which takes TensorFlow seconds."""
        self._status = self._console.status(f"loading {name}")
        self._status.start()

    def start(self, started: Started) -> None:
        """Print what begins, and the empty bar."""
        self._status.stop()
        self._sweep = started.sweep
        self._console.print(format_title(started.sweep))
        if started.notice:
            self._console.print(f"note: {started.notice}")
        self._progress.start()
        self._progress.update(
            self._task, total=started.max_runs, completed=started.num_done, visible=True
        )
        self._progress.start_task(self._task)

    def add(self, result: RunResult) -> None:
        """Advance by a run; print it only if it failed."""
        assert self._sweep is not None
        outcome = result.outcome
        if outcome.status is Status.FAILURE:
            self._num_failures += 1
            self._progress.print(f"FAILURE {result.trial.id}: {outcome.failure}", markup=False)
        elif outcome.ending is Ending.COMPLETE:
            values = [self._best, outcome.objective_value]
            self._best = min((v for v in values if v is not None), key=self._sweep.objective.rank)
        self._progress.update(self._task, advance=1, told=self._tell())

    def note_retry(self, result: RunResult, cause: Cause, wait_secs: float) -> None:
        """Print that a run is to be tried again; the bar stays where it is."""
        self._num_retries += 1
        self._progress.print(_format_retry(result, wait_secs), markup=False)
        self._progress.update(self._task, told=self._tell())

    def _tell(self) -> str:
        assert self._sweep is not None
        told = f"best {self._sweep.objective.tag} {format_number(self._best)}"
        if self._num_failures:
            told += f", {self._num_failures} failed"
        if self._num_retries:
            told += f", {self._num_retries} tried again"
        return told

    def stop(self) -> None:
        """Leave the bar as it is; a second time does nothing."""
        self._status.stop()
        self._progress.stop()


def _format_retry(result: RunResult, wait_secs: float) -> str:
    when = f"in {wait_secs:g} s" if wait_secs else "at once"
    name = f"{result.trial.id}/{result.spec.dir.path.name}"
    return f"again {when}: {name}: {result.outcome.failure}"


def make_progress(console: Console) -> Bar | Lines:
    """Return what suits the console."""
    return Bar(console) if console.is_terminal else Lines(console)


def format_title(sweep: Sweep) -> str:
    """Return a sweep in one line."""
    trials = format_size(sweep)
    workers = count(sweep.workers, "worker")
    if sweep.runs_per_trial > 1:
        trials += f" of {sweep.runs_per_trial} runs"
    return (
        f"{sweep.experiment} {sweep.id}: {trials}, {sweep.strategy}, seed {sweep.seed}, "
        f"{workers} ({sweep.executor})"
    )
