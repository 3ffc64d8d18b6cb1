"""How high is the hill, and where? Two axes, folds, curves, and values that misbehave."""

import os
import threading

import numpy as np
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric, RealInterval

import hparams_lab as lab

HP_UNITS = HParam("units", Discrete([8, 16, 32]))
HP_RATE = HParam("rate", RealInterval(0.01, 1.0))
HP_KIND = HParam("kind", Discrete(["good", "bad"]))
HP_FATE = HParam("fate", Discrete(["none", "raise", "exit", "hang"]))

SCALE = 1.0


def load_data() -> tuple[np.ndarray, np.ndarray]:
    """Return forty rows."""
    x = np.arange(40.0)
    return x, (x > 19).astype(int)


def train(run: lab.Run) -> dict[str, float]:
    """Climb for five steps."""
    fate = run.hparams.get(HP_FATE.name, "none")
    if fate == "raise":
        raise ValueError("this point was asked to fail")
    if fate == "exit":
        os._exit(3)
    if fate == "hang":
        threading.Event().wait()
    _, _, x_val, _ = run.split(*run.data)
    noise = np.random.default_rng(run.seed).normal(scale=0.02)
    base = SCALE * (run.hparams[HP_UNITS] / 32) * run.hparams[HP_RATE] ** 0.1
    base -= 0.2 * (run.hparams[HP_KIND] == "bad")
    for step in range(5):
        height = base * (step + 1) / 5 + noise
        run.scalar("height/curve", height, step)
        run.report(height, step)
    return {"height": height, "loss": 1.0 - height, "rows": float(len(x_val))}


EXPERIMENT = lab.Experiment(
    name="hill",
    hparams=[
        HP_UNITS,
        lab.Axis(HP_RATE, scale="log", grid_points=3),
        HP_KIND,
        HP_FATE,
    ],
    metrics=[
        Metric("height", display_name="Height"),
        Metric("loss", description="what is missing"),
        Metric("rows"),
    ],
    objective=lab.maximize("height"),
    load_data=load_data,
    train=train,
    description="A hill, as version 0.1 logged it.",
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
