"""The experiment's one `hparams_config`: TensorBoard picks any it finds, so there is one."""

from __future__ import annotations

import contextlib
import time
import uuid

from tensorboard.compat.proto import summary_pb2

from hparams_lab.errors import EventFormatError
from hparams_lab.events import schema
from hparams_lab.events.read.reader import read_events
from hparams_lab.events.write.writer import Clock, open_writer
from hparams_lab.logdir.atomic import replacing, storing
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.logdir.mounts import mount_of
from hparams_lab.runs.sweep import read_sweeps


def write_config(experiment_dir: ExperimentDir, *, clock: Clock = time.time) -> None:
    """Write the union `hparams_config` of all sweeps, if it is not there already.

    Replaced at one stroke, so a TensorBoard that starts in between sees the old or the
    new one, never none or two. Sweeps that start together each look again after
    writing, so the last of them to write has seen all.

    Raises:
        LogdirError: if sweeps contradict each other.
        StorageError: if it cannot be written; what was there is as it was.
    """
    mount = mount_of(experiment_dir.path)
    _write_config(experiment_dir, clock)
    while mount is not None and mount.exchange():  # other machines, too, look again
        _write_config(experiment_dir, clock)


def _write_config(experiment_dir: ExperimentDir, clock: Clock) -> None:
    while (wanted := schema.encode_config(read_sweeps(experiment_dir))) != read_config(
        experiment_dir
    ):
        # TensorBoard takes no notice of this name.
        aside = experiment_dir.path / f".config-{uuid.uuid4().hex}.tmp"
        file = experiment_dir.config_file
        with storing(file), replacing(file, aside=aside), open_writer(aside, clock=clock) as writer:
            writer.write_summary(wanted)


def read_config(experiment_dir: ExperimentDir) -> summary_pb2.Summary | None:
    """Return the `hparams_config` as it stands; None if there is none, or a damaged one."""
    if experiment_dir.config_file.exists():
        with contextlib.suppress(EventFormatError):
            for event in read_events(experiment_dir.config_file):
                if event.HasField("summary"):
                    return event.summary
    return None
