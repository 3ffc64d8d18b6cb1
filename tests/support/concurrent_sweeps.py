"""Sweeps of the real program that run at the same time, and what they leave together."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hparams_lab.events import schema
from hparams_lab.events.read.reader import read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import read_config
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, experiment_dir
from hparams_lab.runs.sweep import Sweep, read_sweeps
from tests.support.oracle import count_configs, read_board
from tests.support.resumption import words_for

_GATE = "gate"
_MODULE = '''"""Which two numbers?"""
import time
from pathlib import Path
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

def train(run):
    while Path(__file__).with_name("{gate}").exists():
        time.sleep(0.01)
    return {{"loss": run.hparams["units"]}}

EXPERIMENT = lab.Experiment(
    name={name!r},
    hparams=[HParam("units", Discrete([1, 2, 3, 4])), HParam("kind", Discrete(["a", "b"]))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
'''

# Each alone varies nothing, or one axis; together they vary both.
PARTS = (
    ("--set=units=1", "--set=kind=a"),
    ("--set=units=2", "--set=kind=a"),
    ("--set=units=1", "--set=kind=b"),
    ("--set=units=3,4", "--set=kind=b"),
)
NUM_RUNS = (1, 1, 1, 2)


def write_experiment(folder: Path, name: str = "pair") -> Path:
    """Write the module of an experiment of eight points."""
    path = folder / f"{name}.py"
    path.write_text(_MODULE.format(name=name, gate=_GATE))
    return path


def gate_of(path: Path) -> Path:
    """Return the file that, as long as it is there, no run of the experiment gets past."""
    return path.with_name(_GATE)


def start(path: Path, logdir: Path, *flags: str) -> subprocess.Popen[str]:
    """Start a sweep of the real program, one run at a time."""
    words = words_for("run", path, logdir, "--executor=inline", *flags)
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(programs: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Return the exit code of each program, and what it printed to stderr."""
    ended = []
    for program in programs:
        _, errors = program.communicate(timeout=120)
        ended.append((program.returncode, errors))
    return ended


def list_endings(sweep_dir: SweepDir) -> list[Ending | None]:
    """Return how each run of a sweep ended, by trial."""
    return [run.ending for run in read_runs(sweep_dir, Sweep.read(sweep_dir).space)]


def home_of(logdir: Path, name: str = "pair") -> ExperimentDir:
    """Return the directory of the experiment."""
    return experiment_dir(logdir, name)


def assert_whole(home: ExperimentDir, num_runs: int) -> None:
    """Check that the one config is the union of all sweeps, and TensorBoard shows all runs."""
    endings = [ending for sweep in home.find_sweeps() for ending in list_endings(sweep)]
    assert [Ending.COMPLETE] * num_runs == endings
    assert schema.encode_config(read_sweeps(home)) == read_config(home)
    assert 1 == count_configs(home.path)
    assert ["STATUS_SUCCESS"] * num_runs == read_board(home.path).statuses
    assert [] == [path.name for path in home.path.rglob("*.tmp")]
