"""A package that brings a strategy, an executor with an option, and a picture, installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import MODULE
from tests.support.environments import build_wheel, make_environment, outside_variables

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "data" / "plugin"

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment in which the package is installed."""
    source = tmp_path_factory.mktemp("package") / "source"
    shutil.copytree(PACKAGE, source)
    wheel = build_wheel(source, tmp_path_factory.mktemp("wheel"))
    return make_environment(tmp_path_factory.mktemp("environment"), wheel, imported=ROOT)


@pytest.fixture
def program(python: Path, tmp_path: Path) -> Program:
    """Calls the program of that environment, in a folder with the experiment `hill`."""
    (tmp_path / "hill.py").write_text(MODULE)

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", "hparams_lab", *words],
            cwd=tmp_path,
            env=outside_variables(),
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def launch(program: Program, *words: str) -> None:
    """Run the good half of the experiment's grid on the package's executor."""
    done = program("run", "hill.py", "--executor=paced", "--set=kind=good", *words)

    assert 0 == done.returncode, done.stderr


def read_options(folder: Path) -> list[dict[str, object]]:
    """Return the options of execution of each sweep, oldest first."""
    files = sorted(folder.glob("logs/hill/*/sweep.json"))
    return [json.loads(file.read_text())["execution_options"] for file in files]


def test_help_lists_what_the_package_brings(program: Program) -> None:
    """`run --help` has its names and its options, with their defaults."""
    printed = program("run", "--help").stdout

    assert "--pace_secs=...  wait so long before each run" in printed
    assert "process, inline, ray, paced" in printed
    assert "bayes, hyperband, asha, backwards" in printed
    assert "take each so-manieth point only (default: 1)" in printed
    assert "bars of the histogram (default: 10)" in program("plot", "--help").stdout


def test_an_option_is_checked(program: Program) -> None:
    """Its rules hold, and it belongs to its executor."""
    too_low = program("run", "hill.py", "--executor=paced", "--pace_secs=0")
    stray = program("run", "hill.py", "--executor=inline", "--pace_secs=1")

    assert (2, 2) == (too_low.returncode, stray.returncode)
    assert "--pace_secs must be a number of seconds above 0; got 0.0." in too_low.stderr
    assert "--pace_secs=1.0 needs --executor=paced; got --executor=inline." in stray.stderr


def test_an_option_is_on_record_and_kept(program: Program, tmp_path: Path) -> None:
    """It stands in sweep.json, and a sweep that is resumed keeps it unless told otherwise."""
    launch(program, "--pace_secs=0.01", "--trials=1")
    kept = program("resume", "hill", "--trials=2")
    first = read_options(tmp_path)
    changed = program("resume", "hill", "--trials=3", "--pace_secs=0.02")

    assert (0, 0) == (kept.returncode, changed.returncode), kept.stderr + changed.stderr
    assert [{"pace_secs": 0.01}] == first
    assert [{"pace_secs": 0.02}] == read_options(tmp_path)


def test_an_option_that_changed_is_named(program: Program) -> None:
    """`compare` calls it by its label."""
    launch(program, "--pace_secs=0.01", "--search=backwards", "--stride=2")
    launch(program, "--pace_secs=0.02", "--search=backwards")
    printed = program("compare", "hill", "--by=sweep").stdout

    assert "pace of runs, secs: 0.01 -> 0.02" in printed
    assert "stride: 2 -> 1" in printed


def test_a_strategy_is_searched_by(program: Program, tmp_path: Path) -> None:
    """Its proposals are run in its order."""
    launch(program, "--search=backwards", "--stride=2")
    trials = json.loads(program("show", "hill", "--format=json").stdout)["trials"]

    assert {"0000": 4.0, "0001": 0.0} == {
        trial["trial"].partition("-")[0]: trial["hparams"]["x"] for trial in trials
    }


def test_a_picture_is_drawn(program: Program, tmp_path: Path) -> None:
    """`plot` draws it by its name, and among all."""
    launch(program)
    drawn = program("plot", "hill", "--kind=histogram", "--bins=3")

    assert 0 == drawn.returncode, drawn.stderr
    assert "plots/hill/histogram.png" in drawn.stdout
    assert "histogram.png" in program("plot", "hill").stdout


def test_a_broken_one_is_one_line(program: Program) -> None:
    """What cannot be loaded is named once, and the program goes on without it."""
    done = program("run", "hill.py", "--executor=inline", "--set=kind=good")
    asked = program("run", "hill.py", "--executor=broken")

    problem = "the executor 'broken' of the package 'my-plugin' cannot be loaded: AttributeError"
    assert (0, 1) == (done.returncode, done.stderr.count(problem))
    assert 2 == asked.returncode


def test_a_name_that_is_taken_stays_ours(program: Program) -> None:
    """A package cannot replace what is built in, and is told so."""
    launched = program("run", "hill.py", "--executor=inline", "--set=kind=good", "--search=grid")
    done = program("show", "hill")

    assert "3 of 3 trials" in done.stdout
    assert "the strategy 'grid' of the package 'my-plugin' is left out" in launched.stderr
