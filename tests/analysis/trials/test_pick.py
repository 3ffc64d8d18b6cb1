from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.analysis.trials.pick import pick_trial
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

OLD = [{"units": 8, "rate": 0.1}, {"units": 16, "rate": 0.1}, {"units": 16, "rate": 0.4}]
NEW = [{"units": 8, "rate": 0.5}, {"units": 16, "rate": 0.5}]


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Three trials on Friday, of which the second is the best; on Saturday two, the first."""
    home = ExperimentDir(tmp_path / "toy")
    friday, saturday = (add_sweep(home, make_sweep(day)) for day in (FRIDAY, SATURDAY))
    for index, (values, score) in enumerate(zip(OLD, (0.1, 0.9, 0.2), strict=True)):
        write_run(make_spec(friday, values, index=index), {"accuracy": [score]})
    for index, (values, score) in enumerate(zip(NEW, (0.6, 0.3), strict=True)):
        write_run(make_spec(saturday, values, index=index), {"accuracy": [score]})
    return home


@pytest.mark.parametrize(
    ("word", "sweep_id", "values", "place"),
    [
        (None, SATURDAY, NEW[0], 1),
        ("0001", SATURDAY, NEW[1], 2),
        ("0002", FRIDAY, OLD[2], 2),
        (FRIDAY, FRIDAY, OLD[1], 1),
        ("2026-11-20", FRIDAY, OLD[1], 1),
        (f"{FRIDAY}/0000", FRIDAY, OLD[0], 3),
        ("2026-11-20/0001-", FRIDAY, OLD[1], 1),
    ],
    ids=["best", "newest", "elsewhere", "sweep", "day", "sweep/trial", "cut short"],
)
def test_a_word_picks_a_trial(
    home: ExperimentDir, word: str | None, sweep_id: str, values: dict[str, object], place: int
) -> None:
    """A word names a trial, a sweep's trial, or the best of a sweep; none the newest's best."""
    pick = pick_trial(home, word)

    assert (sweep_id, values, place) == (pick.sweep.id, dict(pick.row.assignment), pick.place)
    assert pick.sweep_dir.id == pick.row.sweep_id == sweep_id


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("000", "trial '000' is ambiguous: .*/0000-.*, .*/0001-.*Name one of them"),
        ("0002-1229a10f", "has no trial '0002-1229a10f'. Did you mean '0002-1229a10c'?"),
        ("zzz", "experiment 'toy' has no trial 'zzz'. It has 0000-1efb0212, "),
        (f"{SATURDAY}/0002", "sweep '2026-11-21.*' has no trial '.*/0002'. It has 0000-"),
        ("2026-11-19/0000", "has no sweep '2026-11-19'"),
        ("2026", "sweep '2026' is ambiguous"),
        ("", "trial '' is ambiguous"),
    ],
)
def test_a_word_that_names_no_single_trial_is_refused(
    home: ExperimentDir, word: str, message: str
) -> None:
    """Where a word fits none or several, the error names what there is."""
    with pytest.raises(UnknownExperimentError, match=message):
        pick_trial(home, word)


def test_the_best_is_of_trials_that_came_through(home: ExperimentDir) -> None:
    """A pruned trial is not the best whatever it reached, yet it can be named."""
    sunday = add_sweep(home, make_sweep("2026-11-22_10-00-00"))
    write_run(make_spec(sunday, NEW[0]), {"accuracy": [0.9]}, ending=Ending.PRUNED)

    assert "PRUNED" == pick_trial(home, "0000").row.label
    with pytest.raises(UnknownExperimentError, match="no successful trial, run in full, in 2026"):
        pick_trial(home)
