"""Writers that are killed at a random moment, several dozen of them: a program.

Its words are a sweep's directory, the number of writers, and a seed.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from pathlib import Path

from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import make_spec

MAX_LIFE_SECS = 0.01  # in which a writer comes to some hundred points


def write_for_ever(spec: RunSpec, begun: int) -> None:
    """Write points whose value and step are their number, once it is said that there is a file."""
    with RunWriter.create(spec.dir) as writer:
        os.write(begun, b".")
        writer.write_start(spec)
        for number in itertools.count():
            writer.write_scalar("loss", number, number)


def kill_one(spec: RunSpec, life_secs: float) -> None:
    """Begin a writer and kill it after so long."""
    reader, begun = os.pipe()
    if (pid := os.fork()) == 0:
        write_for_ever(spec, begun)
    os.read(reader, 1)
    time.sleep(life_secs)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reader)
    os.close(begun)


def main(folder: str, num_writers: str, seed: str) -> None:
    """Kill one writer after another."""
    draw = random.Random(int(seed))
    for index in range(int(num_writers)):
        spec = make_spec(SweepDir(Path(folder)), {"units": 8, "rate": 0.25}, index=index)
        kill_one(spec, draw.uniform(0.0, MAX_LIFE_SECS))


if __name__ == "__main__":
    main(*sys.argv[1:])
