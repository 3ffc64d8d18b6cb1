"""What starting costs, in turn with another checkout of this repository.

    python benchmarks/startup.py ../before        # say, a worktree of the commit before

Prints the medians and ranges, in seconds, of importing the package, of `hparams_lab --help`,
and of what the fork server imports before TensorFlow; each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parents[1]

SERVERS = ("executors.process.server", "executors.server")  # today's place, and the first one's

# The interpreter's own start is not ours to spend: what is timed begins after it.
IMPORT = "import time; b = time.perf_counter(); import {}; print(time.perf_counter() - b)"


def time_import(checkout: Path, module: str) -> float:
    """Return how long importing a module takes in a new process."""
    words = [sys.executable, "-c", IMPORT.format(module)]
    return float(subprocess.check_output(words, env=variables(checkout), cwd=checkout))


def time_help(checkout: Path) -> float:
    """Return how long the whole process of `hparams_lab --help` takes."""
    words = [sys.executable, "-m", "hparams_lab", "--help"]
    began = time.perf_counter()
    subprocess.run(words, env=variables(checkout), cwd=checkout, check=True, capture_output=True)
    return time.perf_counter() - began


def time_server(checkout: Path) -> float:
    """Return how long importing the fork server's module takes."""
    files = {name: checkout / "hparams_lab" / f"{name.replace('.', '/')}.py" for name in SERVERS}
    name = next(name for name, file in files.items() if file.exists())
    return time_import(checkout, f"hparams_lab.{name}")


def variables(checkout: Path) -> dict[str, str]:
    """Return the environment in which a checkout is imported."""
    return {**os.environ, "PYTHONPATH": str(checkout)}


TIMED = {
    "import hparams_lab": lambda checkout: time_import(checkout, "hparams_lab"),
    "hparams_lab --help": time_help,
    "import the fork server": time_server,
}


def main() -> None:
    """Time both, in turn, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    checkouts = {"this": HERE, "other": arguments.other.absolute()}
    for name, measure in TIMED.items():
        secs: dict[str, list[float]] = {which: [] for which in checkouts}
        for _ in range(arguments.rounds + 1):
            for which, checkout in checkouts.items():
                secs[which].append(measure(checkout))
        for which, values in secs.items():
            kept = values[1:]  # the first fills the caches of bytecode
            middle = statistics.median(kept)
            print(f"{name}, {which}: {middle:.3f} ({min(kept):.3f} to {max(kept):.3f})")


if __name__ == "__main__":
    main()
