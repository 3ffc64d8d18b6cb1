"""What archive and delete leave alone, as it is not what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.declare.objective import minimize
from hparams_lab.logdir.layout import experiment_dir
from tests.cli.conftest import Program
from tests.support.factories import (
    FRIDAY,
    METRICS,
    SATURDAY,
    add_sweep,
    make_spec,
    make_sweep,
    write_run,
)

SWEEP = make_sweep()


def test_a_time_keeps_what_has_none(program: Program, workplace: Path) -> None:
    """A broken sweep in the archive is not deleted by a time that it is not known to be of."""
    broken = workplace / "logs" / ".archive" / "toy" / SATURDAY / "0000-11111111"
    broken.mkdir(parents=True)
    program("delete", "toy", "--archived", "--until=2020-01-01", "--yes")

    assert broken.exists()


@pytest.mark.parametrize("criterion", ["--where=accuracy > 0.1", "--keep_best=1"])
def test_a_sweep_without_trials_stays(program: Program, workplace: Path, criterion: str) -> None:
    """What is said of trials takes no sweep that has none."""
    home = experiment_dir(workplace / "logs", "toy")
    empty = add_sweep(home, make_sweep(FRIDAY))
    write_run(make_spec(add_sweep(home, SWEEP), {"units": 8, "rate": 0.1}), {"accuracy": [0.5]})
    program("delete", "toy", criterion, "--yes")

    assert empty.sweep_file.exists()


def test_the_best_of_two_objectives_are_not_known(
    program: Program,
    workplace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """--keep_best refuses sweeps whose trials cannot be ranked together."""
    home = experiment_dir(workplace / "logs", "toy")
    add_sweep(home, make_sweep(FRIDAY, objective=minimize(METRICS[1])))
    add_sweep(home, SWEEP)

    assert 2 == program("delete", "toy", "--keep_best=1", "--yes")
    assert "one objective" in capsys.readouterr().err
