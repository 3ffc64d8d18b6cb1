"""Does one run that misbehaves leave the others alone? A value of the axis for each way."""

import ctypes
import math
import os
import shutil
import signal
import sys

from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

import hparams_lab as lab

FINE = {"loss": 0.5}


class UnpicklableError(Exception):
    """Has arguments that cannot be sent to another process."""


def raise_unpicklable() -> None:
    raise UnpicklableError(lambda: None, sys.stdout)


def raise_undecodable() -> None:
    name = os.fsdecode(b"no UTF-8: \xff")
    raise ValueError(f"no column in {name}")


def print_megabytes() -> None:
    for _ in range(20):
        sys.stdout.write("x" * (1 << 20))
    raise ValueError("printed 20 MB and failed")


def write_into_every_fd() -> None:
    for fd in range(3, 64):
        try:
            os.write(fd, b"garbage")
        except OSError:
            continue
    os.kill(os.getpid(), signal.SIGKILL)


def close_streams() -> dict[str, float]:
    sys.stdout.close()
    sys.stderr.close()
    raise ValueError("said in silence")


# Given the run's own folder.
BEHAVIOURS = {
    "fine_1": lambda folder: FINE,
    "fine_2": lambda folder: FINE,
    "killed": lambda folder: os.kill(os.getpid(), signal.SIGKILL),
    "group_killed": lambda folder: os.killpg(0, signal.SIGKILL),
    "os_exit": lambda folder: os._exit(3),
    "os_exit_0": lambda folder: os._exit(0),
    "sys_exit": lambda folder: sys.exit(4),
    "segfault": lambda folder: ctypes.string_at(0),
    "interrupted": lambda folder: signal.raise_signal(signal.SIGINT),
    "unpicklable": lambda folder: raise_unpicklable(),
    "undecodable": lambda folder: raise_undecodable(),
    "megabytes": lambda folder: print_megabytes(),
    "streams_closed": lambda folder: close_streams(),
    "garbage": lambda folder: write_into_every_fd(),
    "nan": lambda folder: {"loss": math.nan},
    "unknown": lambda folder: {**FINE, "lost": 1.0},
    "forgotten": lambda folder: {},
    "text": lambda folder: {"loss": "low"},
    "folder_removed": lambda folder: shutil.rmtree(folder),
}


def train(run: lab.Run) -> dict[str, float]:
    """Log a point, then behave as the run's hparam says."""
    run.scalar("height", 1.0, 0)
    return BEHAVIOURS[run.hparams["behaviour"]](run.dir)


EXPERIMENT = lab.Experiment(
    name="misbehaving",
    hparams=[HParam("behaviour", Discrete(list(BEHAVIOURS)))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
