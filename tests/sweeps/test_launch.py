"""Launching: what is refused before anything is written, and what a sweep leaves on disk."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.errors import HParamsLabError, LogdirError, UsageError
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners
from hparams_lab.sweeps.options import LaunchOptions
from tests.conftest import PARABOLA, InlineLauncher, WriteModule

ROOT = Path(__file__).parents[2]
QUADRATIC = ROOT / "experiments" / "quadratic.py"


def launch_quietly(source: ExperimentSource, options: LaunchOptions) -> SweepDir:
    """Launch a sweep and return its directory."""
    dirs: list[SweepDir] = []
    launch(
        source,
        options,
        Listeners(on_start=lambda started: dirs.append(started.sweep_dir)),
        now=lambda: datetime(2026, 11, 21, 7, 34, 5),
    )
    return dirs[0]


def read(sweep_dir: SweepDir) -> list[RunRecord]:
    """Return the runs of a sweep."""
    return read_runs(sweep_dir, Sweep.read(sweep_dir).space)


WRONG_OBJECTIVE = PARABOLA.replace('lab.minimize("loss")', 'lab.minimize("lost")')
WRONG_DATA = PARABOLA.replace("train=train,", "train=train, load_data=lambda: {}['column'],")

MISTAKES: dict[str, tuple[str, dict[str, Any], str]] = {
    "declaration": (WRONG_OBJECTIVE, {}, r"got 'lost'\. Did you mean 'loss'\?"),
    "syntax": ("def train(run:", {}, "cannot import .*SyntaxError"),
    "no_experiment": ("EXPERIMENT = 7", {}, "must declare EXPERIMENT"),
    "data": (WRONG_DATA, {}, "cannot load the data of .*: KeyError: 'column'"),
    "value": (PARABOLA, {"settings": ["x=9"]}, "hparam 'x' must .*; got 9"),
    "axis": (PARABOLA, {"settings": ["y=1"]}, "hparam 'y' is not declared"),
    "search": (PARABOLA, {"search": "gird"}, r"Did you mean 'grid'\?"),
    "trials": (PARABOLA, {"trials": 0}, "--trials must be at least 1; got 0"),
    "workers": (PARABOLA, {"workers": 0}, "--workers must be at least 1; got 0"),
}


@pytest.mark.parametrize(("text", "options", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_before_anything_is_written(
    text: str, options: dict[str, Any], message: str, write_module: WriteModule, tmp_path: Path
) -> None:
    """A mistake in the module, its data or the options leaves no log directory behind."""
    logdir = tmp_path / "logs"
    with pytest.raises(HParamsLabError, match=message):
        launch_quietly(
            write_module(text), LaunchOptions(logdir=logdir, executor="inline", **options)
        )

    assert not logdir.exists()


@pytest.mark.parametrize("name", ["declaration", "data", "value"])
def test_mistake_is_told_before_anything_runs(
    name: str, write_module: WriteModule, tmp_path: Path
) -> None:
    """Where runs have processes of their own, a mistake is told, and nothing written, too."""
    text, options, message = MISTAKES[name]
    logdir = tmp_path / "logs"
    with pytest.raises(HParamsLabError, match=message):
        launch_quietly(write_module(text), LaunchOptions(logdir=logdir, **options))

    assert not logdir.exists()


def test_unknown_executor_is_reported(tmp_path: Path) -> None:
    """A misspelt executor is told the closest."""
    with pytest.raises(UsageError, match=r"got 'proces'\. Did you mean 'process'\?"):
        LaunchOptions(logdir=tmp_path / "logs", executor="proces")


def test_inline_refuses_workers(write_module: WriteModule, tmp_path: Path) -> None:
    """More than one worker cannot run in one process."""
    options = LaunchOptions(logdir=tmp_path / "logs", executor="inline", workers=2)
    with pytest.raises(UsageError, match="one run at a time; got --workers=2"):
        launch_quietly(write_module(PARABOLA), options)


def test_contradiction_of_an_earlier_sweep_is_refused(launch_inline: InlineLauncher) -> None:
    """An hparam whose type differs from an earlier sweep's is refused before a directory is."""
    home = launch_inline(PARABOLA)
    before = sorted(home.path.rglob("*"))
    text = PARABOLA.replace('lab.Axis(HParam("x", RealInterval(-1.0, 3.0)), grid_points=5)', TEXT)
    with pytest.raises(LogdirError, match="'x'"):
        launch_inline(text)

    assert before == sorted(home.path.rglob("*"))


