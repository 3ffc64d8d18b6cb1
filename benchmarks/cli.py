"""How long the reading commands take, as whole processes, with 1,000 runs logged.

Each run has two metrics, a curve of ten points, and eight hyperparameters.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import make_trial
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners, Started
from hparams_lab.sweeps.options import LaunchOptions

NUM_RUNS = 1_000
NUM_STEPS = 10
NUM_ROUNDS = 9

MODULE = '''"""Which of 1,000 is the best?"""
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric, RealInterval
import hparams_lab as lab

EXPERIMENT = lab.Experiment(
    name="thousand",
    hparams=[lab.Axis(HParam("number", IntInterval(0, 999)), step=1)]
    + [HParam(f"fixed_{i}", RealInterval(1.0 * i, 1.0 * i)) for i in range(7)],
    metrics=[Metric("loss"), Metric("accuracy")],
    objective=lab.minimize("loss"),
    train=lambda run: {"loss": 0.0, "accuracy": 1.0},
)
'''


def main() -> None:
    """Write the runs, then measure and print one line a command."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiments" / "thousand.py"
        path.parent.mkdir()
        path.write_text(MODULE)
        _write_runs(ExperimentSource(path), Path(folder) / "logs")
        commands = {
            "--help": ["--help"],
            "list": ["list"],
            "show": ["show", "thousand"],
            "best": ["best", "thousand"],
            "(python -c pass)": [],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(NUM_ROUNDS):
            for name, words in commands.items():
                program = ["-m", "hparams_lab", *words] if words else ["-c", "pass"]
                began = time.perf_counter()
                subprocess.run(
                    [sys.executable, *program], cwd=folder, check=True, stdout=subprocess.DEVNULL
                )
                times[name].append(time.perf_counter() - began)
    for name, values in times.items():
        print(
            f"{name}, {NUM_RUNS} runs: median {statistics.median(values):.2f} s "
            f"(min {min(values):.2f}, max {max(values):.2f})"
        )


def _write_runs(source: ExperimentSource, logdir: Path) -> None:
    begun: list[Started] = []
    launch(
        source,
        LaunchOptions(logdir=logdir, executor="inline", trials=1),
        Listeners(on_start=begun.append),
    )
    sweep, sweep_dir = begun[0].sweep, begun[0].sweep_dir
    for number in range(1, NUM_RUNS):
        trial = make_trial(number, sweep.space.at(number))
        spec = RunSpec(sweep_dir.run_dir(trial.id), trial.assignment, number, 0, "none")
        with RunWriter.create(spec.dir) as writer:
            writer.write_start(spec)
            for step in range(NUM_STEPS):
                writer.write_scalar("train/loss", 1.0 / (step + 1), step)
            writer.write_scalar("loss", float(number), NUM_STEPS)
            writer.write_scalar("accuracy", 1.0, NUM_STEPS)
            writer.write_end(Ending.COMPLETE)


if __name__ == "__main__":
    main()
