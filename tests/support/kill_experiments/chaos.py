"""Whatever may become of a run, becomes of some: what is true of the others?"""

import ctypes
import os
import random
import signal
import sys
import time
from pathlib import Path

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

import hparams_lab as lab

NUM_RUNS = 200
HEALTHY_SECS = 0.7
CHUNK_BYTES = 32 << 20
MAX_CHUNKS = 12  # a leak that nobody ends is no danger to the machine


def raises(run: lab.Run) -> None:
    raise ValueError("such is life")


def exits(run: lab.Run) -> None:
    os._exit(3)


def segfaults(run: lab.Run) -> None:
    ctypes.string_at(0)


def hangs(run: lab.Run) -> None:
    time.sleep(600)


def leaks(run: lab.Run) -> None:
    kept = [b"x" * CHUNK_BYTES for _ in range(MAX_CHUNKS)]
    time.sleep(600)
    del kept


def forks(run: lab.Run) -> None:
    if os.fork() == 0:
        if run.seed % 2:
            os.setsid()  # out of the run's process group
        time.sleep(600)


def closes_stdout(run: lab.Run) -> None:
    sys.stdout.close()
    os.close(1)


def goes_elsewhere(run: lab.Run) -> None:
    os.chdir("/")


def terminates_itself(run: lab.Run) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)


def waits_to_be_killed(run: lab.Run) -> None:
    (Path(os.environ["CHAOS_VICTIMS"]) / str(os.getpid())).touch()
    time.sleep(600)


FATES = {
    fate.__name__: fate
    for fate in (
        raises,
        exits,
        segfaults,
        hangs,
        leaks,
        forks,
        closes_stdout,
        goes_elsewhere,
        terminates_itself,
        waits_to_be_killed,
    )
}


def train(run: lab.Run) -> dict[str, float]:
    """Log something, meet the fate, and return where it has not been the last thing."""
    run.scalar("progress", 0.5, 0)
    place, _, fate = run.hparams["fate"].partition("-")
    FATES[fate](run)
    time.sleep(HEALTHY_SECS)
    return {"loss": float(place)}


def make_fates(seed: str) -> list[str]:
    """Return as many of each fate, each with its place in an order of that seed."""
    fates = [*FATES] * (NUM_RUNS // len(FATES))
    random.Random(seed).shuffle(fates)
    return [f"{place:03d}-{fate}" for place, fate in enumerate(fates)]


EXPERIMENT = lab.Experiment(
    name="chaos",
    hparams=[HParam("fate", Discrete(make_fates(os.environ.get("CHAOS_SEED", "1"))))],
    metrics=[Metric("loss"), Metric("progress")],
    objective=lab.minimize("loss"),
    train=train,
)
