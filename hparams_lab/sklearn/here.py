"""Launching an experiment that is in memory only, in this very process."""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from hparams_lab.declare.experiment import Experiment
from hparams_lab.executors.inline import InlineExecutor
from hparams_lab.remote.opened import opened
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.launch import launch_loaded
from hparams_lab.sweeps.listeners import Listeners
from hparams_lab.sweeps.options import LaunchOptions


def launch_here(
    experiment: Experiment,
    logdir: str | PathLike[str] | None,
    listeners: Listeners,
    **options: Any,
) -> None:
    """Launch a sweep; the caller's global generators are as they were afterwards.

    Args:
        experiment: to launch; it has no data of its own.
        logdir: where; None: in a temporary folder, which is removed.
        listeners: are called as it goes; what they raise ends the sweep.
        **options: further ones of `LaunchOptions`.

    Raises:
        HParamsLabError: as `launch`.
        KeyboardInterrupt: as `launch`.
    """
    executor = InlineExecutor(lambda: worker.Loaded(experiment, None), worker.execute)
    with _open(logdir) as folder, _kept_generators(), executor:
        launch_loaded(
            experiment,
            LaunchOptions(logdir=folder, executor="inline", command=tuple(sys.argv), **options),
            executor,
            listeners,
        )


@contextlib.contextmanager
def _open(logdir: str | PathLike[str] | None) -> Iterator[Path]:
    if logdir is not None:
        with opened(logdir, writes=True) as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="hparams_lab-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def _kept_generators() -> Iterator[None]:
    """Give Python's and NumPy's generators back as they were; each run seeds them."""
    states = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
