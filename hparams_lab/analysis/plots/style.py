"""The look that all pictures share: figures, titles, colours, texts short enough to read."""

from __future__ import annotations

import contextlib
import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hparams_lab.declare.objective import Goal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#222222"
GREY = "#6b6b6b"
PALE = "#d9d9d9"
BLUE = "#0072B2"
VERMILION = "#D55E00"

# Okabe and Ito's colours, which people of all kinds of colour vision distinguish, without
# the yellow that paper swallows. Source: "Color Universal Design" (2008).
_DISTINCT = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_STYLE: dict[str, Any] = {
    "text.parse_math": False,  # names are the user's: a $ in them is a dollar
    "svg.fonttype": "none",  # text stays text: to be found, read aloud and edited
    "svg.hashsalt": "hparams_lab",  # the same picture has the same bytes
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": "#ececec",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "font.size": 10,
    "hatch.color": PALE,
    "hatch.linewidth": 0.6,
}

# For scripts that Matplotlib's own font has not; those that are installed.
_MORE_FONTS = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Hiragino Sans", "PingFang SC"),
    *("Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "WenQuanYi Micro Hei", "Arial Unicode MS"),
)

_CHARS_PER_INCH = 16  # of the notes, set in 8 points
_FENCE_SPREADS = 3.0  # Tukey's "far out"


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Set our style for as long as it lasts, whatever the user's own matplotlibrc says."""
    from matplotlib import font_manager, style

    installed = font_manager.fontManager.get_font_names()
    fonts = ["DejaVu Sans", *(font for font in _MORE_FONTS if font in installed), "sans-serif"]
    with style.context({**_STYLE, "font.family": fonts}, after_reset=True):
        yield


def make_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that keeps its texts from covering each other."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    return Figure(figsize=(width, height), layout=layout)


def set_texts(figure: Figure, title: str, notes: Sequence[str]) -> None:
    """Set what the picture shows above it, and what to know about it below."""
    width = figure.get_figwidth()
    wrapped = textwrap.fill(title, int(width * _CHARS_PER_INCH * 0.52))
    figure.suptitle(wrapped, x=0.01, ha="left", fontsize=12, fontweight="bold")
    if notes:
        sentences = ". ".join(note[:1].upper() + note[1:].rstrip(".") for note in notes)
        text = textwrap.fill(f"{sentences}.", int(width * _CHARS_PER_INCH))
        figure.supxlabel(text, x=0.01, ha="left", fontsize=8, color=GREY)


def line_colours(count: int) -> list[Any]:
    """Return a colour each: of different hue as long as there are few, else from dark to light."""
    if count <= len(_DISTINCT):
        return list(_DISTINCT[:count])
    from matplotlib import colormaps

    return [colormaps["viridis"](share) for share in np.linspace(0.0, 0.9, count)]


def shorten(text: object, width: int = 28) -> str:
    """Return a text on one line, its middle left out where it is longer than `width`.

    Example:
        >>> shorten("a_name_that_goes_on_and_on_for_ever", 15)
        'a_name_…or_ever'
    """
    line = " ".join(str(text).split()) or "''"
    if len(line) <= width:
        return line
    tail = (width - 1) // 2
    return f"{line[: width - 1 - tail]}…{line[-tail:]}"


def format_short(value: float) -> str:
    """Return a number with four significant digits."""
    return f"{value:.4g}"


def label_metric(tag: str, goal: Goal) -> str:
    """Return an axis's text for a metric, in two lines: its name, and which way is better."""
    better = "higher" if goal is Goal.MAXIMIZE else "lower"
    return f"{shorten(tag)}\n({better} is better)"


def robust_limits(values: Sequence[float], goal: Goal) -> tuple[float, float]:
    """Return the range that a scale should span, which a few wild values do not stretch.

    A value that is worse than the middle half of all by more than three times the width
    of that half is beyond the range. The best never is.

    Args:
        values: `[num_values]`; those that are not finite are passed over.
        goal: which way is better.

    Returns:
        Low and high, low below high; `(0.0, 1.0)` without any finite value.

    Example:
        >>> from hparams_lab.declare.objective import Goal
        >>> robust_limits([0.1, 0.2, 0.3, 0.4, 1e9], Goal.MINIMIZE)
        (0.1, 0.4)
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    first, third = (float(quarter) for quarter in np.percentile(finite, [25, 75]))
    fence = _FENCE_SPREADS * (third - first)
    if fence > 0 and goal is Goal.MAXIMIZE:
        finite = [value for value in finite if value >= first - fence]
    elif fence > 0:
        finite = [value for value in finite if value <= third + fence]
    low, high = min(finite), max(finite)
    if low < high:
        return low, high
    margin = abs(low) * 0.05 or 0.5
    return low - margin, high + margin


def limit_axis(values: Sequence[float], goal: Goal) -> tuple[float, float, list[str]]:
    """Return where an axis begins and ends to show values, and a note if some are beyond it."""
    low, high = robust_limits(values, goal)
    margin = 0.04 * (high - low)
    beyond = sum(math.isfinite(value) and not low <= value <= high for value in values)
    notes = [f"{beyond} far worse, beyond the scale"] if beyond else []
    return low - margin, high + margin, notes
