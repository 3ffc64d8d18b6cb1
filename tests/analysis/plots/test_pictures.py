from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.analysis.plots.best_so_far import draw_best_so_far, list_bests
from hparams_lab.analysis.plots.days import draw_days
from hparams_lab.analysis.plots.effects import draw_effects
from hparams_lab.analysis.plots.heatmap import draw_heatmap
from hparams_lab.analysis.plots.pictures import (
    PICTURES,
    draw_picture,
    draw_possible,
    write_pictures,
)
from hparams_lab.analysis.plots.saving import PNG, SVG, encode_figure
from hparams_lab.declare.objective import Goal, minimize
from hparams_lab.errors import UsageError
from tests.support.factories import FRIDAY, SATURDAY
from tests.support.plot_trials import GRID, UNITS, log_points, show

DAYS = (FRIDAY, SATURDAY)
CURVE = (0.1, 0.2, 0.3)


def texts(figure: Figure) -> str:
    """Return all that is written in a picture, as its SVG has it."""
    return "\n".join(ET.fromstring(encode_figure(figure, SVG)).itertext())


@pytest.mark.slow
def test_all_pictures_are_drawn_of_two_days(tmp_path: Path) -> None:
    """Trials of two days, with curves and several hyperparameters, allow every kind."""
    trials = show(log_points(tmp_path, sweep_ids=DAYS, curve=CURVE))
    pictures, skipped = draw_possible(trials)

    assert [] == skipped
    assert list(PICTURES) == [picture.kind for picture in pictures]
    assert all(picture.title.startswith("toy: ") for picture in pictures)


def test_what_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    """A lone trial without a curve allows nothing, and each kind has its reason."""
    pictures, skipped = draw_possible(show(log_points(tmp_path, GRID[:1])))

    assert [] == pictures
    assert list(PICTURES) == [each.kind for each in skipped if each.reason.endswith(".")]


@pytest.mark.parametrize("image_format", [PNG, SVG])
def test_the_same_picture_has_the_same_bytes(tmp_path: Path, image_format: str) -> None:
    """Neither time nor chance nor version gets into a file."""
    trials = show(log_points(tmp_path, sweep_ids=DAYS))

    assert encode_figure(draw_days(trials), image_format) == encode_figure(
        draw_days(trials), image_format
    )


def test_nothing_global_is_left_behind(tmp_path: Path) -> None:
    """Drawing and saving leave Matplotlib's settings as they were."""
    before = dict(matplotlib.rcParams)
    encode_figure(draw_best_so_far(show(log_points(tmp_path))), PNG)

    assert before == dict(matplotlib.rcParams)


@pytest.mark.slow
def test_pyplot_stays_out(tmp_path: Path) -> None:
    """All pictures are drawn without pyplot, which would choose a backend and keep figures."""
    log_points(tmp_path, sweep_ids=DAYS, curve=CURVE)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.support.plot_trials import ExperimentDir, show\n"
        "from hparams_lab.analysis.plots.pictures import *\n"
        f"trials = show(ExperimentDir(Path({str(tmp_path / 'toy')!r})))\n"
        "pictures, skipped = draw_possible(trials)\n"
        "write_pictures(pictures, Path(sys.argv[1]), 'png')\n"
        "assert len(pictures) == len(PICTURES), skipped\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=True)


def test_names_are_written_as_they_are(tmp_path: Path) -> None:
    """A name is the user's text: no dollar makes a formula of it, no bracket a tag."""
    name = "a $x_1$ <b> & c"
    points = [{name: value, "units": units} for value in (1, 2) for units in (8, 16)]
    hparams = (HParam(name, Discrete([1, 2])), UNITS)
    trials = show(log_points(tmp_path, points, hparams=hparams, score=lambda v: v["units"] / 20))

    assert name in texts(draw_heatmap(trials))
    assert name in texts(draw_effects(trials))


@pytest.mark.parametrize(
    ("metric", "best"), [(None, "max"), ("loss:min", "min")], ids=["maximize", "minimize"]
)
def test_brighter_is_better(tmp_path: Path, metric: str | None, best: str) -> None:
    """The bright end of the heat map's colours is the better one, whichever the goal is."""
    figure = draw_heatmap(show(log_points(tmp_path), metric), x="rate", y="units")
    mesh = figure.axes[0].collections[0]
    colours = np.asarray(mesh.cmap(mesh.norm(np.array(mesh.get_clim()))))
    low, high = colours[:, :3].sum(axis=1)

    assert (best == "max") == (high > low)


def test_the_heat_map_takes_what_matters_most(tmp_path: Path) -> None:
    """Of three hyperparameters the two that matter are drawn, and the third is averaged."""
    written = texts(draw_heatmap(show(log_points(tmp_path))))

    assert "averaged over kind" in " ".join(written.lower().split())


