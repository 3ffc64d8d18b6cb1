"""How long reading a log directory takes, beside tbparse and TensorBoard's EventAccumulator.

Runs of 80 scalars: four tags of twenty points. Each reader has a process of its own, in
turn with the others, and is timed without its imports; the files are in the system's
memory for all of them. "cold" is without our cache, "warm" with it. Ours comes to typed
records: values, status, times, and of each tag the number of points, the last, the least
and the greatest; "and curves" reads every point besides, as the others do.

    python benchmarks/read.py [1000 10000] [--rounds=3] [--without=tbparse]
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval, Metric

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.objective import maximize
from hparams_lab.declare.space import SearchSpace
from hparams_lab.events.read.cache import DIR_VARIABLE
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.provenance import collect_provenance
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import make_trial

TAGS = ("accuracy", "loss", "train/accuracy", "train/loss")
NUM_STEPS = 20
NAME = "many"
DAYS = ("2026-11-20_18-00-00", "2026-11-21_18-00-00")


def main() -> None:
    """Measure and print one line a reader, then one a command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", choices=["tbparse"])
    options = parser.parse_args()
    for num_runs in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_logs(Path(folder) / "logs", num_runs)
            print(f"{num_runs} runs of {len(TAGS) * NUM_STEPS} scalars")
            _compare_readers(Path(folder), num_runs, options.rounds, options.without)
            _time_commands(Path(folder), options.rounds)


def write_logs(logdir: Path, num_runs: int) -> None:
    """Write one experiment of two sweeps, half of the runs in each, with equal assignments."""
    home = ExperimentDir(logdir / NAME)
    half = num_runs // len(DAYS)
    hparams = [
        Axis(HParam("number", IntInterval(0, half)), step=1),
        HParam("optimizer", Discrete(["adam", "sgd"])),
        HParam("units", Discrete([16, 32])),
    ]
    for day in DAYS:
        sweep = Sweep(
            experiment=NAME,
            id=day,
            started=f"{day[:10]}T18:00:00+00:00",
            source="",
            description="",
            space=SearchSpace(hparams),
            metrics=[Metric("accuracy"), Metric("loss")],
            objective=maximize("accuracy"),
            strategy="grid",
            max_trials=half,
            seed=0,
            executor="process",
            workers=2,
            provenance=collect_provenance(["run", NAME], []),
        )
        _write_sweep(home, sweep, half)
    write_config(home)


def _write_sweep(home: ExperimentDir, sweep: Sweep, num_runs: int) -> None:
    sweep_dir = SweepDir(home.path / sweep.id)
    sweep_dir.path.mkdir(parents=True)
    sweep.write(sweep_dir)
    for index in range(num_runs):
        values = {
            "number": index,
            "optimizer": ("adam", "sgd")[index % 2],
            "units": (16, 32)[index % 4 // 2],
        }
        trial = make_trial(index, sweep.space.validate(values), max_trials=num_runs)
        spec = RunSpec(sweep_dir.run_dir(trial.id), trial.assignment, 0, 0, "0123abcd")
        with RunWriter.create(spec.dir) as writer:
            writer.write_start(spec)
            for step in range(NUM_STEPS):
                for place, tag in enumerate(TAGS):
                    writer.write_scalar(tag, (index * 7 + step * 3 + place) % 101 / 101, step)
            writer.write_end(Ending.COMPLETE)


def _compare_readers(folder: Path, num_runs: int, rounds: int, without: str | None) -> None:
    names = [name for name in READERS if name != without]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds if num_runs <= 1_000 else 1):
        shutil.rmtree(folder / "cache", ignore_errors=True)
        for name in names:
            times[name].append(_time_reader(name, folder, num_runs))
    slowest = times.get("tbparse")
    for name in names:
        ratio = statistics.median(slowest) / statistics.median(times[name]) if slowest else 0.0
        print(f"  {name:<24}{_describe(times[name])} {ratio:8.1f} x")


def _describe(times: list[float]) -> str:
    return f"{statistics.median(times):8.3f} s ({min(times):.3f} to {max(times):.3f})"


def _time_reader(name: str, folder: Path, num_runs: int) -> float:
    environment = dict(os.environ)
    environment[DIR_VARIABLE] = "" if "curves" in name else str(folder / "cache")
    words = [sys.executable, __file__, "--reader", name, str(folder / "logs"), str(num_runs)]
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _read_ours(logdir: Path) -> int:
    from hparams_lab.analysis.trials.selection import read_runs

    return sum(summary.num_points for run in read_runs(logdir) for summary in run.metrics.values())


def _read_ours_with_curves(logdir: Path) -> int:
    from hparams_lab.analysis.trials.selection import read_runs

    return sum(len(series.values) for run in read_runs(logdir) for series in run.curves.values())


def _read_with_tbparse(logdir: Path) -> int:
    from tbparse import SummaryReader

    return len(SummaryReader(str(logdir), extra_columns={"dir_name"}).scalars)


def _read_with_accumulator(logdir: Path) -> int:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    count = 0
    for path in sorted(logdir.glob("*/*/*/*/*tfevents*")):
        accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
        accumulator.Reload()
        count += sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])
    return count


READERS: dict[str, Callable[[Path], int]] = {
    "tbparse": _read_with_tbparse,
    "EventAccumulator": _read_with_accumulator,
    "ours, cold": _read_ours,
    "ours, warm": _read_ours,
    "ours, cold, and curves": _read_ours_with_curves,
}


def _run_reader(name: str, logdir: Path, num_runs: int) -> None:
    read = READERS[name]
    if name in ("tbparse", "EventAccumulator"):
        importlib.import_module("tensorflow")  # which they do with the first file
        importlib.import_module("tbparse")
    else:
        read(logdir / "nowhere")
    began = time.perf_counter()
    num_points = read(logdir)
    wall_secs = time.perf_counter() - began
    wanted = num_runs * len(TAGS) * NUM_STEPS
    if num_points != wanted:
        raise SystemExit(f"{name} read {num_points} points of {wanted}")
    print(wall_secs)


def _time_commands(folder: Path, rounds: int) -> None:
    environment = {**os.environ, DIR_VARIABLE: str(folder / "cache")}
    for words in (["show", NAME, "all"], ["compare", NAME]):
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            command = [sys.executable, "-m", "hparams_lab", *words, f"--logdir={folder / 'logs'}"]
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        print(f"  {words[0] + ', warm, whole process':<24}{_describe(times)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--reader"]:
        _run_reader(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
