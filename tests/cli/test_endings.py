"""How failures and retries are told: after a sweep, while it runs, and when it is shown."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from hparams_lab.cli.output.watch import Bar, Lines, print_failures
from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import JobEnd
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.trial import make_trial
from hparams_lab.sweeps.launch import Started
from hparams_lab.sweeps.listeners import RunResult
from hparams_lab.sweeps.loop import SweepResult
from hparams_lab.sweeps.worker import Outcome
from tests.cli.conftest import Program
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run

HUNG = "the run was stopped after its time limit of 5 s"


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepDir:
    """A sweep with a run that failed, one that timed out at its second attempt, and a good one."""
    monkeypatch.chdir(tmp_path)
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "logs" / "toy"), make_sweep())
    endings = [Ending.COMPLETE, Ending.FAILED, Ending.TIMED_OUT]
    for index, ending in enumerate(endings):
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1 * (index + 1)}, index=index)
        attempt = spec.dir.next_attempt() if ending is Ending.TIMED_OUT else spec.dir
        write_run(type(spec)(attempt, spec.assignment, 1, 2, "none"), {}, ending=ending)
    return sweep_dir


def test_show_says_how_trials_failed(
    failing: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status column has the way in which a trial failed, and another the attempts."""
    assert 0 == program("show", "toy")

    title, *_ = printed = capsys.readouterr().out.splitlines()
    assert "1 SUCCESS, 1 FAILURE, 1 FAILURE (timed out)" in title
    assert "attempts" in printed[2]
    assert "FAILURE (timed out)" in printed[-1]
    assert "2" == printed[-1].split()[-2]


@pytest.mark.parametrize(
    ("condition", "number"),
    [('status == "FAILURE"', 2), ('ending == "timed out"', 1), ("attempts == 1", 2)],
)
def test_where_takes_status_and_ending(
    condition: str,
    number: int,
    failing: SweepDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Failed trials are found by the dashboard's word, or by the way in which they failed."""
    assert 0 == program("show", "toy", "--format=json", f"--where={condition}")

    document = json.loads(capsys.readouterr().out)
    assert number == document["num_matching"]


def test_the_document_has_status_and_ending(
    failing: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON keeps the dashboard's word, with ending and attempts beside it."""
    program("show", "toy", "--format=json", "--where=attempts == 2")

    (trial,) = json.loads(capsys.readouterr().out)["trials"]
    assert ("FAILURE", "timed out", 2) == (trial["status"], trial["ending"], trial["attempts"])


def print_result(result: SweepResult) -> list[str]:
    """Return what is printed at the end of a sweep, line by line."""
    console = Console(file=io.StringIO(), width=200)
    print_failures(console, result)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("endings", "line"),
    [
        (
            {Ending.COMPLETE: 197, Ending.TIMED_OUT: 2, Ending.CRASHED: 1},
            "3 of 200 runs failed: 2 timed out, 1 crashed",
        ),
        ({Ending.COMPLETE: 1, Ending.FAILED: 1}, "1 of 2 runs failed:"),
        ({Ending.FAILED: 1, Ending.CRASHED: 2}, "3 of 3 runs failed: 2 crashed, 1 failed"),
    ],
)
def test_failures_are_counted_by_their_way(endings: dict[Ending, int], line: str) -> None:
    """At the end of a sweep one line says how many runs failed, and how."""
    assert ["", line] == print_result(SweepResult(Counter(endings)))[:2]


def test_retries_are_one_line() -> None:
    """Attempts that were made again are counted, also where all runs came through."""
    retries = Counter({JobEnd.CRASHED: 2, JobEnd.LOST: 1})
    result = SweepResult(Counter({Ending.COMPLETE: 9}), retries=retries)

    assert ["", "3 attempts made again: 2 crashed, 1 lost"] == print_result(result)


def test_nothing_is_said_of_a_sweep_without_failures() -> None:
    """Where every run came through at once, nothing is printed of failures and retries."""
    assert [] == print_result(SweepResult(Counter({Ending.COMPLETE: 9})))


@pytest.mark.parametrize("kind", [Lines, Bar])
@pytest.mark.parametrize(("wait_secs", "when"), [(0.0, "at once"), (4.0, "in 4 s")])
def test_progress_tells_a_retry(
    kind: type[Lines] | type[Bar], wait_secs: float, when: str, tmp_path: Path
) -> None:
    """While a sweep runs, a retry is a line with its time, its run and its reason."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), make_sweep())
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
    file = io.StringIO()
    progress = kind(Console(file=file, width=200))
    progress.start(Started(make_sweep(), sweep_dir))
    trial = make_trial(0, spec.assignment)
    result = RunResult(trial, spec, Outcome(Ending.TIMED_OUT, reason=HUNG))
    progress.note_retry(result, JobEnd.TIMED_OUT, wait_secs)
    progress.stop()

    assert f"again {when}: {trial.id}/r00: {HUNG}" in file.getvalue()
