"""Whole sweeps beside the hand-written loop of the HParams tutorial, everything included.

`python benchmarks/sweeps.py mnist|breast_cancer ROUNDS [FLAGS...]`: whole processes, in
turn; flags go to `hparams_lab run`. `mnist` needs HPARAMS_LAB_MNIST. The loop of
`breast_cancer` takes a quarter of an hour.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(name: str, num_rounds: int, flags: list[str]) -> None:
    """Measure and print a line for each program, and how many times faster ours is."""
    peer = [sys.executable, str(ROOT / "benchmarks" / "peers" / f"{name}_loop.py")]
    if name == "mnist":
        peer.append(os.environ["HPARAMS_LAB_MNIST"])
    program = [sys.executable, "-m", "hparams_lab", "run", str(ROOT / "experiments" / f"{name}.py")]
    secs: dict[str, list[float]] = {"ours": [], "loop": []}
    for _ in range(num_rounds):
        with tempfile.TemporaryDirectory() as folder:
            ours = [*program, "--workers=2", f"--logdir={folder}/ours", *flags]
            secs["ours"].append(time_program(ours, is_ours=True))
            secs["loop"].append(time_program([*peer, f"{folder}/loop"], is_ours=False))
    for which, times in secs.items():
        shown = " ".join(f"{one:.1f}" for one in times)
        print(f"{name}, {which}: median {statistics.median(times):.1f} s of {shown}")
    ratio = statistics.median(secs["loop"]) / statistics.median(secs["ours"])
    print(f"{name}: {ratio:.1f} x")


def time_program(words: list[str], *, is_ours: bool) -> float:
    """Return how long a program takes, in seconds, having printed its best accuracy."""
    began = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    secs = time.perf_counter() - began
    lines = done.stdout.splitlines()
    table = next((i for i, line in enumerate(lines) if line.startswith("trial ")), 0)
    print(f"{secs:7.1f} s  {lines[table + 1 if is_ours else -1].strip()}", flush=True)
    return secs


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
