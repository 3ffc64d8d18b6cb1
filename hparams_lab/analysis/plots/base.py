"""What a picture is: drawn from trials, with options of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.catalog.registry import Spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class PictureSpec(Spec):
    """What a name of `--kind` stands for."""

    # given trials and the options object, returns a figure; its suptitle says in one line what
    # it shows. It raises `UsageError` where the trials do not allow the picture: one sentence
    # that says why.
    draw: Callable[[Trials, Any], Figure]
