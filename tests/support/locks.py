"""A sweep that another process holds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hparams_lab.logdir.layout import SweepDir

_PROGRAM = """
import sys
from pathlib import Path
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.logdir.layout import SweepDir
with sweep_lock(SweepDir(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_holds(sweep_dir: SweepDir) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold a sweep's lock until it is killed."""
    words = [sys.executable, "-c", _PROGRAM, str(sweep_dir.path)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()
