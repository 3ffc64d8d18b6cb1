"""What a run costs that does nothing: in a fresh process, in one that is kept, and inline.

Prints the median and spread, in milliseconds a run with one worker: from submitting the
job to its result, the writing of its event file and its directory included. The
executors take turns, as machines drift. Those of processes have TensorFlow loaded.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from hparams_lab import worker
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.executors.base import Executor, Job
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.executors.process import ProcessExecutor
from hparams_lab.runs.logdir import experiment_dir
from hparams_lab.runs.run import RunSpec
from hparams_lab.runs.trial import make_trial

NUM_ROUNDS = 30

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


def main() -> None:
    """Measure and print one line an executor."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nothing.py"
        path.write_text(MODULE)
        source = ExperimentSource(path)
        setup = partial(worker.load, source)
        space = source.load().space
        sweep_dir = experiment_dir(folder, "nothing").create_sweep()
        executors: dict[str, Executor] = {
            "inline": InlineExecutor(setup, worker.execute),
            "process": ProcessExecutor(setup, worker.execute, num_workers=1),
            "process, jobs_per_process=50": ProcessExecutor(
                setup, worker.execute, num_workers=1, jobs_per_process=50
            ),
        }
        for executor in executors.values():
            executor.start()
            executor.ready()
        times: dict[str, list[float]] = {name: [] for name in executors}
        number = 0
        for _ in range(NUM_ROUNDS):
            for name, executor in executors.items():
                trial = make_trial(number, space.at(number))
                spec = RunSpec(sweep_dir.run_dir(trial.id), trial.assignment, 0, 0, "none")
                number += 1
                began = time.perf_counter()
                executor.submit(Job(number, spec, spec.dir.output_file))
                executor.wait(lambda job_id, message: None)  # which tells nothing
                times[name].append(1e3 * (time.perf_counter() - began))
        for executor in executors.values():
            executor.close()
    for name, values in times.items():
        low, *_, high = statistics.quantiles(values, n=10)
        print(
            f"null run, {name}: median {statistics.median(values):.1f} ms "
            f"(10 % {low:.1f}, 90 % {high:.1f}, {NUM_ROUNDS} runs)"
        )


if __name__ == "__main__":
    main()
