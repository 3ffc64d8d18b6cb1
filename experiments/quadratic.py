"""Where is the bottom of a bowl? No TensorFlow: the whole sweep takes two seconds.

Expected: x = 1, y = -2 and the round bowl give loss 0. A run costs a millisecond.
"""

import numpy as np
from tensorboard.plugins.hparams import summary_v2 as hp  # `api` without TensorFlow

import hparams_lab as lab

HP_X = hp.HParam("x", hp.RealInterval(-1.0, 3.0), description="first coordinate")
HP_Y = hp.HParam("y", hp.RealInterval(-3.0, -1.0), description="second coordinate")
HP_SHAPE = hp.HParam(
    "shape", hp.Discrete(["round", "steep"]), description="how steep it is along y"
)

METRIC_LOSS = hp.Metric("loss", display_name="Height above the bottom")
METRIC_NOISY = hp.Metric("noisy_loss", display_name="The same, measured badly")

NUM_STEPS = 20  # enough for a curve to look at


def train(run: lab.Run) -> dict[hp.Metric, float]:
    """Walk from the origin to the run's point and measure the height there."""
    rng = np.random.default_rng(run.seed)
    steepness = 10.0 if run.hparams[HP_SHAPE] == "steep" else 1.0
    loss = 0.0
    for step in range(NUM_STEPS):
        share = (step + 1) / NUM_STEPS
        x, y = share * run.hparams[HP_X], share * run.hparams[HP_Y]
        loss = (x - 1.0) ** 2 + steepness * (y + 2.0) ** 2
        run.scalar("height", loss, step)
    return {METRIC_LOSS: loss, METRIC_NOISY: loss + rng.normal(scale=0.1)}


EXPERIMENT = lab.Experiment(
    name="quadratic",
    hparams=[lab.Axis(HP_X, grid_points=3), lab.Axis(HP_Y, step=1.0), HP_SHAPE],
    metrics=[METRIC_LOSS, METRIC_NOISY],
    objective=lab.minimize(METRIC_LOSS),
    train=train,
)

if __name__ == "__main__":
    lab.main(EXPERIMENT)
