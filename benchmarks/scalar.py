"""What one scalar costs, beside `tf.summary.scalar`, in microseconds.

The two take turns in one process. Ours is on disk when the call returns; theirs is in
a buffer.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.layout import RunDir

NUM_ROUNDS = 9
NUM_SCALARS = 2_000


def _time(write: Callable[[int], object]) -> float:
    began = time.perf_counter()
    for step in range(NUM_SCALARS):
        write(step)
    return 1e6 * (time.perf_counter() - began) / NUM_SCALARS


def main() -> None:
    """Measure and print one line a writer."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        ours = RunWriter.create(RunDir(Path(folder) / "ours"))
        theirs = tf.summary.create_file_writer(str(Path(folder) / "theirs"))
        times: dict[str, list[float]] = {"hparams_lab": [], "tf.summary.scalar": []}
        with theirs.as_default():
            for _ in range(NUM_ROUNDS):
                times["hparams_lab"].append(_time(lambda step: ours.write_scalar("a", 0.5, step)))
                times["tf.summary.scalar"].append(
                    _time(lambda step: tf.summary.scalar("a", 0.5, step))
                )
        ours.close()
    for name, values in times.items():
        print(
            f"scalar, {name}: median {statistics.median(values):.1f} us "
            f"(min {min(values):.1f}, max {max(values):.1f}, {NUM_ROUNDS} x {NUM_SCALARS})"
        )


if __name__ == "__main__":
    main()
