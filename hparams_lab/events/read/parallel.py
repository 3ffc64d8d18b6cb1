"""Scanning many runs on several processors.

The others are processes of their own that are told over pipes what to read: nothing is
forked, so it is safe in a program with threads, and the caller's module is not imported
again.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence

from hparams_lab.events.read.scan import Scan, scan_files

# A process takes a quarter of a second to begin with, in which one reads 1,500 runs.
_RUNS_PER_PROCESS = 3_000


def scan_all(runs: Sequence[Sequence[str]]) -> list[Scan]:
    """Return the scan of each run.

    Args:
        runs: paths of the event files of each, in order.
    """
    num_processes = _choose(len(runs))
    if num_processes == 1:
        return [scan_files(paths) for paths in runs]
    own, *others = (runs[start::num_processes] for start in range(num_processes))
    processes = [_start(share) for share in others]
    shares = [[scan_files(paths) for paths in own]]
    shares += [_collect(process, share) for process, share in zip(processes, others, strict=True)]
    scans: list[Scan | None] = [None] * len(runs)
    for start, share in enumerate(shares):
        scans[start::num_processes] = share
    return [scan for scan in scans if scan is not None]


def _choose(num_runs: int) -> int:
    """Return how many processes pay."""
    if num_runs < 2 * _RUNS_PER_PROCESS:
        return 1
    from joblib import cpu_count

    num_cpus: int = cpu_count()
    return max(1, min(num_cpus, num_runs // _RUNS_PER_PROCESS))


def _start(runs: Sequence[Sequence[str]]) -> subprocess.Popen[bytes]:
    # Not -m, which would run a second copy of this module and say so.
    # Nor with a path of its own: -c looks in the working directory, where any json.py may lie.
    start = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import serve; serve()"
    words = [sys.executable, "-c", start]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    # It reads all before it writes any. If it dies over it, `_collect` sees that.
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(json.dumps(runs).encode())
    return process


def _collect(process: subprocess.Popen[bytes], runs: Sequence[Sequence[str]]) -> list[Scan]:
    """Return what a process has read; what it did not come to is read here."""
    assert process.stdout is not None
    with process:
        content = process.stdout.read()
    if process.returncode == 0:
        return [Scan.decode_json(data) for data in json.loads(content)]
    return [scan_files(paths) for paths in runs]


def serve() -> None:
    """Read what standard input names and write what it comes to: the other side of `scan_all`."""
    runs = json.load(sys.stdin)
    json.dump([scan_files(paths).encode_json() for paths in runs], sys.stdout)
