"""A sweep's intent, kept in its `sweep.json`: what was to be run, how, and by what code.

It holds no results: those are in the event files alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import metric as metrics_of
from hparams_lab.declare.objective import Goal, Objective, Reduction
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import LogdirError
from hparams_lab.runs.logdir import ExperimentDir, SweepDir
from hparams_lab.runs.provenance import Provenance

# Raised when an older reader would misread the file. A field that is added needs a
# default here, so that what is logged stays readable, and does not raise it.
_FORMAT = 1


@dataclass(frozen=True)
class Sweep:
    """One launch of a search over an experiment.

    Attributes:
        experiment: name.
        id: local start time, to the second; the directory's name.
        started: the same time with its offset, ISO 8601.
        source: where the experiment was loaded from: a path, or a dotted module.
        description: the experiment's, Markdown.
        space: as searched, narrowed by `--set`.
        metrics: in declared order.
        objective: by which trials are ranked.
        strategy: name.
        max_trials: how many trials there are to be, None if open.
        seed: of the sweep.
        executor: name.
        workers: runs at a time.
        provenance: command, code, versions, machine.
    """

    experiment: str
    id: str
    started: str
    source: str
    description: str
    space: SearchSpace
    metrics: Sequence[Metric]
    objective: Objective
    strategy: str
    max_trials: int | None
    seed: int
    executor: str
    workers: int
    provenance: Provenance

    @property
    def day(self) -> str:
        """The local date it started on: `2026-11-21`."""
        return self.id[:10]

    @property
    def metric_keys(self) -> tuple[str, ...]:
        """The keys of the metrics, in declared order."""
        return tuple(metrics_of.key_of(metric) for metric in self.metrics)

    def write(self, sweep_dir: SweepDir) -> None:
        """Write `sweep.json`, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        aside = sweep_dir.sweep_file.with_suffix(".tmp")
        aside.write_text(json.dumps(self._encode_json(), indent=1) + "\n", encoding="utf-8")
        aside.replace(sweep_dir.sweep_file)

    @staticmethod
    def read(sweep_dir: SweepDir) -> Sweep:
        """Return the sweep of a directory.

        Raises:
            LogdirError: if it has no readable `sweep.json`.
        """
        try:
            data = json.loads(sweep_dir.sweep_file.read_text(encoding="utf-8"))
            if data["format"] != _FORMAT:
                raise ValueError(f"its format is {data['format']}, not {_FORMAT}")
            return _decode_json(data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LogdirError(
                f"{sweep_dir.sweep_file} does not describe a sweep: {error!r}. Move its directory "
                "out of the log directory."
            ) from error

    def _encode_json(self) -> dict[str, Any]:
        objective = self.objective
        return {
            "format": _FORMAT,
            "experiment": self.experiment,
            "id": self.id,
            "started": self.started,
            "source": self.source,
            "description": self.description,
            "space": self.space.encode_json(),
            "metrics": [metrics_of.encode_json(metric) for metric in self.metrics],
            "objective": {
                "metric": objective.metric,
                "goal": objective.goal.value,
                "reduction": objective.reduction.value,
            },
            "strategy": self.strategy,
            "max_trials": self.max_trials,
            "seed": self.seed,
            "executor": self.executor,
            "workers": self.workers,
            "provenance": self.provenance.encode_json(),
        }


def _decode_json(data: dict[str, Any]) -> Sweep:
    objective = data["objective"]
    known = {field.name for field in fields(Sweep)}  # a newer version may have written more
    return Sweep(
        **{key: value for key, value in data.items() if key in known}
        | {
            "space": SearchSpace.decode_json(data["space"]),
            "metrics": tuple(metrics_of.decode_json(metric) for metric in data["metrics"]),
            "objective": Objective(
                objective["metric"], Goal(objective["goal"]), Reduction(objective["reduction"])
            ),
            "provenance": Provenance.decode_json(data["provenance"]),
        }
    )


def read_sweeps(experiment_dir: ExperimentDir) -> list[Sweep]:
    """Return the sweeps of an experiment, oldest first.

    Raises:
        LogdirError: if one is unreadable.
    """
    return [Sweep.read(sweep) for sweep in experiment_dir.find_sweeps()]
