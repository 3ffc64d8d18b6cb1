"""The pictures that are asked for, or all that the trials allow, with why others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hparams_lab.analysis.plots.base import PictureSpec
from hparams_lab.analysis.plots.saving import encode_figure, write_file
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.catalog.registry import Registry
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTHING: Mapping[str, Any] = MappingProxyType({})

PICTURES = Registry(
    "kind",
    "picture",
    PictureSpec,
    group="hparams_lab.pictures",
    builtin={
        "heatmap": "hparams_lab.analysis.plots.heatmap:HEATMAP",
        "effects": "hparams_lab.analysis.plots.effects:EFFECTS",
        "best_so_far": "hparams_lab.analysis.plots.best_so_far:BEST_SO_FAR",
        "curves": "hparams_lab.analysis.plots.curves:CURVES",
        "days": "hparams_lab.analysis.plots.days:DAYS",
    },
)


@dataclass(frozen=True)
class Picture:
    """A picture that was drawn."""

    kind: str  # one of `PICTURES`
    title: str  # what it shows, one line
    figure: Figure  # to be encoded


@dataclass(frozen=True)
class Skipped:
    """A picture that the trials do not allow."""

    kind: str  # one of `PICTURES`
    reason: str  # one sentence


def draw_picture(kind: str, trials: Trials, options: Mapping[str, Any] = _NOTHING) -> Picture:
    """Return a picture.

    Args:
        kind: one of `PICTURES`.
        trials: to be shown.
        options: by name; those of other pictures are passed over.

    Raises:
        UsageError: if the trials do not allow it, or an option is out of range.
    """
    own = PICTURES.make_options(kind, PICTURES.keep_suitable(kind, options))
    figure = PICTURES.find(kind).draw(trials, own)
    return Picture(kind, " ".join(figure.get_suptitle().split()), figure)


def draw_possible(
    trials: Trials, options: Mapping[str, Any] = _NOTHING
) -> tuple[list[Picture], list[Skipped]]:
    """Return the pictures that the trials allow, and why the others are not.

    Args:
        trials: to be shown.
        options: by name, of any pictures.
    """
    pictures: list[Picture] = []
    skipped: list[Skipped] = []
    for kind in PICTURES:
        try:
            pictures.append(draw_picture(kind, trials, options))
        except UsageError as error:
            skipped.append(Skipped(kind, str(error)))
    return pictures, skipped


def write_pictures(pictures: Sequence[Picture], folder: Path, image_format: str) -> list[Path]:
    """Write each picture as `KIND.png` or `KIND.svg`, over those that are there.

    Args:
        pictures: to write.
        folder: is made if need be.
        image_format: `png` or `svg`.

    Returns:
        The files, in the pictures' order.

    Raises:
        UsageError: if one cannot be written.
    """
    paths = [folder / f"{picture.kind}.{image_format}" for picture in pictures]
    for picture, path in zip(pictures, paths, strict=True):
        write_file(path, encode_figure(picture.figure, image_format))
    return paths
