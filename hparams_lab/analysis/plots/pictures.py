"""The pictures that are asked for, or all that the trials allow, with why others are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hparams_lab.analysis.plots.best_so_far import draw_best_so_far
from hparams_lab.analysis.plots.curves import draw_curves
from hparams_lab.analysis.plots.days import draw_days
from hparams_lab.analysis.plots.effects import draw_effects
from hparams_lab.analysis.plots.heatmap import draw_heatmap
from hparams_lab.analysis.plots.saving import encode_figure, write_file
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class PlotOptions:
    """How pictures are drawn.

    Attributes:
        x: the heat map's hyperparameter across; None: by importance.
        y: the one upwards; None: by importance.
        fixed: the heat map's trials have these values: name to value, as typed.
        top: of how many trials there are curves, at least 1.
    """

    x: str | None = None
    y: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    top: int = 5


@dataclass(frozen=True)
class Picture:
    """A picture that was drawn.

    Attributes:
        kind: one of `KINDS`.
        title: what it shows, one line.
        figure: to be encoded.
    """

    kind: str
    title: str
    figure: Figure


@dataclass(frozen=True)
class Skipped:
    """A picture that the trials do not allow.

    Attributes:
        kind: one of `KINDS`.
        reason: one sentence.
    """

    kind: str
    reason: str


_DRAWERS: dict[str, Callable[[Trials, PlotOptions], Figure]] = {
    "heatmap": lambda trials, options: draw_heatmap(
        trials, x=options.x, y=options.y, fixed=options.fixed
    ),
    "effects": lambda trials, _: draw_effects(trials),
    "best_so_far": lambda trials, _: draw_best_so_far(trials),
    "curves": lambda trials, options: draw_curves(trials, top=options.top),
    "days": lambda trials, _: draw_days(trials),
}

KINDS = tuple(_DRAWERS)


def draw_picture(kind: str, trials: Trials, options: PlotOptions) -> Picture:
    """Return a picture.

    Args:
        kind: one of `KINDS`.
        trials: to be shown.
        options: how it is drawn.

    Raises:
        UsageError: if the trials do not allow it.
    """
    figure = _DRAWERS[kind](trials, options)
    return Picture(kind, " ".join(figure.get_suptitle().split()), figure)


def draw_possible(trials: Trials, options: PlotOptions) -> tuple[list[Picture], list[Skipped]]:
    """Return the pictures that the trials allow, and why the others are not.

    Args:
        trials: to be shown.
        options: how they are drawn.
    """
    pictures: list[Picture] = []
    skipped: list[Skipped] = []
    for kind in KINDS:
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
