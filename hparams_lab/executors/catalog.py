"""The executors by the name that `--executor` takes."""

from __future__ import annotations

from hparams_lab.catalog.registry import Registry
from hparams_lab.executors.base import ExecutorSpec

DEFAULT_EXECUTOR = "process"

EXECUTORS = Registry(
    "executor",
    "executor",
    ExecutorSpec,
    group="hparams_lab.executors",
    builtin={
        "process": "hparams_lab.executors.process.executor:PROCESS",
        "inline": "hparams_lab.executors.inline:INLINE",
        "ray": "hparams_lab.executors.ray.executor:RAY",
    },
)
