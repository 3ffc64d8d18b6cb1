"""A long sweep of tiny runs, and what its processes take of the machine meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.options import LaunchOptions, make_options

_MODULE = '''"""Nothing."""
from tensorboard.plugins.hparams.summary_v2 import HParam, IntInterval, Metric
import hparams_lab as lab

EXPERIMENT = lab.Experiment(
    name="nothing",
    hparams=[lab.Axis(HParam("number", IntInterval(0, 10**6)), step=1)],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=lambda run: {"loss": 0.0},
)
'''

# A process is looked at after each of so many runs: at one moment it has more open than at
# another.
_WINDOW = 50


@dataclass(frozen=True)
class Usage:
    """The most that a process has had at a time.

    Attributes:
        rss_mb: resident memory, in units of 2**20 bytes.
        num_fds: open file descriptors.
        num_threads: of its own.
    """

    rss_mb: float
    num_fds: int
    num_threads: int


@dataclass(frozen=True)
class Look:
    """What a sweep's lasting processes had while a number of runs ended.

    Attributes:
        num_runs: that had ended.
        usages: of this process, then of those that last as long as the sweep, by age.
        num_processes: children and children's children of this one, at most.
    """

    num_runs: int
    usages: Sequence[Usage]
    num_processes: int


def soak(
    folder: Path,
    num_runs: int,
    looks_at: Sequence[int],
    *,
    on_look: Callable[[], None] = lambda: None,
    **options: object,
) -> list[Look]:
    """Run a sweep of runs that do nothing, and look at its processes now and then.

    Args:
        folder: takes the experiment and its log directory.
        num_runs: of the sweep.
        looks_at: how many runs are to have ended at the end of each look, ascending.
        on_look: called at the end of each.
        options: of `launch`.
    """
    module = folder / "nothing.py"
    module.write_text(_MODULE)
    me = psutil.Process()
    lasting = [me]
    samples: dict[int, list[tuple[list[Usage], int]]] = {end: [] for end in looks_at}
    ended = 0

    def on_result(result: RunResult) -> None:
        nonlocal ended
        ended += 1
        assert not result.outcome.reason
        for end, taken in samples.items():
            if end - _WINDOW < ended <= end:
                taken.append(([_measure(each) for each in lasting], len(me.children(True))))
        if ended in samples:
            on_look()

    def on_start(started: object) -> None:
        lasting.extend(me.children(recursive=True))  # no run has begun

    launch(
        ExperimentSource(module),
        make_options(LaunchOptions, logdir=folder / "logs", trials=num_runs, **options),  # type: ignore[arg-type]
        Listeners(on_start=on_start, on_result=on_result),
    )
    return [_sum_up(end, taken) for end, taken in samples.items()]


def _measure(process: psutil.Process) -> Usage:
    with process.oneshot():
        rss_mb = process.memory_info().rss / (1 << 20)
        return Usage(rss_mb, process.num_fds(), process.num_threads())


def _sum_up(num_runs: int, samples: Sequence[tuple[list[Usage], int]]) -> Look:
    by_process = zip(*(usages for usages, _ in samples), strict=True)
    most = [
        Usage(
            max(usage.rss_mb for usage in usages),
            min(usage.num_fds for usage in usages),  # what is open between two runs
            max(usage.num_threads for usage in usages),
        )
        for usages in by_process
    ]
    return Look(num_runs, most, min(number for _, number in samples))
