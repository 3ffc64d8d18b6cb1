"""The flags that say how the runs of a sweep are executed."""

from __future__ import annotations

import sys
from typing import Any

from absl import flags

from hparams_lab.cli.flags.formats import define_format
from hparams_lab.sweeps.options import EXECUTORS


def define_execution(values: flags.FlagValues) -> None:
    """Add the flags that say how runs are executed, save for what a resumed sweep knows."""
    flags.DEFINE_integer(
        "trials", None, "run at most so many trials, those done included", flag_values=values
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "runs at a time (default: one a usable processor; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "executor",
        None,
        f"where to run: {', '.join(EXECUTORS)} (default process; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_float(
        "run_timeout_secs", None, "stop a run that takes longer, as a failure", flag_values=values
    )
    flags.DEFINE_float(
        "memory_limit_mb",
        None,
        "kill a run that has more resident memory, with all that it starts",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "retries",
        None,
        "try a run that crashed or timed out so often again (default 0; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "runs_per_process",
        None,
        "keep a process for so many runs (default 1; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "runs_per_gpu",
        None,
        "let so many runs share a GPU (default 1; resume: as before)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "ray_address", None, "of the Ray cluster (default: as Ray finds it)", flag_values=values
    )
    flags.DEFINE_float(
        "cpus_per_run", None, "of the Ray cluster, for each run (default 1)", flag_values=values
    )
    flags.DEFINE_float(
        "gpus_per_run", None, "of the Ray cluster, for each run (default 0)", flag_values=values
    )
    flags.DEFINE_float(
        "time_budget_secs", None, "begin no more runs after so long", flag_values=values
    )
    flags.DEFINE_integer(
        "max_failures",
        None,
        "begin no more runs after so many failures in a row",
        flag_values=values,
    )
    define_format(values)


def execution_of(values: flags.FlagValues) -> dict[str, Any]:
    """Return the fields of `ExecutionOptions` that the flags give."""
    return {
        "max_trials": values.trials,
        "executor": values.executor,
        "num_workers": values.workers,
        "run_timeout_secs": values.run_timeout_secs,
        "memory_limit_mb": values.memory_limit_mb,
        "retries": values.retries,
        "runs_per_process": values.runs_per_process,
        "runs_per_gpu": values.runs_per_gpu,
        "ray_address": values.ray_address,
        "cpus_per_run": values.cpus_per_run,
        "gpus_per_run": values.gpus_per_run,
        "time_budget_secs": values.time_budget_secs,
        "max_failures": values.max_failures,
        "command": tuple(sys.argv),
    }