TEXT = 'HParam("x", Discrete(["left", "right"]))'


def test_sweep_directory_has_intent_and_code(write_module: WriteModule, tmp_path: Path) -> None:
    """sweep.json and source.zip lie beside the trials, outside git without a difference."""
    source = write_module(PARABOLA)
    options = LaunchOptions(
        logdir=tmp_path / "logs", executor="inline", seed=3, command=("run", "x")
    )
    sweep_dir = launch_quietly(source, options)
    sweep = Sweep.read(sweep_dir)

    assert ("parabola", 3, ("run", "x")) == (
        sweep.experiment,
        sweep.seed,
        tuple(sweep.provenance.command),
    )
    with zipfile.ZipFile(sweep_dir.source_file()) as archive:
        assert source.path.read_bytes() == archive.read("module.py")
    assert (None, False) == (sweep.provenance.git, sweep_dir.diff_file().exists())


def git(folder: Path, *words: str) -> None:
    """Run git as somebody."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_change_since_the_commit_is_kept(write_module: WriteModule, tmp_path: Path) -> None:
    """In a checkout with changes, diff.patch has them and the runs' commit is marked."""
    source = write_module(PARABOLA)
    git(tmp_path, "init")
    git(tmp_path, "add", "module.py")
    git(tmp_path, "commit", "--message=first")
    source.path.write_text(source.path.read_text().replace("grid_points=5", "grid_points=2"))
    sweep_dir = launch_quietly(source, LaunchOptions(logdir=tmp_path / "logs", executor="inline"))

    assert "grid_points=2" in sweep_dir.diff_file().read_text()
    assert all(record.labels["commit"].endswith("+") for record in read(sweep_dir))


def describe(record: RunRecord) -> tuple[object, ...]:
    """Return all of a run that does not depend on when and where it ran."""
    points = {tag: (series.steps, series.values) for tag, series in record.curves.items()}
    return record.group_name, record.assignment, record.seed, record.status, points


@pytest.mark.slow
def test_executors_give_equal_records(tmp_path: Path) -> None:
    """Inline, one worker and two give the same trials, seeds, series and files, exactly."""
    options = {
        "inline": LaunchOptions(logdir=tmp_path / "inline", executor="inline", seed=5),
        "one": LaunchOptions(logdir=tmp_path / "one", workers=1, seed=5),
        "two": LaunchOptions(logdir=tmp_path / "two", workers=2, seed=5),
    }
    source = ExperimentSource(QUADRATIC)
    inline, one, two = (launch_quietly(source, option) for option in options.values())

    assert 18 == len(read(inline))
    assert [*map(describe, read(inline))] == [*map(describe, read(one))]
    assert [*map(describe, read(inline))] == [*map(describe, read(two))]
    assert list_files(inline) == list_files(one) == list_files(two)


def list_files(sweep_dir: SweepDir) -> list[str]:
    """Return the paths below a sweep's directory, event files without what differs in names."""
    paths = (path.relative_to(sweep_dir.path) for path in sweep_dir.path.rglob("*"))
    return sorted(re.sub(r"tfevents\..*", "tfevents", path.as_posix()) for path in paths)


def test_seed_decides_the_numbers(tmp_path: Path) -> None:
    """Another seed of the sweep, and another assignment, give a run another seed."""
    seeds = {
        record.seed
        for seed in (1, 2)
        for record in read(
            launch_quietly(
                ExperimentSource(QUADRATIC),
                LaunchOptions(logdir=tmp_path / str(seed), executor="inline", seed=seed),
            )
        )
    }

    assert 2 * 18 == len(seeds)


def test_notice_reaches_the_user(write_module: WriteModule, tmp_path: Path) -> None:
    """A module that leaves a thread running is told what that costs, and is run."""
    threads = """
    import threading, time
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    """
    notices: list[str] = []
    result = launch(
        write_module(threads + PARABOLA),
        LaunchOptions(logdir=tmp_path / "logs", workers=2, settings=["x=0,1"]),
        Listeners(on_start=lambda started: notices.append(started.notice)),
    )

    assert "each run starts a new interpreter" in notices[0]
    assert {Ending.COMPLETE: 2} == result.endings
