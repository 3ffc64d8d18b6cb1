"""A run whose start is amended otherwise has another name; no link is written through."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, IntInterval

from hparams_lab.dashboard.view.finder import Finder, choose_all
from hparams_lab.dashboard.view.view import View
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.search.base import Traits
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

SUNDAY = "2026-11-22_10-00-00"
LONG = "activation_function_of_the_hidden_layers_of_it"  # is cut in names


def log(
    home: ExperimentDir, sweep_id: str, hparams: list[HParam], values: dict[str, object]
) -> None:
    """Log a sweep of one run."""
    sweep = make_sweep(
        sweep_id, hparams=hparams, experiment=home.name, strategy="random", traits=Traits()
    )
    write_run(make_spec(add_sweep(home, sweep), values), {"accuracy": [0.5]})


def look(view: View) -> set[str]:
    """Return the names of the runs of a view."""
    view.look()
    return {str(path.relative_to(view.path)) for path in view.path.rglob("*,r00*")}


@pytest.fixture
def view(tmp_path: Path) -> View:
    """Return a view of a log directory."""
    (tmp_path / "view").mkdir()
    finder = Finder(tmp_path / "logs", (), choose=choose_all, warn=lambda sentence: None)
    return View(tmp_path / "view", finder, max_runs=0)


def test_nothing_is_written_through_a_link(view: View, tmp_path: Path) -> None:
    """A linked run that must be amended later on is not amended where it lies."""
    home = ExperimentDir(tmp_path / "logs" / "toy")
    units = HParam("units", IntInterval(1, 999))
    log(
        home,
        FRIDAY,
        [HParam(LONG, Discrete(["1", "2"])), units],
        {LONG: "1", "units": 1},
    )
    log(home, SATURDAY, [HParam(LONG, Discrete([1, 2])), units], {LONG: 1, "units": 1})
    view.look()
    words = HParam("units", Discrete(["a", "b"]))
    log(home, SUNDAY, [HParam(LONG, Discrete([1, 2])), words], {LONG: 1, "units": "a"})
    view.look()

    assert [] == [*home.path.rglob("*.start")]


def test_a_start_amended_otherwise_has_another_name(view: View, tmp_path: Path) -> None:
    """However long the names of what is shown as text, a change of it changes the run's name."""
    names = ["learning_rate_schedule", "hidden_activation", "units"]
    one, other = (ExperimentDir(tmp_path / "logs" / name) for name in "ab")
    log(
        one,
        FRIDAY,
        [HParam(name, Discrete([1, 2])) for name in names],
        dict.fromkeys(names, 1),
    )
    texts = [HParam(name, Discrete(["x", "y"])) for name in names]
    log(other, SATURDAY, texts[:2], dict.fromkeys(names[:2], "x"))
    before = {name for name in look(view) if name.startswith("a/")}
    log(other, SUNDAY, texts, dict.fromkeys(names, "x"))

    assert not before & look(view)


def test_another_column_of_experiments_gives_other_names(view: View, tmp_path: Path) -> None:
    """When an hparam takes the column's name, the runs that had it there are read anew."""
    for name, day in (("a", FRIDAY), ("b", SATURDAY)):
        log(
            ExperimentDir(tmp_path / "logs" / name),
            day,
            [HParam("u", Discrete([1]))],
            {"u": 1},
        )
    before = look(view)
    taken = HParam("experiment", Discrete([1, 2]))
    log(ExperimentDir(tmp_path / "logs" / "c"), SUNDAY, [taken], {"experiment": 1})

    assert not before & look(view)


def test_a_limit_below_the_runs_of_a_trial_shows_the_newest(tmp_path: Path) -> None:
    """The newest trial is shown even where it has more runs than there is room for."""
    home = ExperimentDir(tmp_path / "logs" / "toy")
    log(home, FRIDAY, [HParam("u", Discrete([1]))], {"u": 1})
    (tmp_path / "view").mkdir()
    finder = Finder(tmp_path / "logs", (), choose=choose_all, warn=lambda sentence: None)
    view = View(tmp_path / "view", finder, max_runs=1)
    view.look()

    assert 1 == len(view.runs)
