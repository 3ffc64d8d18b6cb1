"""Ctrl-C and other signals to the real program, in the midst of a sweep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from hparams_lab.events.schema import Status
from hparams_lab.testing.executors import is_alive, wait_until
from tests.support.oracle import read_board
from tests.support.program import (
    KILL_EXPERIMENTS,
    TIMEOUT_SECS,
    assert_true_ends,
    find_begun,
    find_processes,
    read_sweep,
    wait_for_runs,
    words_of,
)
from tests.support.servers import running

pytestmark = pytest.mark.slow

WAITING = KILL_EXPERIMENTS / "waiting.py"

Program = subprocess.Popen[str]


@pytest.fixture(params=["cleans"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """The program with two runs that wait in the parameter's manner, two more to come."""
    with running(words_of(WAITING, tmp_path, [f"manner={request.param}"])) as process:
        wait_for_runs(tmp_path)
        yield process


def finish(process: Program) -> str:
    """Wait for the end of the program and return what it printed."""
    return process.communicate(timeout=TIMEOUT_SECS)[0]


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize(("number", "exit_code"), SIGNALS.items(), ids=["INT", "TERM", "HUP"])
def test_signal_ends_the_sweep_truly(
    number: signal.Signals, exit_code: int, program: Program, tmp_path: Path
) -> None:
    """A signal ends the program with 128 more than its number, and every begun run truly."""
    program.send_signal(number)
    printed = finish(program)

    assert exit_code == program.returncode
    assert "interrupted; every run that had begun has a true end" in printed
    assert "Traceback" not in printed
    assert_true_ends(tmp_path)


def test_ctrl_c_reaches_the_whole_group(program: Program, tmp_path: Path) -> None:
    """SIGINT to the program's process group, as a terminal sends it, ends the sweep truly."""
    os.killpg(program.pid, signal.SIGINT)
    finish(program)

    assert 130 == program.returncode
    assert_true_ends(tmp_path)


def test_interrupted_runs_clean_up(program: Program, tmp_path: Path) -> None:
    """The finally-blocks of interrupted train functions are executed."""
    program.send_signal(signal.SIGINT)
    finish(program)

    assert [True, True] == [(folder / "cleaned").exists() for folder in find_begun(tmp_path)]


def test_interrupted_runs_say_so(program: Program, tmp_path: Path) -> None:
    """An interrupted run is a FAILURE for us and for TensorBoard, and its file says why."""
    program.send_signal(signal.SIGINT)
    finish(program)
    records = read_sweep(tmp_path)

    assert [Status.FAILURE] * 2 == [record.status for record in records]
    assert ["STATUS_FAILURE"] * 2 == read_board(tmp_path / "waiting").statuses
    assert all("interrupted" in record.dir.failure_file.read_text() for record in records)


def test_two_signals_at_once_are_one(program: Program, tmp_path: Path) -> None:
    """Two SIGINTs without a pause between them end the sweep as truly as one."""
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGINT)
    finish(program)

    assert 130 == program.returncode
    assert_true_ends(tmp_path)


@pytest.mark.parametrize("program", ["deaf"], indirect=True)
def test_deaf_runs_are_killed(program: Program, tmp_path: Path) -> None:
    """Runs that do not listen are killed, by a second SIGINT or in time, and end truly."""
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGINT)
    finish(program)

    assert 130 == program.returncode
    assert ["killed by SIGKILL"] * 2 == [
        record.dir.failure_file.read_text().rpartition("was ")[2].strip()
        for record in read_sweep(tmp_path)
    ]
    assert_true_ends(tmp_path)


@pytest.mark.parametrize("program", ["cleans_slowly", "brief"], indirect=True)
def test_impatient_user_gets_true_ends(program: Program, tmp_path: Path) -> None:
    """SIGINT again and again until the program is gone leaves no run without an end."""
    while program.poll() is None:
        program.send_signal(signal.SIGINT)
        os.sched_yield()
    printed = finish(program)

    assert "Traceback" not in printed
    assert program.returncode in (130, -signal.SIGINT)
    assert_true_ends(tmp_path)


def test_hang_up_that_is_ignored_is_ignored(tmp_path: Path) -> None:
    """A sweep started by nohup goes on when its terminal is gone."""
    words = ["nohup", *words_of(WAITING, tmp_path, ["manner=brief"])]
    with running(words) as process:
        wait_for_runs(tmp_path)
        process.send_signal(signal.SIGHUP)
        finish(process)

    assert 0 == process.returncode
    assert [Status.SUCCESS] * 4 == [record.status for record in read_sweep(tmp_path)]


def test_reader_that_goes_away_leaves_true_ends(tmp_path: Path) -> None:
    """When what it prints to is closed, as by `| head`, the sweep goes on to its end."""
    words = words_of(WAITING, tmp_path, ["manner=brief"])
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    exit_code = process.wait(timeout=TIMEOUT_SECS)

    assert exit_code == 0
    assert [Status.SUCCESS] * 4 == [record.status for record in read_sweep(tmp_path)]


def test_killed_program_leaves_no_process(program: Program, tmp_path: Path) -> None:
    """When the program itself is killed, its runs end by themselves."""
    pids = find_processes(tmp_path)
    program.kill()

    wait_until(lambda: not any(map(is_alive, pids)), timeout_secs=10)


def test_ctrl_c_while_loading_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C before the first run exits with 130, and no sweep is there."""
    load = (
        "def load():\n"
        f"    open({str(tmp_path / 'loads')!r}, 'w').close()\n"
        "    time.sleep(WAIT_SECS)\n\n\n"
    )
    path = tmp_path / "waiting.py"
    path.write_text(
        WAITING.read_text()
        .replace("    train=train,", "    train=train,\n    load_data=load,")
        .replace("EXPERIMENT = ", f"{load}EXPERIMENT = ")
    )
    with running(words_of(path, tmp_path / "logs")) as process:
        wait_until((tmp_path / "loads").exists)
        process.send_signal(signal.SIGINT)
        printed = finish(process)

    assert (130, "") == (process.returncode, printed)
    assert not (tmp_path / "logs").exists()


def test_ctrl_c_on_a_terminal(tmp_path: Path) -> None:
    """Ctrl-C typed on a real terminal ends the sweep truly and leaves the bar readable."""
    words = words_of(WAITING, tmp_path, ["manner=cleans"])
    terminal = pexpect.spawn(sys.executable, words[1:], encoding="utf-8", dimensions=(30, 120))
    wait_for_runs(tmp_path)
    terminal.sendintr()
    terminal.expect(pexpect.EOF, timeout=TIMEOUT_SECS)
    terminal.close()

    assert 130 == terminal.exitstatus
    assert "Traceback" not in terminal.before
    assert_true_ends(tmp_path)
