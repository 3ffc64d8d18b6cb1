"""Sweeps whose processes do several runs: what is run is the same, and resumed the same way."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from tests.conftest import WriteModule
from tests.support.program import find_sweep, run_program
from tests.support.resumption import Outcomes, outcomes, words_for

pytestmark = pytest.mark.slow

# Each run leaves its process in a file, which is no result.
NOTE_PID = """
    import os
    from pathlib import Path

    def note_pid():
        with (Path(__file__).parent / "pids").open("a") as pids:
            pids.write(f"{os.getpid()} ")
"""

TOY = (
    NOTE_PID
    + """
    import random

    def train(run):
        note_pid()
        return {"loss": run.hparams["units"] + random.random()}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("units", Discrete([1, 2, 3]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""
)

# Dropout and the order of rows are random, layers are named by counting.
KERAS_TOY = (
    NOTE_PID
    + """
    import keras
    import numpy as np

    def load_data():
        x = np.random.default_rng(0).random((60, 4)).astype("float32")
        return x, (x.sum(axis=1) > 2).astype("int32")

    def train(run):
        note_pid()
        x, y, *held_out = run.split(*run.data)
        layers = [keras.Input((4,)), keras.layers.Dense(run.hparams["units"], "relu")]
        layers += [keras.layers.Dropout(0.2), keras.layers.Dense(1, "sigmoid")]
        model = keras.Sequential(layers)
        model.compile("adam", "binary_crossentropy")
        lab.keras.fit(run, model, x, y, epochs=2, validation_data=tuple(held_out))
        return {"loss": lab.keras.evaluate(model, *held_out)}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("units", Discrete([4, 8]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        load_data=load_data,
        train=train,
    )
"""
)


def sweep(path: Path, logdir: Path, *flags: str) -> Outcomes:
    """Run a sweep with one worker by the real program and return what it came to."""
    done = run_program(words_for("run", path, logdir, "--workers=1", *flags))
    assert (0, "") == (done.returncode, done.stderr)
    return outcomes(find_one(logdir))


def find_one(logdir: Path) -> SweepDir:
    """Return the one sweep of a log directory."""
    sweep_dir = find_sweep(logdir)
    assert sweep_dir is not None
    return sweep_dir


def count_runs(module: Path) -> list[int]:
    """Return how many runs each process did since the last time, in order."""
    pids = module.parent / "pids"
    words = pids.read_text().split()
    pids.unlink()
    return [words.count(word) for word in dict.fromkeys(words)]


KINDS = {"toy": (TOY, [4, 2]), "keras": (KERAS_TOY, [4])}


@pytest.mark.parametrize(("module", "shares"), KINDS.values(), ids=KINDS)
def test_runs_are_the_same(
    module: str, shares: list[int], write_module: WriteModule, tmp_path: Path
) -> None:
    """Four runs a process are the same trials, seeds and values as one run a process."""
    path = write_module(module).path
    one = sweep(path, tmp_path / "one", "--repeats=2")
    assert [1] * sum(shares) == count_runs(path)
    four = sweep(path, tmp_path / "four", "--repeats=2", "--runs_per_process=4")

    assert shares == count_runs(path)
    assert one == four


def test_resume_keeps_as_many(write_module: WriteModule, tmp_path: Path) -> None:
    """A resumed sweep has as many runs a process as before, unless it is told otherwise."""
    path, logdir = write_module(TOY).path, tmp_path / "logs"
    sweep(path, logdir, "--repeats=2", "--trials=1", "--runs_per_process=2")
    begun = count_runs(path)
    run_program(words_for("resume", path, logdir, "--trials=2"))
    resumed = count_runs(path)
    run_program(words_for("resume", path, logdir, "--trials=3", "--runs_per_process=3"))

    assert ([2], [2]) == (begun, resumed)
    assert 3 == Sweep.read(find_one(logdir)).execution_options["runs_per_process"]
