"""Options that several executors have."""

from __future__ import annotations

from dataclasses import dataclass

from hparams_lab.catalog.option import Options, option

_STOPPABLE = "processes that can be stopped"
_OWN = "processes of their own"


@dataclass(frozen=True, kw_only=True)
class JobOptions(Options):
    """Options of executors whose jobs have processes of their own."""

    run_timeout_secs: float | None = option(
        "stop a run that takes longer, as a failure",
        above=0,
        unit="seconds",
        needs=_STOPPABLE,
        label="time limit of a run, secs",
    )
    # resident memory that a run and what it starts may have together, in units of 2**20 bytes;
    # None: any
    memory_limit_mb: float | None = option(
        "kill a run that has more resident memory, with all that it starts",
        above=0,
        unit="megabytes",
        needs=_STOPPABLE,
        label="memory limit of a run, MB",
    )
    # how often a run is tried again that crashed or timed out; None: never. The sweep does
    # that, whatever the executor.
    retries: int | None = option(
        "try a run that crashed or timed out so often again",
        at_least=0,
        unset=0,
        needs=_OWN,
        label="retries of a run",
    )
    runs_per_process: int | None = option(
        "keep a process for so many runs", at_least=1, unset=1, needs=_OWN
    )
