from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.cli.main import COMMANDS
from hparams_lab.logdir.layout import experiment_dir
from tests.cli.conftest import Program
from tests.support.factories import add_sweep, make_sweep


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]], ids=repr)
def test_help_names_every_command(
    program: Program, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Help, asked for in any way, names every command and ends well."""
    assert 0 == program(*words)

    printed = capsys.readouterr().out
    assert [] == [name for name in COMMANDS if f"\n  {name}" not in printed]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(
    program: Program, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A command's help begins with how it is typed."""
    assert 0 == program(name, "--help")

    assert capsys.readouterr().out.startswith(f"hparams_lab {name}")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rnu"], "there is no command 'rnu'. Did you mean 'run'?"),
        (["run"], "run takes NAME; got none"),
        (["run", "hill", "extra"], "run takes NAME; got hill extra"),
        (["run", "hil"], "Did you mean 'hill'?"),
        (["run", "nowhere.py"], "there is no file"),
        (["run", "hill", "--worker=2"], "run has no flag --worker. Did you mean '--workers'?"),
        (["run", "hill", "--workers=two"], "--workers=two"),
        (["run", "hill", "--workers=0"], "--workers must be at least 1; got 0"),
        (["run", "hill", "--trials=0"], "--trials must be at least 1; got 0"),
        (["run", "hill", "--seed=-1"], "--seed must be at least 0; got -1"),
        (["run", "hill", "--search=gird"], "got 'gird'. Did you mean 'grid'?"),
        (["run", "hill", "--executor=inlin"], "got 'inlin'. Did you mean 'inline'?"),
        (["run", "hill", "--executor=inline", "--workers=2"], "one run at a time"),
        (["run", "hill", "--set=y=1"], "hparam 'y' is not declared"),
        (["run", "hill", "--set=x=9"], "hparam 'x' must be a number in [0.0, 4.0]; got 9.0"),
        (["run", "hill", "--set=x=high"], "hparam 'x' must be a number in [0.0, 4.0]; got 'high'"),
        (["run", "hill", "--set=x"], "--set takes AXIS=VALUE,...; got 'x'"),
        (["show", "hill"], "experiment 'hill' has no sweep in"),
        (["show", "hole"], "there is no experiment 'hole' in"),
        (["best", "hill"], "Run: hparams_lab run hill"),
        (["new", "two words"], "got 'two words'"),
        (["new", "hill"], "is there already"),
        (["new", "keras"], "'keras' is a module that Python can import"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_code_2(
    program: Program, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    """Bad input gets one line on stderr, exit code 2, and nothing is written."""
    assert 2 == program(*words)

    printed = capsys.readouterr()
    assert sentence in printed.err
    assert 1 == printed.err.count("\n")
    assert "" == printed.out
    assert not Path("logs").exists()


def test_several_problems_are_told_at_once(
    program: Program, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A declaration with two faults is told both, one a line."""
    path = workplace / "experiments" / "hill.py"
    text = path.read_text().replace("RealInterval(0.0, 4.0)", "RealInterval(0.0, float('inf'))")
    path.write_text(text.replace('maximize("height")', 'maximize("heigth")'))

    assert 2 == program("run", "hill", "--executor=inline")

    lines = capsys.readouterr().err.splitlines()
    assert 2 == len(lines)
    assert "finite bounds" in lines[0]
    assert "Did you mean 'height'?" in lines[1]


def test_version_is_reported(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the installed version."""
    assert 0 == program("--version")

    assert capsys.readouterr().out.startswith("hparams_lab 0.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--executor=inline", "--set=kind=good"], "hill 20"),
        (["run", "--executor=inline", "--dry_run"], "nothing was run or written"),
        (["show"], "experiment 'hill' has no sweep"),
        (["--help"], "hparams_lab run NAME"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_script_is_the_program(workplace: Path, words: list[str], expected: str) -> None:
    """`python experiments/NAME.py` takes the same words, without the name; run is the default."""
    script = workplace / "experiments" / "hill.py"
    script.write_text(
        script.read_text() + '\nif __name__ == "__main__":\n    lab.main(EXPERIMENT)\n'
    )

    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=False
    )

    assert expected in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error(swept: Program, workplace: Path) -> None:
    """`hparams_lab show NAME | head -1` ends without a traceback."""
    command = f"{sys.executable} -m hparams_lab show hill | head -1"

    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)

    assert done.stdout.startswith("hill 20")
    assert "" == done.stderr


def test_a_script_must_pass_its_own_experiment(workplace: Path) -> None:
    """`lab.main` refuses an experiment that runs would not find in the script."""
    script = workplace / "experiments" / "hill.py"
    script.write_text(script.read_text().replace("EXPERIMENT =", "OTHER =") + "\nlab.main(OTHER)\n")

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert 2 == done.returncode
    assert "got experiment 'hill'. Declare EXPERIMENT = ..." in done.stderr


def test_unreadable_directories_are_said(
    program: Program,
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the system does not let one read is one sentence and exit code 2."""
    home = experiment_dir(workplace / "logs", "toy")
    add_sweep(home, make_sweep())
    home.path.chmod(0)
    if os.access(home.path, os.R_OK):
        pytest.skip("nothing is forbidden to this user")

    assert 2 == program("show", "toy")
