"""Resuming by the real program: what it prints, its exit codes, and two at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.layout import find_experiments
from hparams_lab.testing.executors import wait_until
from tests.support.program import (
    KILL_EXPERIMENTS,
    TIMEOUT_SECS,
    find_sweep,
    read_sweep,
    run_program,
    wait_for_runs,
)
from tests.support.resumption import read, words_for
from tests.support.servers import running

pytestmark = pytest.mark.slow

SHORT = KILL_EXPERIMENTS / "short.py"
WAITING = KILL_EXPERIMENTS / "waiting.py"
TWO_WORKERS = "--workers=2"


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program with a sweep of four runs, the first two of which wait."""
    words = words_for("run", WAITING, tmp_path, TWO_WORKERS, "--set=manner=cleans")
    with running(words) as process:
        wait_for_runs(tmp_path)
        yield process


def resume_briefly(logdir: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Resume a sweep of `waiting` whose runs wait no more."""
    brief = logdir / "brief"
    brief.mkdir(exist_ok=True)
    path = brief / WAITING.name
    path.write_text(WAITING.read_text().replace("WAIT_SECS = 60.0", "WAIT_SECS = 0.0"))
    return run_program(words_for("resume", path, logdir, *flags))


def test_resume_while_it_runs_is_one_line(waiting: subprocess.Popen[str], tmp_path: Path) -> None:
    """Who resumes a sweep that is running is told so in one line, exit code 2."""
    done = resume_briefly(tmp_path)

    assert (2, "") == (done.returncode, done.stdout)
    assert "another is running" in done.stderr and 1 == done.stderr.count("\n")
    assert [Status.RUNNING] * 2 == [run.status for run in read_sweep(tmp_path)]


def test_second_to_resume_is_reported(waiting: subprocess.Popen[str], tmp_path: Path) -> None:
    """Of two that resume the same sweep one does, and the other is told in one line."""
    waiting.kill()
    waiting.wait()
    first = words_for("resume", WAITING, tmp_path, TWO_WORKERS)
    with running(first):
        wait_for_runs(tmp_path, count=4)
        second = resume_briefly(tmp_path)

    assert (2, "") == (second.returncode, second.stdout)
    assert "another is running" in second.stderr and 1 == second.stderr.count("\n")


def test_killed_runner_holds_nothing(waiting: subprocess.Popen[str], tmp_path: Path) -> None:
    """At once after SIGKILL to the program its sweep can be resumed, to its end."""
    waiting.kill()
    done = resume_briefly(tmp_path, TWO_WORKERS)

    assert (0, "") == (done.returncode, done.stderr)
    assert [Ending.COMPLETE] * 4 == [run.ending for run in read_sweep(tmp_path)]
    assert ["r00", "r00", "r00a1", "r00a1"] == sorted(
        run.dir.path.name for run in read_sweep(tmp_path)
    )


def test_ctrl_c_then_the_printed_command(waiting: subprocess.Popen[str], tmp_path: Path) -> None:
    """After Ctrl-C the resume that is printed makes the interrupted runs again."""
    waiting.send_signal(signal.SIGINT)
    printed = waiting.communicate(timeout=TIMEOUT_SECS)[0]
    done = resume_briefly(tmp_path)
    sweep_dir = find_sweep(tmp_path)

    assert sweep_dir is not None
    assert f"  hparams_lab resume {WAITING} {sweep_dir.id} --logdir={tmp_path}\n" in printed
    assert (0, "") == (done.returncode, done.stderr)
    assert [Ending.COMPLETE] * 4 == [run.ending for run in read_sweep(tmp_path)]


def test_finished_sweep_says_that_nothing_was_left(tmp_path: Path) -> None:
    """Resuming a finished sweep says that nothing was left, shows it, and exits with 0."""
    run_program(words_for("run", SHORT, tmp_path, "--trials=3"))
    done = run_program(words_for("resume", SHORT, tmp_path))

    assert (0, "") == (done.returncode, done.stderr)
    assert "\nnothing was left to run\n" in done.stdout
    assert "hparams_lab resume" not in done.stdout
    assert "[" not in done.stdout


def test_unchanged_code_is_not_called_changed(tmp_path: Path) -> None:
    """Which command, search or executor loads the code does not make it other code."""
    run_program(words_for("run", SHORT, tmp_path, "--trials=2", "--executor=inline"))
    done = run_program(words_for("resume", SHORT, tmp_path, "--trials=3"))

    assert "[3/3]" in done.stdout
    assert "note" not in done.stdout


EXPERIMENT_BESIDE = '''"""Does a module beside count as code?"""
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric
import hparams_lab as lab

def train(run):
    from beside import OFFSET  # late, as those do that import what takes long
    return {"loss": run.hparams["units"] + OFFSET}

EXPERIMENT = lab.Experiment(
    name="with_module", hparams=[HParam("units", Discrete([1, 2]))], metrics=[Metric("loss")],
    objective=lab.minimize("loss"), train=train)
'''


@pytest.mark.parametrize(
    ("offset", "origins"), [("0.0", {True}), ("0.25", {False})], ids=["as_it_was", "edited"]
)
def test_edited_module_takes_nothing_over(offset: str, origins: set[bool], tmp_path: Path) -> None:
    """--reuse takes over what would come out the same, and so nothing of an edited module."""
    path = tmp_path / "with_module.py"
    path.write_text(EXPERIMENT_BESIDE)
    (tmp_path / "beside.py").write_text("OFFSET = 0.0\n")
    words = words_for("run", path, tmp_path / "logs", "--reuse")
    run_program(words)
    (tmp_path / "beside.py").write_text(f"OFFSET = {offset}\n")
    run_program(words)
    (experiment,) = find_experiments(tmp_path / "logs")

    assert origins == {bool(run.reused_from) for run in read(experiment.find_sweeps()[-1])}


def test_reboot_in_a_search_by_two_workers(tmp_path: Path) -> None:
    """A bayes search of two workers, killed and resumed, ends with all its trials, none twice."""
    flags = ["--search=bayes", "--trials=8", "--repeats=2"]
    environment = os.environ | {"SHORT_SESSION": str(tmp_path / "session")}
    (tmp_path / "session").mkdir()
    words = words_for("run", SHORT, tmp_path / "logs", TWO_WORKERS, *flags)
    with running(words, env=environment):
        wait_until(lambda: len(list((tmp_path / "session").iterdir())) == 4)
    done = run_program(words_for("resume", SHORT, tmp_path / "logs", TWO_WORKERS))
    runs = read_sweep(tmp_path / "logs")

    assert (0, "") == (done.returncode, done.stderr)
    assert [Ending.COMPLETE] * 16 == [run.ending for run in runs]
    assert 8 == len({run.assignment for run in runs}) == len({run.dir.trial_id for run in runs})
