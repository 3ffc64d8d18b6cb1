"""`hparams_lab new`: write a starter experiment."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from absl import flags

from hparams_lab.cli.output.tables import make_console
from hparams_lab.declare.source import EXPERIMENTS_DIR
from hparams_lab.errors import UsageError

_NAME = re.compile(r"[A-Za-z]\w*")

_STARTER = '''"""What do you want to know? `hparams_lab list` shows this line."""

import numpy as np
from tensorboard.plugins.hparams import summary_v2 as hp  # `api` without TensorFlow

import hparams_lab as lab

HP_LEARNING_RATE = hp.HParam("learning_rate", hp.RealInterval(1e-3, 1.0))
HP_MOMENTUM = hp.HParam("momentum", hp.Discrete([0.0, 0.5, 0.9]))

METRIC_LOSS = hp.Metric("loss", display_name="Final loss")


def train(run):
    """Descend a noisy valley; replace this by your own training."""
    rng = np.random.default_rng(run.seed)
    learning_rate, momentum = run.hparams[HP_LEARNING_RATE], run.hparams[HP_MOMENTUM]
    position = np.array([2.0, -3.0])
    velocity = np.zeros(2)
    for step in range(50):
        slope = position * [1.0, 4.0] + rng.normal(scale=0.01, size=2)
        velocity = momentum * velocity - learning_rate * slope
        position = np.clip(position + velocity, -100.0, 100.0)
        run.scalar(METRIC_LOSS, float(position @ position), step)
    return {METRIC_LOSS: float(position @ position)}


EXPERIMENT = lab.Experiment(
    name="{name}",
    hparams=[lab.Axis(HP_LEARNING_RATE, scale="log", grid_points=4), HP_MOMENTUM],
    metrics=[METRIC_LOSS],
    objective=lab.minimize(METRIC_LOSS),
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
'''


def define_flags(values: flags.FlagValues) -> None:
    """Define none: the name says all."""


def run(values: flags.FlagValues, words: list[str]) -> int:
    name = words[0]
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"an experiment's file needs a name of letters, digits and '_'; got {name!r}. "
            "Choose another."
        )
    if importlib.util.find_spec(name) is not None:
        raise UsageError(
            f"{name!r} is a module that Python can import, which the experiment would hide from "
            "those beside it. Choose another name."
        )
    path = Path(EXPERIMENTS_DIR) / f"{name}.py"
    if path.exists():
        raise UsageError(f"{path} is there already. Choose another name.")
    path.parent.mkdir(exist_ok=True)
    path.write_text(_STARTER.replace("{name}", name), encoding="utf-8")
    make_console().print(f"wrote {path}; next:\n  hparams_lab run {name}")
    return 0
