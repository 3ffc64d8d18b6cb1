"""Owners of executors, to be killed in whatever they do.

Each notes `daemon.pid` in the folder when it is where it is to be killed: a process that
has left its parents, of the setup or of the job that then hangs.
"""

import ctypes
import os
import time
from functools import partial
from pathlib import Path

from hparams_lab.executors.base import Job
from hparams_lab.executors.process.executor import ProcessExecutor
from hparams_lab.testing import processes
from tests.support import jobs


def hang_in_c(file: Path) -> None:
    """Sleep for a minute in C code that lets no other thread of Python run."""
    jobs.note_in(file, processes.start_daemon())
    ctypes.PyDLL(None).sleep(60)


def own(folder: Path, name: str) -> None:
    """Hold an executor in the state of that name: for a program that does nothing else."""
    file = folder / "daemon.pid"
    setups = {
        "loading": partial(processes.start_daemon_and_hang, file),
        "loading_in_c": partial(hang_in_c, file),
        "new_interpreter": partial(jobs.leave_thread, int),
        "new_interpreter_in_c": partial(jobs.leave_thread, int),
    }
    executor = ProcessExecutor(setups.get(name, int), processes.call, num_workers=1)
    executor.start()
    if name == "beside_a_fork" and os.fork() == 0:
        time.sleep(processes.SLEEP_SECS)
        os._exit(0)
    executor.ready()
    hang = hang_in_c if name.endswith("in_c") else processes.start_daemon_and_hang
    executor.submit(Job(0, (hang, file), folder / "output.log"))
    time.sleep(processes.SLEEP_SECS)
