"""What becomes of a sweep whose storage fails? Runs that fill it, remove it or lock it."""

import os
import resource
import shutil
import time

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

import hparams_lab as lab

NUM_POINTS = 2000
WAIT_SECS = 60.0  # longer than any test waits

# Where it is given, importing this leaves a file: whoever refuses early does not come to it.
if marker := os.environ.get("STORING_WAS_LOADED"):
    open(marker, "w").close()


def train(run: lab.Run) -> dict[str, float]:
    """Log many points, then do what the hparam says."""
    act = run.hparams["act"]
    for step in range(NUM_POINTS if act == "logs" else 1):
        try:
            run.scalar("loss", 1.0 / (step + 1), step)
        except OSError:
            if not run.hparams["swallows"]:
                raise
    sweep_dir = run.dir.parent.parent
    if act == "limits_itself":  # and nobody else
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        run.scalar("loss", 0.5, 1)
    if act == "waits":
        time.sleep(WAIT_SECS)
    if act == "removes_sweep":
        shutil.rmtree(sweep_dir)
    if act == "moves_sweep":
        sweep_dir.rename(sweep_dir.with_name("elsewhere"))
    if act == "locks_sweep":
        sweep_dir.chmod(0o555)
    if act == "own_file_missing":
        (run.dir / "no such folder" / "file").write_text("text")
    if act == "own_disk_full":
        with open("/dev/full", "w") as full:
            full.write("text")
    return {"loss": 0.5}


ACTS = [
    *("logs", "waits", "removes_sweep", "moves_sweep", "locks_sweep"),
    *("limits_itself", "own_file_missing", "own_disk_full", "fine"),
]
EXPERIMENT = lab.Experiment(
    name="storing",
    hparams=[
        HParam("act", Discrete(ACTS)),
        HParam("turn", Discrete([1, 2, 3, 4])),
        HParam("swallows", Discrete([False, True])),
    ],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
