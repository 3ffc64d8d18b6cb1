"""The processors that runs may use, and how they are divided among workers."""

from __future__ import annotations

import os

# Read by OpenBLAS, MKL and OpenMP as they load, by TensorFlow as its runtime starts
# (tensorflow/core/common_runtime/process_util.cc).
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def count_usable_cpus() -> int:
    """Return how many processors this process may use, at least 1.

    That is the least of the affinity mask, the cgroup's quota and the machine's count.
    """
    # A dependency of scikit-learn that knows every kind of limit; only sweeps need it.
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def limit_threads(num_workers: int) -> dict[str, str]:
    """Return the environment of one of `num_workers` workers, save what the user has set."""
    threads = str(max(1, count_usable_cpus() // num_workers))
    return {name: threads for name in THREAD_VARIABLES if name not in os.environ}
