"""Figures as bytes of PNG or SVG, and as files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from hparams_lab.analysis.plots.style import house_style
from hparams_lab.errors import UsageError
from hparams_lab.logdir.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG = "png"
SVG = "svg"

_DPI = 150
# Neither date nor version: the same picture has the same bytes.
_METADATA: dict[str, dict[str, str | None]] = {PNG: {"Software": None}, SVG: {"Date": None}}


@house_style()
def encode_figure(figure: Figure, image_format: str) -> bytes:
    """Return a figure as the bytes of a file, the same for the same figure.

    Args:
        figure: to encode.
        image_format: `PNG` or `SVG`.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Names are in any script; what the font has not is drawn as a box, without a warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # savefig takes the canvas of the format, for PNG that of Agg.
        figure.savefig(buffer, format=image_format, dpi=_DPI, metadata=_METADATA[image_format])
    return buffer.getvalue()


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, over one that is there, making its folder.

    Raises:
        UsageError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as aside:
            aside.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place.") from error