def test_the_values_are_written_into_the_cells(tmp_path: Path) -> None:
    """A heat map of few cells can be read as a table."""
    written = texts(draw_heatmap(show(log_points(tmp_path)), x="rate", y="units"))

    assert {"0.08", "0.16", "0.18", "0.26"} <= set(written.split())


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"x": "unit"}, "Did you mean 'units'"),
        ({"x": "units", "y": "units"}, "'units' twice"),
        ({"fixed": {"rate": "0.1", "kind": "plain"}}, "two hyperparameters .* there are: units"),
    ],
    ids=["unknown", "twice", "nothing left"],
)
def test_a_heat_map_needs_two_axes(tmp_path: Path, axes: dict[str, str], message: str) -> None:
    """A heat map of axes that are not there is refused in a sentence."""
    with pytest.raises(UsageError, match=message):
        draw_heatmap(show(log_points(tmp_path)), **axes)  # type: ignore[arg-type]  # a table of cases


@pytest.mark.parametrize(
    ("goal", "bests"),
    [(Goal.MAXIMIZE, [2.0, 2.0, 3.0, 3.0]), (Goal.MINIMIZE, [2.0, 1.0, 1.0, 0.5])],
    ids=["maximize", "minimize"],
)
def test_the_best_so_far_never_gets_worse(goal: Goal, bests: list[float]) -> None:
    """The line follows the best value of all up to each."""
    assert bests == list_bests([2.0, 1.0, 3.0, 0.5], goal)


def test_there_is_a_line_for_each_sweep(tmp_path: Path) -> None:
    """Best so far has a line a sweep, under its id, and a panel of the days beside it."""
    figure = draw_best_so_far(show(log_points(tmp_path, sweep_ids=DAYS)))
    by_trial, by_day = figure.axes
    legend = by_trial.get_legend()

    assert legend is not None
    assert list(DAYS) == [text.get_text() for text in legend.get_texts()]
    assert ["11-20", "11-21"] == [tick.get_text() for tick in by_day.get_xticklabels()]


def test_failed_trials_leave_a_gap(tmp_path: Path) -> None:
    """A failed trial takes its place on the axis, but has no point, and is counted below."""
    figure = draw_best_so_far(show(log_points(tmp_path, failed=lambda index: index == 1)))
    values = np.asarray(figure.axes[0].lines[0].get_ydata())

    assert (len(GRID), 1) == (len(values), np.isnan(values).sum())
    assert "1 failed, unfinished or without a value left out" in texts(figure)


def test_far_worse_trials_are_counted_beyond_the_scale(tmp_path: Path) -> None:
    """A loss that exploded does not flatten the picture; it is counted in the notes."""
    home = log_points(
        tmp_path,
        score=lambda v: -1e9 if v == GRID[0] else v["rate"],
        objective=minimize("loss"),
    )
    figure = draw_best_so_far(show(home))

    assert figure.axes[0].get_ylim()[1] < 2
    assert "1 far worse, beyond the scale" in texts(figure)


def test_days_stand_beside_each_other(tmp_path: Path) -> None:
    """Each day is labelled with its date and its number of trials."""
    (panel,) = draw_days(show(log_points(tmp_path, sweep_ids=DAYS))).axes

    assert ["2026-11-20\n12 trials", "2026-11-21\n12 trials"] == [
        tick.get_text() for tick in panel.get_xticklabels()
    ]


def test_effects_have_a_panel_for_each_hyperparameter(tmp_path: Path) -> None:
    """The panels name the hyperparameters, their levels and how many trials have each."""
    figure = draw_effects(show(log_points(tmp_path)))
    labels = {tick.get_text() for panel in figure.axes for tick in panel.get_yticklabels()}

    assert 3 == len(figure.axes)
    assert {"8  (6)", "0.01  (4)", "fancy  (6)"} <= labels


def test_pictures_are_written_over_those_that_are_there(tmp_path: Path) -> None:
    """A folder is made, and a picture of the same kind replaced, without a trace of either."""
    picture = draw_picture("best_so_far", show(log_points(tmp_path)))
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        paths = write_pictures([picture], folder, PNG)

    assert [folder / "best_so_far.png"] == paths == list(folder.iterdir())
    assert paths[0].read_bytes().startswith(b"\x89PNG")


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """Where a file stands in the way, one sentence says so."""
    (tmp_path / "file").write_text("")
    picture = draw_picture("best_so_far", show(log_points(tmp_path)))

    with pytest.raises(UsageError, match="cannot write"):
        write_pictures([picture], tmp_path / "file", PNG)
