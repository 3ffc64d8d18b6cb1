"""What thousands of tiny runs leave in the memory of the processes that last.

`python -m benchmarks.soak [NUM_RUNS] [--trace]`: a line a look for the runner and each
process that lasts as long as the sweep. With `--trace`, which is slow, also the lines of
code that hold what the runner has kept since run 500.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from tests.support.soak import soak

NUM_TOP = 12


def main(num_runs: int, *, traced: bool) -> None:
    """Soak, once with processes that are kept and once with fresh ones, and print."""
    for runs_per_process in (50, 1):
        with tempfile.TemporaryDirectory() as folder:
            print_soak(Path(folder), num_runs, runs_per_process, traced=traced)


def print_soak(folder: Path, num_runs: int, runs_per_process: int, *, traced: bool) -> None:
    """Soak once and print."""
    snapshots: list[tracemalloc.Snapshot] = []
    if traced:
        tracemalloc.start()
    began = time.perf_counter()
    looks = soak(
        folder,
        num_runs,
        [500, num_runs // 2, num_runs],
        on_look=lambda: snapshots.append(tracemalloc.take_snapshot()) if traced else None,
        workers=2,
        runs_per_process=runs_per_process,
    )
    secs = time.perf_counter() - began
    print(f"{num_runs} runs, --runs_per_process={runs_per_process}, {secs:.0f} s")
    for look in looks:
        told = "; ".join(
            f"{each.rss_mb:.1f} MB, {each.num_fds} files, {each.num_threads} threads"
            for each in look.usages
        )
        print(f"  run {look.num_runs}: {told}; {look.num_processes} processes below")
    if traced:
        tracemalloc.stop()
        for line in snapshots[-1].compare_to(snapshots[0], "lineno")[:NUM_TOP]:
            print(f"  {line}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word != "--trace"]
    main(*numbers or [5_000], traced="--trace" in sys.argv)
