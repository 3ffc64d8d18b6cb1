"""Watching a sweep that runs: its progress, then its results and what to type next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec

from absl import flags
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from hparams_lab.analysis.trials.rows import LOST_RACE, PRUNED, TrialRow
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.cli.flags.formats import JSON, format_of, print_json
from hparams_lab.cli.logdir import format_command, logdir_of
from hparams_lab.cli.output.json_documents import encode_sweep, encode_trial
from hparams_lab.cli.output.tables import (
    format_number,
    format_size,
    make_console,
    print_table,
    trial_columns,
)
from hparams_lab.declare.domains import format_value
from hparams_lab.errors import StorageError
from hparams_lab.events.schema import Ending, Status
from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.listeners import Listeners, RunResult, Started
from hparams_lab.sweeps.loop import SweepResult
from hparams_lab.text import count

_NUM_BEST = 10
_NUM_FAILURES = 5
_EXIT_FAILURES = 1

_Told = ParamSpec("_Told")


def watch(name: str, values: flags.FlagValues, start: Callable[[Listeners], SweepResult]) -> int:
    """Run a sweep, and return the exit code.

    Args:
        name: of the experiment, as the user wrote it.
        values: the flags that were given.
        start: runs it, given what to call as it goes.

    Raises:
        KeyboardInterrupt: on Ctrl-C, once it is printed how things stand.
        StorageError: if what is to be recorded cannot be written, with how to go on.
        OSError: if something could not be printed, once the sweep has ended.
    """
    wants_json = format_of(values) == JSON
    console = make_console(stderr=wants_json)
    begun: list[Started] = []
    progress = make_progress(console)
    guard = _Guard(console)

    def on_start(started: Started) -> None:
        begun.append(started)
        progress.start(started)

    progress.load(name)
    try:
        result = start(
            Listeners(
                on_start=guard.to(on_start),
                on_result=guard.to(progress.add),
                on_retry=guard.to(progress.note_retry),
            )
        )
    except KeyboardInterrupt:
        progress.stop()
        if begun:
            console.print("\ninterrupted; every run that had begun has a true end")
            _print_next_steps(console, begun[0], name, values, resume_flags=[])
        raise
    except StorageError as error:
        if not begun or not begun[0].sweep_dir.sweep_file.exists():
            raise
        words = ["resume", name, begun[0].sweep.id]
        again = format_command(words, logdir_of(values))
        raise StorageError(f"{error} What was complete stays so; to go on: {again}") from error
    finally:
        progress.stop()
    home = ExperimentDir(begun[0].sweep_dir.path.parent)
    rows = read_logged(home, [begun[0].sweep_dir]).rows
    if wants_json:
        _print_document(home, begun[0].sweep, rows, result)
    else:
        _print_results(console, begun[0].sweep, rows, result)
        has_failures = any(row.status is Status.FAILURE for row in rows)
        resume_flags = ["--failed"] if has_failures else []
        is_over = not result.stopped and not has_failures
        _print_next_steps(
            console, begun[0], name, values, resume_flags=None if is_over else resume_flags
        )
    if guard.fault:
        raise guard.fault
    return _EXIT_FAILURES if result.num_failed else 0


class _Guard:
    """Has listeners print as long as that can be: no sweep ends over a closed terminal.

    Args:
        console: that they print to; silent from the first error on.

    Attributes:
        fault: that first error, None without one.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.fault: OSError | None = None

    def to(self, listener: Callable[_Told, None]) -> Callable[_Told, None]:
        """Return what is to be called in place of a listener."""

        def call(*text: _Told.args, **more: _Told.kwargs) -> None:
            try:
                if self.fault is None:
                    listener(*text, **more)
            except OSError as error:
                self.fault = error
                self._console.quiet = True

        return call


def _print_document(
    home: ExperimentDir, sweep: Sweep, rows: Sequence[TrialRow], result: SweepResult
) -> None:
    print_json(
        {
            "experiment": home.name,
            "path": home.path,
            "sweep": encode_sweep(sweep, home),
            "stopped": result.stopped,
            "endings": {ending.value: number for ending, number in result.endings.items()},
            "retries": {cause.value: number for cause, number in result.retries.items()},
            "trials": [encode_trial(row) for row in rows],
        }
    )


def _print_results(
    console: Console, sweep: Sweep, rows: Sequence[TrialRow], result: SweepResult
) -> None:
    console.print()
    if rows:
        print_table(console, trial_columns(rows[:_NUM_BEST], [sweep]))
    if len(rows) > _NUM_BEST:
        console.print(f"{count(len(rows) - _NUM_BEST, 'more trial')}")
    print_failures(console, result)
    if text := _describe_savings(rows, result):
        console.print(f"\n{text}")
    if result.stopped:
        console.print(f"\nstopped, as {result.stopped}; {_count_ended(sweep, rows)}")
    elif not result.num_runs:
        console.print("\nnothing was left to run")


def print_failures(console: Console, result: SweepResult) -> None:
    """Print how runs failed, the first of them, and how many were tried again."""
    if result.num_failed:
        ways = {
            ending: number
            for ending, number in result.endings.most_common()
            if ending.status is Status.FAILURE
        }
        text = ", ".join(f"{number} {ending.value}" for ending, number in ways.items())
        text = "" if [*ways] == [Ending.FAILED] else f" {text}"
        console.print(f"\n{result.num_failed} of {count(result.num_runs, 'run')} failed:{text}")
    for run in result.failures[:_NUM_FAILURES]:
        console.print(f"  {run.trial.id}: {run.outcome.reason}")
        console.print(f"    {run.spec.dir.failure_file}")
    if result.num_failed > _NUM_FAILURES:
        console.print(f"  and {result.num_failed - _NUM_FAILURES} more")
    if result.retries:
        ways_of = (f"{number} {cause.value}" for cause, number in result.retries.most_common())
        number = count(result.retries.total(), "attempt")
        console.print(f"\n{number} made again: {', '.join(ways_of)}")


