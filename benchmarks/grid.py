"""What the size of a grid costs: ten points beside 10**9, in time and memory.

Each grid in a process of its own: from declaring the space to its first proposal, and
the peak memory of the process after a thousand proposals (or all).
"""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource, time
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval
from hparams_lab.declare.axis import Axis
from hparams_lab.declare.space import SearchSpace
from hparams_lab.search.grid import grid_search
began = time.perf_counter()
axes = [Axis(HParam(f"axis_{i}", IntInterval(0, 9)), step=1) for i in range(%d)]
search = grid_search(SearchSpace(axes))
search.propose()
first = 1e3 * (time.perf_counter() - began)
for _ in range(999):
    search.propose()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"grid of {search.max_trials:,} points: first proposal after {first:.2f} ms, ", end="")
print(f"peak {peak:.1f} MB")
"""


def main() -> None:
    """Measure and print one line a grid."""
    for num_axes in (1, 9):
        subprocess.run([sys.executable, "-c", PROGRAM % num_axes], check=True)


if __name__ == "__main__":
    main()
