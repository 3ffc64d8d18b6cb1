"""A log directory that nothing is wrong with, ways to make it ill, and the doctor's word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

from hparams_lab.doctor.doctor import examine_experiment
from hparams_lab.doctor.finding import Fault
from hparams_lab.events import schema
from hparams_lab.events.schema import Status
from hparams_lab.events.write.config import write_config
from hparams_lab.events.write.writer import open_writer
from hparams_lab.logdir.layout import ExperimentDir, RunDir, SweepDir, experiment_dir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

LONG_AGO = 1_000_000_000.0
SCALARS = {"accuracy": [0.5, 0.6], "loss": [1.0, 0.5]}


def make_healthy(logdir: Path) -> ExperimentDir:
    """Write two sweeps of two complete runs, with their config."""
    home = experiment_dir(logdir, "toy")
    for sweep_id in (FRIDAY, SATURDAY):
        sweep_dir = add_sweep(home, make_sweep(sweep_id))
        for index, units in enumerate((8, 16)):
            write_run(make_spec(sweep_dir, {"units": units, "rate": 0.1}, index=index), SCALARS)
    write_config(home)
    return home


def first_run(home: ExperimentDir, sweep_id: str = FRIDAY) -> RunDir:
    """Return the first run of a sweep."""
    return next(home.find_sweep(sweep_id).find_run_dirs())


def write_session(
    folder: Path,
    hparams: dict[str, Any],
    *,
    group: str = "",
    scalars: dict[str, Sequence[tuple[int, float]]] | None = None,
    has_config: bool = False,
) -> None:
    """Write a run as `add_hparams` of PyTorch does: start, end and scalars, and its own config."""
    folder.mkdir(parents=True, exist_ok=True)
    start = plugin_data_pb2.SessionStartInfo(group_name=group, start_time_secs=LONG_AGO)
    for name, value in hparams.items():
        kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(start.hparams[name], kind, value)
    with open_writer(folder / "events.out.tfevents.1000000000.other", clock=lambda: LONG_AGO) as w:
        if has_config:
            infos = [api_pb2.HParamInfo(name=name) for name in hparams]
            experiment = api_pb2.Experiment(hparam_infos=infos)
            w.write_summary(
                encode(schema.CONFIG_TAG, plugin_data_pb2.HParamsPluginData(experiment=experiment))
            )
        w.write_summary(
            encode(schema.START_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start))
        )
        for tag, points in (scalars or {}).items():
            for step, value in points:
                w.write_scalar(tag, value, step)
        w.write_summary(schema.encode_end(Status.SUCCESS, LONG_AGO))


def encode(tag: str, data: plugin_data_pb2.HParamsPluginData) -> summary_pb2.Summary:
    """Return a summary of the HParams plugin, as any writer encodes it."""
    value = summary_pb2.Summary.Value(tag=tag, metadata=metadata.create_summary_metadata(data))
    value.tensor.CopyFrom(metadata.NULL_TENSOR)
    return summary_pb2.Summary(value=[value])


def kinds(home: ExperimentDir, *, file_limit: int | None = None) -> list[str]:
    """Return what the doctor finds in an experiment, in its order."""
    return [finding.kind for finding in examine_experiment(home, file_limit)]


def find(home: ExperimentDir, kind: str) -> Fault:
    """Return the one finding of a kind."""
    (found,) = [finding for finding in examine_experiment(home) if finding.kind == kind]
    return found


def make_old(path: Path) -> None:
    """Set back the time at which a path was changed."""
    os.utime(path, (LONG_AGO, LONG_AGO))


def sweep_of(home: ExperimentDir, sweep_id: str = FRIDAY) -> SweepDir:
    """Return a sweep, which need not be whole."""
    return SweepDir(home.path / sweep_id)
