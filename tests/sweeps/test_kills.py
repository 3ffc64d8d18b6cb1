"""Runs that misbehave, each in a sweep of the real program with others that do not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.oracle import read_board
from tests.support.program import KILL_EXPERIMENTS, read_sweep, run_program, words_of

pytestmark = pytest.mark.slow

# The reason that is printed, then what failure.txt must hold.
MISBEHAVIOURS = {
    "killed": ("the run was killed by SIGKILL", "SIGKILL"),
    "group_killed": ("the run was killed by SIGKILL", "SIGKILL"),
    "os_exit": ("the run exited with code 3 before train returned", "code 3"),
    "os_exit_0": ("the run exited with code 0 before train returned", "code 0"),
    "sys_exit": ("train called sys.exit(4); return the metrics", "SystemExit: 4"),
    "segfault": ("the run was killed by SIGSEGV", "What it printed is in output.log"),
    "interrupted": ("the run was interrupted", "interrupted"),
    "unpicklable": ("UnpicklableError: ", "in raise_unpicklable"),
    "undecodable": ("ValueError: no column in no UTF-8: ", "in raise_undecodable"),
    "megabytes": ("ValueError: printed 20 MB and failed", "in print_megabytes"),
    "streams_closed": ("ValueError: said in silence", "in close_streams"),
    "garbage": ("the run was killed by SIGKILL", "SIGKILL"),
    "nan": ("metric 'loss' must be finite; got nan.", "must be finite"),
    "unknown": ("metric 'lost', which is not declared. Did you mean 'loss'?", "not declared"),
    "forgotten": ("train neither returned nor logged metric 'loss'.", "neither returned"),
    "text": ("metric 'loss' must be a number; got 'low'.", "must be a number"),
    "folder_removed": ("train neither returned nor logged metric 'loss'.", "neither returned"),
}


@dataclass(frozen=True)
class Swept:
    """A finished sweep of two runs that are fine and, between them, one that is not.

    Attributes:
        behaviour: of the one.
        logdir: where it is logged.
        exit_code: of the program.
        output: what it printed.
        errors: what it printed to stderr.
    """

    behaviour: str
    logdir: Path
    exit_code: int
    output: str
    errors: str

    @property
    def records(self) -> dict[str, RunRecord]:
        """The runs by their behaviour."""
        return {str(run.assignment["behaviour"]): run for run in read_sweep(self.logdir)}


def sweep_with(behaviour: str, path: Path, logdir: Path) -> Swept:
    """Run the program on three trials, as on a terminal that is strict about text."""
    words = words_of(path, logdir, [f"behaviour=fine_1,{behaviour},fine_2"])
    done = run_program(words, os.environ | {"PYTHONIOENCODING": "utf-8:strict"})
    return Swept(behaviour, logdir, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module", params=MISBEHAVIOURS)
def swept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A sweep with each misbehaviour in turn."""
    path = KILL_EXPERIMENTS / "misbehaving.py"
    return sweep_with(request.param, path, tmp_path_factory.mktemp(request.param))


def test_exit_code_tells_of_the_failure(swept: Swept) -> None:
    """A sweep in which a run failed exits with 1 and prints no error of the program's own."""
    assert (1, "") == (swept.exit_code, swept.errors)


def test_others_succeed(swept: Swept) -> None:
    """The run that misbehaved is a FAILURE, those before and after it are a SUCCESS."""
    expected = {"fine_1": "SUCCESS", "fine_2": "SUCCESS", swept.behaviour: "FAILURE"}

    assert expected == {name: run.status.value for name, run in swept.records.items()}


def test_tensorboard_shows_the_same(swept: Swept) -> None:
    """TensorBoard's own backend shows the statuses that we read."""
    (experiment,) = swept.logdir.iterdir()
    board = read_board(experiment)
    statuses = [f"STATUS_{record.status.value}" for record in read_sweep(swept.logdir)]

    assert statuses == board.statuses
    assert {"misbehaving"} == {ExperimentDir(experiment).name}


def test_reason_is_printed(swept: Swept) -> None:
    """The line of the failed run says why, and where to read more."""
    reason, _ = MISBEHAVIOURS[swept.behaviour]
    failure_file = swept.records[swept.behaviour].dir.failure_file

    assert re.search(rf"FAILURE: .*{re.escape(reason)}", swept.output)
    assert str(failure_file) in swept.output


def test_failure_file_says_more(swept: Swept) -> None:
    """failure.txt has the traceback, or how the process ended."""
    _, detail = MISBEHAVIOURS[swept.behaviour]

    assert detail in swept.records[swept.behaviour].dir.failure_file.read_text()


def test_what_was_logged_before_is_kept(swept: Swept) -> None:
    """Points written before the run went wrong are read, from files that are whole."""
    record = swept.records[swept.behaviour]

    assert "height" in record.last_values or swept.behaviour == "folder_removed"
    assert "" == record.damage or swept.behaviour == "garbage"


@pytest.mark.parametrize("name", ["two words", "it's", 'say "hi"', "größe 名 🙂", "a$b&c;d"])
def test_odd_names_are_names(name: str, tmp_path: Path) -> None:
    """An experiment whose name, file and log directory are odd is run like any other."""
    module = (KILL_EXPERIMENTS / "misbehaving.py").read_text()
    folder = tmp_path / name
    folder.mkdir()
    path = folder / f"{name}.py"
    path.write_text(module.replace('name="misbehaving"', f"name={name!r}"))
    swept = sweep_with("killed", path, folder / "logs")

    assert (1, "") == (swept.exit_code, swept.errors)
    assert [Status.SUCCESS, Status.FAILURE, Status.SUCCESS] == [
        record.status for record in read_sweep(swept.logdir)
    ]
    assert [name] == [experiment.name for experiment in swept.logdir.iterdir()]
