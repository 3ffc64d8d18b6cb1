"""Does every run have a true end when somebody stops it? Runs that wait, in some manner."""

import os
import signal
import time

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

import hparams_lab as lab

WAIT_SECS = 60.0  # longer than any test waits
BRIEF_SECS = 0.2  # times the turn, so that no two runs end at the same time
CLEANING_SECS = 1.0


def train(run: lab.Run) -> dict[str, float]:
    """Leave files named for this process and its parent, then wait; clean up at the end."""
    for pid in (os.getpid(), os.getppid()):
        (run.dir / f"process-{pid}").touch()
    run.scalar("height", 1.0, 0)
    manner = run.hparams["manner"]
    if manner == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    (run.dir / "waits").touch()
    try:
        time.sleep(BRIEF_SECS * run.hparams["turn"] if manner == "brief" else WAIT_SECS)
    finally:
        if manner == "cleans_slowly":
            time.sleep(CLEANING_SECS)
        (run.dir / "cleaned").touch()
    return {"loss": 0.5}


EXPERIMENT = lab.Experiment(
    name="waiting",
    hparams=[
        HParam("manner", Discrete(["brief", "cleans", "cleans_slowly", "deaf"])),
        HParam("turn", Discrete([1, 2, 3, 4])),
    ],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
