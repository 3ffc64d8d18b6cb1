"""How long until a dashboard serves all runs, ours and plain `tensorboard`.

From the start of the process until its HParams backend has every session, ended. Each run
has two metrics, a curve of ten points and eight hyperparameters, as in benchmarks/cli.py.
Both are asked the same way, in turns.

    python benchmarks/dashboard.py [NUM_RUNS ...]      # 100 1000 10000
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import make_trial
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners, Started
from hparams_lab.sweeps.options import LaunchOptions

DEFAULT_SIZES = (100, 1_000, 10_000)
NUM_ROUNDS = 7
NUM_STEPS = 10
DEADLINE_SECS = 300

MODULE = '''"""Which of many is the best?"""
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric, RealInterval
import hparams_lab as lab

EXPERIMENT = lab.Experiment(
    name="many",
    hparams=[lab.Axis(HParam("number", IntInterval(0, {last})), step=1)]
    + [HParam(f"fixed_{{i}}", RealInterval(1.0 * i, 1.0 * i)) for i in range(7)],
    metrics=[Metric("loss"), Metric("accuracy")],
    objective=lab.minimize("loss"),
    train=lambda run: {{"loss": 0.0, "accuracy": 1.0}},
)
'''


def main() -> None:
    """Write the runs, then measure and print two lines and a ratio for each number of them."""
    sizes = [int(word) for word in sys.argv[1:]] or DEFAULT_SIZES
    for num_runs in sizes:
        with tempfile.TemporaryDirectory() as folder:
            logdir = Path(folder) / "logs"
            _write_runs(Path(folder), logdir, num_runs)
            _measure(logdir, num_runs)


def _measure(logdir: Path, num_runs: int) -> None:
    ours = ["hparams_lab", "dashboard", "many", f"--logdir={logdir}", "--max_runs=0"]
    plain = ["tensorboard.main", f"--logdir={logdir / 'many'}"]
    times: dict[str, list[float]] = {"hparams_lab dashboard": [], "tensorboard": []}
    for _ in range(NUM_ROUNDS):
        for (name, values), words in zip(times.items(), (ours, plain), strict=True):
            values.append(_time_until_served(words, num_runs))
            print(f"  {name}: {values[-1]:.2f} s", file=sys.stderr)
    for name, values in times.items():
        print(
            f"{name}, {num_runs} runs: median {statistics.median(values):.2f} s "
            f"(min {min(values):.2f}, max {max(values):.2f})"
        )
    ratio = statistics.median(times["hparams_lab dashboard"]) / statistics.median(
        times["tensorboard"]
    )
    print(f"ratio at {num_runs} runs: {ratio:.2f}", flush=True)


def _time_until_served(words: list[str], num_runs: int) -> float:
    port = _find_free_port()
    flags = [f"--port={port}", "--host=127.0.0.1"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *words, *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while _count_ended(port) < num_runs:
            if time.perf_counter() - began > DEADLINE_SECS or process.poll() is not None:
                raise SystemExit(f"{words[0]} does not serve {num_runs} runs")
            time.sleep(0.01)
        return time.perf_counter() - began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _count_ended(port: int) -> int:
    """Return how many sessions are served as ended; 0 while nobody listens."""
    question = {"allowedStatuses": ["STATUS_SUCCESS"], "sliceSize": 1}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/data/plugin/hparams/session_groups",
        json.dumps(question).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECS) as response:
            return int(json.load(response).get("totalSize", 0))
    except (urllib.error.URLError, ConnectionError):
        return 0


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _write_runs(folder: Path, logdir: Path, num_runs: int) -> None:
    path = folder / "experiments" / "many.py"
    path.parent.mkdir()
    path.write_text(MODULE.format(last=num_runs - 1))
    begun: list[Started] = []
    launch(
        ExperimentSource(path),
        LaunchOptions(logdir=logdir, executor="inline", trials=1),
        Listeners(on_start=begun.append),
    )
    sweep, sweep_dir = begun[0].sweep, begun[0].sweep_dir
    for number in range(1, num_runs):
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
