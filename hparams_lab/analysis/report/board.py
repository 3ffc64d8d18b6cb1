"""Pictures and texts about runs as an event file, for TensorBoard's Images and Text tabs.

Each call makes a directory of its own below the experiment's `reports`: TensorBoard shows
the first content of a run and tag for ever, so what is said anew needs another run. It has
no session start, so the HParams table has no row of it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.image import metadata

from hparams_lab.errors import LogdirError, StorageError
from hparams_lab.events import schema
from hparams_lab.events.write.writer import open_writer
from hparams_lab.logdir.layout import ExperimentDir

_TIME_FORMAT = "%Y-%m-%d_%H-%M-%S"
_PNG_SIZE = struct.Struct(">II")
_PNG_SIZE_OFFSET = 16  # signature, length and name of the header


def encode_image(tag: str, png: bytes, description: str = "") -> summary_pb2.Summary:
    """Return a picture for TensorBoard's Images tab, as `tf.summary.image` writes it.

    Args:
        tag: under which it stands.
        png: bytes of a PNG file.
        description: Markdown, shown with it.

    Source: tensorboard/plugins/image/summary_v2.py: width, height and file as strings.
    """
    width, height = _PNG_SIZE.unpack_from(png, _PNG_SIZE_OFFSET)
    summary_metadata = metadata.create_summary_metadata(None, description)
    summary_metadata.data_class = summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    strings = [str(width).encode(), str(height).encode(), png]
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(
            dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=len(strings))]
        ),
        string_val=strings,
    )
    value = summary_pb2.Summary.Value(tag=tag, metadata=summary_metadata, tensor=tensor)
    return summary_pb2.Summary(value=[value])


def write_board(
    home: ExperimentDir,
    pictures: Mapping[str, tuple[str, bytes]],
    texts: Mapping[str, str],
    *,
    now: Callable[[], datetime] = datetime.now,
) -> Path:
    """Write pictures and texts where the TensorBoard of an experiment shows them.

    Args:
        home: directory of the experiment.
        pictures: tag to title and bytes of a PNG file.
        texts: tag to Markdown.
        now: the local time, which names the directory.

    Returns:
        The new directory.

    Raises:
        LogdirError: if it cannot be written.
    """
    try:
        folder = _make_folder(home.reports_dir, now)
        path = folder / f"events.out.tfevents.{int(time.time()):010d}.report"
        with open_writer(path) as writer:
            for tag, (title, png) in pictures.items():
                writer.write_summary(encode_image(tag, png, title))
            for tag, markdown in texts.items():
                writer.write_summary(schema.encode_text(tag, markdown))
    except StorageError:
        raise
    except OSError as error:
        raise LogdirError(
            f"cannot write to {home.reports_dir}: {error.strerror}. Do without --to_tensorboard."
        ) from error
    return folder


def _make_folder(parent: Path, now: Callable[[], datetime]) -> Path:
    """Make a directory named for the time; two of one second would share a name, so wait."""
    while True:
        folder = parent / now().strftime(_TIME_FORMAT)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.parent.is_dir():
                raise
            time.sleep(0.05)
        else:
            return folder