def _describe_savings(rows: Sequence[TrialRow], result: SweepResult) -> str:
    """Return what was not executed, or not in full; empty if nothing was."""
    pruned = sum(row.label == PRUNED for row in rows)
    lost = sum(row.label == LOST_RACE for row in rows)
    reused = count(result.num_reused, "run")
    text = [f"{reused} reused from earlier sweeps"] if result.num_reused else []
    text += [f"{count(pruned, 'trial')} pruned"] if pruned else []
    text += [f"{count(lost, 'trial')} lost the race"] if lost else []
    return ", ".join(text)


def _count_ended(sweep: Sweep, rows: Sequence[TrialRow]) -> str:
    if sweep.runs_per_trial > 1:
        return f"{count(sum(len(row.runs) for row in rows), 'run')} ended"
    ended = sum(row.status is not Status.RUNNING for row in rows)
    if sweep.max_trials is None:
        return f"{count(ended, 'trial')} ended"
    return f"{ended} of {format_size(sweep)} ended"


def _print_next_steps(
    console: Console,
    started: Started,
    typed: str,
    values: flags.FlagValues,
    *,
    resume_flags: list[str] | None,
) -> None:
    """Print what to type next, `resume` with its flags first unless there are none."""
    sweep = started.sweep
    console.print(f"\nlogged in {started.sweep_dir.path}; next:")
    steps = [["show", sweep.experiment, sweep.id], ["best", sweep.experiment, sweep.id]]
    steps.append(["dashboard", sweep.experiment])
    if resume_flags is not None:
        # A search without an end needs its limit again.
        secs = values.time_budget_secs
        limit = [f"--time_budget_secs={secs:g}"] if secs and sweep.max_trials is None else []
        steps.insert(0, ["resume", typed, sweep.id, *limit, *resume_flags])
    for words in steps:
        console.print(f"  {format_command(words, logdir_of(values))}")


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
        """Say nothing of the loading: what is loaded is shown when it runs."""

    def start(self, started: Started) -> None:
        """Print what begins."""
        self._total = "?" if started.max_runs is None else str(started.max_runs)
        self._shows_runs = started.sweep.runs_per_trial > 1
        self._count = started.num_done
        self._objective = started.sweep.objective.tag
        self._console.print(name_sweep(started.sweep))
        if started.notice:
            self._console.print(f"note: {started.notice}")

    def add(self, result: RunResult) -> None:
        """Print a run that has ended."""
        self._count += 1
        outcome = result.outcome
        place = f"[{self._count:>{len(self._total)}}/{self._total}]"
        pairs = (f"{name}={format_value(value)}" for name, value in result.spec.assignment.items())
        if outcome.status is Status.SUCCESS:
            text = f"{self._objective}={format_number(outcome.objective_value)}"
            text = "pruned" if outcome.ending is Ending.PRUNED else text
        else:
            text = f"FAILURE: {outcome.reason}"
        took = "" if outcome.wall_secs is None else f" ({outcome.wall_secs:.1f} s)"
        took = " (taken over)" if result.spec.reused_from else took
        trial = result.trial.id
        name = f"{trial}/{result.spec.dir.path.name}" if self._shows_runs else trial
        self._console.print(" ".join([place, name, f"{text}{took}", *pairs]))

    def note_retry(self, result: RunResult, cause: JobEnd, wait_secs: float) -> None:
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
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("", start=False, total=None, state="", visible=False)
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
        self._console.print(name_sweep(started.sweep))
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
            self._progress.print(f"FAILURE {result.trial.id}: {outcome.reason}", markup=False)
        elif outcome.ending is Ending.COMPLETE:
            values = [self._best, outcome.objective_value]
            self._best = min((v for v in values if v is not None), key=self._sweep.objective.rank)
        self._progress.update(self._task, advance=1, state=self._tell())

    def note_retry(self, result: RunResult, cause: JobEnd, wait_secs: float) -> None:
        """Print that a run is to be tried again; the bar stays where it is."""
        self._num_retries += 1
        self._progress.print(_format_retry(result, wait_secs), markup=False)
        self._progress.update(self._task, state=self._tell())

    def _tell(self) -> str:
        assert self._sweep is not None
        text = f"best {self._sweep.objective.tag} {format_number(self._best)}"
        if self._num_failures:
            text += f", {self._num_failures} failed"
        if self._num_retries:
            text += f", {self._num_retries} tried again"
        return text

    def stop(self) -> None:
        """Leave the bar as it is; a second time does nothing."""
        self._status.stop()
        self._progress.stop()


def _format_retry(result: RunResult, wait_secs: float) -> str:
    when = f"in {wait_secs:g} s" if wait_secs else "at once"
    name = f"{result.trial.id}/{result.spec.dir.path.name}"
    return f"again {when}: {name}: {result.outcome.reason}"


def make_progress(console: Console) -> Bar | Lines:
    """Return what suits the console."""
    return Bar(console) if console.is_terminal else Lines(console)


def name_sweep(sweep: Sweep) -> str:
    """Return a sweep in one line."""
    trials = format_size(sweep)
    workers = count(sweep.workers, "worker")
    if sweep.runs_per_trial > 1:
        trials += f" of {sweep.runs_per_trial} runs"
    return (
        f"{sweep.experiment} {sweep.id}: {trials}, {sweep.strategy}, seed {sweep.seed}, "
        f"{workers} ({sweep.executor})"
    )
