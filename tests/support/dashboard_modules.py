"""Experiment modules that the dashboard is tested with, as text."""

# Seven hparams, of which five are swept; train returns other values than it logs.
SEVEN = """
    def train(run):
        for epoch in range(3):
            run.scalar("accuracy", 0.25 * epoch, epoch)
        return {"loss": run.hparams["zeta"], "accuracy": run.hparams["alpha"]}

    EXPERIMENT = lab.Experiment(
        name="seven",
        hparams=[
            HParam("zeta", Discrete([1, 2])),
            HParam("mu", Discrete(["a", "b"])),
            HParam("kappa", Discrete([False, True])),
            lab.Axis(HParam("beta", RealInterval(0.0, 1.0)), grid=[0.5]),
            HParam("alpha", Discrete([5])),
            HParam("omega", IntInterval(1, 2)),
            HParam("nu", RealInterval(0.1, 0.2)),
        ],
        metrics=[Metric("loss"), Metric("accuracy", display_name="Accuracy")],
        objective=lab.maximize("accuracy"),
        train=train,
    )
"""
