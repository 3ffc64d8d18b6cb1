"""Does a sweep that is killed over and over come to what it would have come to? Short runs."""

import os
import time
from pathlib import Path

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval

import hparams_lab as lab

RUN_SECS = float(os.environ.get("SHORT_RUN_SECS", "0"))
# A folder that counts runs: those after the first two wait in their midst to be killed, so
# that a sweep is never over before it is killed, however slow the machine.
SESSION = os.environ.get("SHORT_SESSION")
NUM_FREE_RUNS = 2
WAIT_SECS = 60.0  # longer than any test waits


def train(run: lab.Run) -> dict[str, float]:
    """Log two points with time to be killed around them; the result is the seed's own."""
    for pid in (os.getpid(), os.getppid()):
        (run.dir / f"process-{pid}").touch()
    run.scalar("height", 1.0, 0)
    if SESSION:
        (Path(SESSION) / f"run-{os.getpid()}").touch()
        if len(list(Path(SESSION).iterdir())) > NUM_FREE_RUNS:
            time.sleep(WAIT_SECS)
    time.sleep(RUN_SECS)
    run.scalar("height", 2.0, 1)
    return {"loss": run.hparams["units"] * run.hparams["rate"] + run.seed / 2**31}


EXPERIMENT = lab.Experiment(
    name="short",
    hparams=[
        HParam("units", Discrete([1, 2, 3, 4, 5, 6])),
        lab.Axis(HParam("rate", RealInterval(0.1, 1.0)), grid_points=10),
    ],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
