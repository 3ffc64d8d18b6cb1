"""The real program as processes of several machines, each with a mirror of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

UPLOAD_SECS = 1.0
TIMEOUT_SECS = 90

# Each run waits until a file of its number is there, or of an earlier run that says all.
STEPS = '''"""Does it go on?"""
import time
from pathlib import Path
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric
import hparams_lab as lab

def train(run):
    x = int(run.hparams["x"])
    run.scalar("begun", 1.0, 0)
    gates = Path(__file__).parent
    (gates / f"begun-{x}").touch()
    while not ((gates / f"go-{x}").exists() or (gates / "go-all").exists()):
        time.sleep(0.02)
    return {"loss": float(x)}

EXPERIMENT = lab.Experiment(
    name="steps",
    hparams=[HParam("x", Discrete([0, 1, 2, 3]))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
'''


@dataclass(frozen=True)
class Machine:
    """A machine: what it runs finds its own mirror alone.

    Attributes:
        folder: of its caches.
        experiments: the working directory of all machines, with an experiment `steps`.
        url: of the log directory.
        environment: by which the store is found.
    """

    folder: Path
    experiments: Path
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the program in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "hparams_lab", *words, f"--logdir={self.url}"],
            cwd=self.experiments,
            env={**os.environ, **self.environment, "HPARAMS_LAB_CACHE_DIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end."""
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=TIMEOUT_SECS)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@dataclass(frozen=True)
class Gates:
    """What runs of `steps` wait for.

    Attributes:
        folder: of the experiment's module.
    """

    folder: Path

    def open_all(self) -> None:
        """Let all runs end."""
        (self.folder / "go-all").touch()

    def open(self, x: int) -> None:
        """Let one run end."""
        (self.folder / f"go-{x}").touch()

    def has_begun(self, x: int) -> bool:
        """Return whether a run has."""
        return (self.folder / f"begun-{x}").exists()


def make_machines(folder: Path, url: str, environment: Mapping[str, str]) -> Iterator[Machine]:
    """Yield machines that share an experiment and a store, and no disk."""
    experiments = folder / "experiments"
    experiments.mkdir()
    (experiments / "steps.py").write_text(STEPS)
    told = {**environment, "HPARAMS_LAB_UPLOAD_SECS": str(UPLOAD_SECS)}
    for name in ("first", "second", "third"):
        yield Machine(folder / name, folder, url, told)
