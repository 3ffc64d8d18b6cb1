"""Fixtures that many tests share: golden files, experiment modules, finished sweeps."""

from __future__ import annotations

import difflib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

# Before they are imported, so that the contracts' asserts say what was compared.
pytest.register_assert_rewrite("hparams_lab.testing", "tests.support.oracle")

from hparams_lab.declare.source import ExperimentSource  # noqa: E402
from hparams_lab.events.read.cache import DIR_VARIABLE  # noqa: E402
from hparams_lab.logdir.layout import ExperimentDir, SweepDir  # noqa: E402
from hparams_lab.sweeps.launch import launch  # noqa: E402
from hparams_lab.sweeps.listeners import Listeners, RunResult  # noqa: E402
from hparams_lab.sweeps.options import LaunchOptions, make_options  # noqa: E402
from tests.support.s3 import S3, running_s3  # noqa: E402

# Tests write an experiment's module twice within a second, which the times that bytecode
# goes by cannot tell apart; for the programs that they start, too.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

# A pipe has no width: pytest-xdist gives its workers one, to which tables would be cut.
os.environ.pop("COLUMNS", None)

GOLDEN_DIR = Path(__file__).parent / "golden"
DIFFS = pytest.StashKey[list[str]]()

WriteModule = Callable[[str], ExperimentSource]


class CheckGolden(Protocol):
    """Compares a text with the golden file of a name."""

    def __call__(self, name: str, text: str, tolerance: float = 0.0) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update_golden`."""
    parser.addoption(
        "--update_golden", action="store_true", help="rewrite the golden files and show how"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the diffs of golden files."""
    config.stash[DIFFS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how golden files were changed."""
    for diff in terminalreporter.config.stash[DIFFS]:
        terminalreporter.write(diff)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's cache out of the tests, those of programs that they start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DIR_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _restored_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the folders that loaded experiments put on the import path."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> CheckGolden:
    """Return a function that compares a text with the golden file of a name.

    Numbers with a point may differ by `tolerance`, for those that depend on the processor.
    """

    def check(name: str, text: str, tolerance: float = 0.0) -> None:
        path = GOLDEN_DIR / name
        if request.config.getoption("--update_golden"):
            _rewrite(path, text, request.config.stash[DIFFS])
        assert path.exists(), f"there is no {path}; write it by pytest --update_golden"
        if not tolerance:
            assert path.read_text() == text
        expected, actual = _split_numbers(path.read_text()), _split_numbers(text)
        assert expected.words == actual.words
        assert pytest.approx(expected.numbers, abs=tolerance) == actual.numbers

    return check


class _Split(NamedTuple):
    words: list[str]
    numbers: list[float]


def _split_numbers(text: str) -> _Split:
    number = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
    return _Split(number.sub("#", text).split(), [float(one) for one in number.findall(text)])


def _rewrite(path: Path, text: str, diffs: list[str]) -> None:
    before = path.read_text() if path.exists() else ""
    if before != text:
        lines = [version.splitlines(keepends=True) for version in (before, text)]
        diffs.append("".join(difflib.unified_diff(*lines, f"{path.name} before", path.name)))
        path.write_text(text)


_IMPORTS = """\
import math
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete, HParam, IntInterval, Metric, RealInterval)
"""


def _write_module(folder: Path, text: str) -> ExperimentSource:
    path = folder / "module.py"
    path.write_text(_IMPORTS + textwrap.dedent(text))
    return ExperimentSource(path)


@pytest.fixture
def write_module(tmp_path: Path) -> WriteModule:
    """Return a function that writes an experiment module into `tmp_path`, given its text.

    The text may use `lab`, `math`, and `HParam`, `Metric` and the domains, without imports.
    """
    return partial(_write_module, tmp_path)


class InlineLauncher:
    """Launches sweeps of experiment modules in this process, a second apart.

    Args:
        folder: gets the module, and the log directory `logs`.
    """

    def __init__(self, folder: Path) -> None:
        self.logdir = folder / "logs"
        self.results: list[RunResult] = []
        self._folder = folder
        self._second = 0

    def __call__(self, text: str, **options: Any) -> ExperimentDir:
        """Launch a sweep of the module with that text and return its experiment's directory."""
        self._second += 1
        dirs: list[SweepDir] = []
        self.results = []
        launch(
            _write_module(self._folder, text),
            make_options(LaunchOptions, logdir=self.logdir, executor="inline", **options),
            Listeners(
                on_start=lambda started: dirs.append(started.sweep_dir),
                on_result=self.results.append,
            ),
            now=lambda: datetime(2026, 11, 21, 7, 0, self._second),
        )
        return ExperimentDir(dirs[0].path.parent)


@pytest.fixture
def launch_inline(tmp_path: Path) -> InlineLauncher:
    """Return a function that runs a whole sweep of an experiment module in this process."""
    return InlineLauncher(tmp_path)


PARABOLA = """
    def train(run):
        for step in range(3):
            run.scalar("loss", 10.0 - step, step)
        return {"loss": (run.hparams["x"] - 1.0) ** 2}

    EXPERIMENT = lab.Experiment(
        name="parabola",
        hparams=[lab.Axis(HParam("x", RealInterval(-1.0, 3.0)), grid_points=5)],
        metrics=[Metric("loss", display_name="Height")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


@pytest.fixture
def finished_sweep(launch_inline: InlineLauncher) -> SweepDir:
    """Return a finished sweep of a parabola: five trials, the best of them at x = 1."""
    (sweep_dir,) = launch_inline(PARABOLA).find_sweeps()
    return sweep_dir


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """A real S3 server."""
    with running_s3() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The S3 server, which this process and what it starts find."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server
