"""Runs whose process was killed are FAILURE on the dashboard, whatever state their file is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import write_config
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.run import RunSpec
from tests.support.factories import add_sweep, make_spec, make_sweep, ticking, write_run
from tests.support.oracle import Board, read_board
from tests.support.servers import running_tensorboard

# How many bytes of its file a killed run lacks: none, or some of its last scalar.
CUTS = {"whole": 0, "torn": 5, "torn_header": 38}


def kill_and_end(home: ExperimentDir) -> list[RunSpec]:
    """Write a killed run of each kind, with its end, and return their specs."""
    sweep_dir = add_sweep(home, make_sweep())
    write_config(home)
    specs = []
    for index, cut in enumerate(CUTS.values()):
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1}, index=index)
        write_run(spec, {"accuracy": [0.25, 0.5]}, ending=None)
        (path,) = spec.dir.event_files
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - cut])
        end_run(spec.dir, spec, Ending.FAILED, clock=ticking())
        specs.append(spec)
    return specs


def check_failures(specs: list[RunSpec], board: Board) -> None:
    """Check that each killed run is a FAILURE with the scalars that its file has whole."""
    values = [0.5, 0.25, 0.25]

    assert [spec.group_name for spec in specs] == board.trial_ids
    assert ["STATUS_FAILURE"] * len(specs) == board.statuses
    assert {s.group_name: v for s, v in zip(specs, values, strict=True)} == board.column("accuracy")


def test_killed_runs_are_failures(tmp_path: Path) -> None:
    """The loader in Python finds the end, in the whole file and in the second one."""
    home = ExperimentDir(tmp_path / "toy")
    specs = kill_and_end(home)

    check_failures(specs, read_board(home.path))


def test_killed_run_that_had_no_file_is_a_failure(tmp_path: Path) -> None:
    """A run that died before it wrote anything is a row too."""
    home = ExperimentDir(tmp_path / "toy")
    spec = make_spec(add_sweep(home, make_sweep()), {"units": 8, "rate": 0.1})
    end_run(spec.dir, spec, Ending.FAILED)
    board = read_board(home.path)

    assert ([spec.group_name], ["STATUS_FAILURE"]) == (board.trial_ids, board.statuses)
    assert board.values(spec.group_name)["rate"] == 0.1


@pytest.mark.slow
def test_killed_runs_are_failures_with_the_fast_loader(tmp_path: Path) -> None:
    """The fast loader of the real program shows them alike."""
    home = ExperimentDir(tmp_path / "toy")
    specs = kill_and_end(home)
    with running_tensorboard(home.path, load_fast=True) as server:
        board = server.wait_for(lambda board: board.has_ended(len(specs)))

    check_failures(specs, board)


@pytest.mark.slow
def test_run_that_is_killed_under_tensorboard_becomes_a_failure(tmp_path: Path) -> None:
    """A TensorBoard that runs already shows a run at work, then its end, without a restart."""
    home = ExperimentDir(tmp_path / "toy")
    sweep_dir = add_sweep(home, make_sweep())
    write_config(home)
    spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
    write_run(spec, {"accuracy": [0.25]}, ending=None)
    with running_tensorboard(home.path, load_fast=True) as server:
        at_work = server.wait_for(lambda board: bool(board.column("accuracy")))
        end_run(spec.dir, spec, Ending.FAILED)
        ended = server.wait_for(lambda board: board.has_ended(1))

    assert (["STATUS_UNKNOWN"], ["STATUS_FAILURE"]) == (at_work.statuses, ended.statuses)
