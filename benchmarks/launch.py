"""How many runs a second can be launched that do nothing, in each way to launch them.

`python benchmarks/launch.py [ROUNDS]`: each way is a process of its own, and they take
turns, as machines drift. Ours go all the way: proposal, schedule, directory, event file,
end. They are counted from the first run on; what it takes to come there is told apart.
Fresh processes, and those that do 50 runs, come from a server that has TensorFlow loaded.

The loop is the HParams tutorial's: TensorFlow's writers, one process, a session start, a
scalar and a session end each. Ray Tune reuses its actors, logs as it does by default,
which is to TensorBoard too, and has no TensorFlow loaded, to its advantage.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hparams_lab.sweeps.listeners import Listeners

NUM_WORKERS = 2

MODULE = '''"""Nothing."""
import tensorflow
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric
import hparams_lab as lab

EXPERIMENT = lab.Experiment(
    name="nothing",
    hparams=[lab.Axis(HParam("number", IntInterval(0, 10**6)), step=1)],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=lambda run: {"loss": 0.0},
)
'''

Measured = tuple[float, float]
"""Seconds until the first run began, and runs a second from then on."""


def measure_ours(folder: Path, num_runs: int, **options: Any) -> Measured:
    """Launch a sweep as `hparams_lab run` does."""
    from hparams_lab.declare.source import ExperimentSource
    from hparams_lab.sweeps.launch import launch
    from hparams_lab.sweeps.listeners import RunResult
    from hparams_lab.sweeps.options import LaunchOptions, make_options

    module = folder / "nothing.py"
    module.write_text(MODULE)
    began = time.perf_counter()
    times: list[float] = []  # of the start, then of the end of each run
    endings: set[str] = set()

    def on_result(result: RunResult) -> None:
        times.append(time.perf_counter())
        endings.add(result.outcome.ending.value)

    launch(
        ExperimentSource(module),
        make_options(LaunchOptions, logdir=folder / "logs", trials=num_runs, **options),
        Listeners(on_start=lambda started: times.append(time.perf_counter()), on_result=on_result),
    )
    assert (num_runs, {"complete"}) == (len(times) - 1, endings)
    return times[0] - began, num_runs / (times[-1] - times[0])


def measure_loop(folder: Path, num_runs: int) -> Measured:
    """Log as the tutorial does, by a session end more."""
    began = time.perf_counter()
    import tensorflow as tf
    from tensorboard.plugins.hparams import api as hp
    from tensorboard.plugins.hparams import api_pb2, summary

    number = hp.HParam("number", hp.IntInterval(0, 10**6))
    with tf.summary.create_file_writer(str(folder)).as_default():
        hp.hparams_config(hparams=[number], metrics=[hp.Metric("loss")])
    first = time.perf_counter()
    for index in range(num_runs):
        with tf.summary.create_file_writer(f"{folder}/{index:04d}").as_default():
            hp.hparams({number: index})
            tf.summary.scalar("loss", 0.0, step=1)
            end = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
            tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)
    return first - began, num_runs / (time.perf_counter() - first)


def measure_ray_tune(folder: Path, num_runs: int) -> Measured:
    """Run trials of Ray Tune; its own start-up ends with the first of them."""
    began = time.perf_counter()
    import ray
    from ray import tune

    ends: list[float] = []

    class NoteEnds(tune.Callback):
        def on_trial_complete(self, *arguments: Any, **keywords: Any) -> None:
            ends.append(time.perf_counter())

    ray.init(num_cpus=NUM_WORKERS, include_dashboard=False, log_to_driver=False)
    tuner = tune.Tuner(
        lambda config: tune.report({"loss": 0.0}),
        param_space={"number": tune.grid_search(list(range(num_runs)))},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=NUM_WORKERS),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[NoteEnds()]),
    )
    results = tuner.fit()
    assert (num_runs, 0) == (len(results), results.num_errors)
    assert num_runs == len(list(folder.glob("*/*/events.out.tfevents*")))
    return ends[0] - began, (num_runs - 1) / (ends[-1] - ends[0])


def _ours(num_runs: int, **options: Any) -> Callable[[Path], Measured]:
    return lambda folder: measure_ours(folder, num_runs, **options)


WAYS: dict[str, Callable[[Path], Measured]] = {
    "inline": _ours(2000, executor="inline"),
    "process, fresh": _ours(200, workers=NUM_WORKERS),
    "process, --runs_per_process=50": _ours(2000, workers=NUM_WORKERS, runs_per_process=50),
    "the tutorial's loop": lambda folder: measure_loop(folder, 500),
    "ray, fresh": _ours(100, executor="ray", workers=NUM_WORKERS),
    "ray, --runs_per_process=50": _ours(
        500, executor="ray", workers=NUM_WORKERS, runs_per_process=50
    ),
    "Ray Tune, reused actors": lambda folder: measure_ray_tune(folder, 200),
}

# Least runs a second: a number, or as many as another way has.
GOALS: dict[str, float | str] = {
    "process, fresh": 25,
    "process, --runs_per_process=50": 400,
    "ray, --runs_per_process=50": "Ray Tune, reused actors",
}


def main(num_rounds: int) -> None:
    """Measure in turn, then print a line for each way and each goal."""
    ways = [way for way in WAYS if "ray" not in way.lower() or importlib.util.find_spec("ray")]
    if len(ways) < len(WAYS):
        print("ray is not installed, so its ways are left out: pip install 'ray[tune]'")
    measured: dict[str, list[Measured]] = {way: [] for way in ways}
    # Deleted in the end: a filesystem may still be busy with it while others are timed.
    with tempfile.TemporaryDirectory() as folder:
        for round_index in range(num_rounds):
            for index, way in enumerate(ways):
                own = Path(folder) / f"{round_index}-{index}"
                own.mkdir()
                measured[way].append(measure_apart(way, own))
    rates = {way: statistics.median(rate for _, rate in measured[way]) for way in ways}
    for way in ways:
        startups, all_rates = zip(*measured[way], strict=True)
        print(
            f"{way:31} {rates[way]:7.1f} runs/s ({min(all_rates):.1f} to {max(all_rates):.1f}), "
            f"first run after {statistics.median(startups):.2f} s"
        )
    for way, goal in GOALS.items():
        least = rates.get(goal) if isinstance(goal, str) else goal
        if least is not None:
            verdict = "met" if rates[way] >= least else "missed"
            print(f"{way}: at least {least:.1f} runs/s ({goal}): {verdict}")


def measure_apart(way: str, folder: Path) -> Measured:
    """Return what a process of its own measures, having printed it."""
    words = [sys.executable, __file__, way, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr}")
    startup_secs, rate = json.loads(done.stdout.splitlines()[-1])
    print(f"{rate:8.1f} runs/s, first after {startup_secs:6.2f} s  {way}", flush=True)
    return startup_secs, rate


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
