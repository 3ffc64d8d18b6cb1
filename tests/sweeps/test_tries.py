"""Points that the user names with --try: each is run first, by every search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import HParamsLabError
from hparams_lab.runs.sweep import Sweep
from hparams_lab.search.catalog import STRATEGIES
from tests.conftest import WriteModule
from tests.support.resumption import InlineSweeps, assert_all_succeeded, list_points, outcomes, read

# Each run reports three values; one that finds the file `interrupt` is interrupted.
TOY = """
    from pathlib import Path

    def train(run):
        interrupt = Path(__file__).parent / "interrupt"
        if interrupt.exists():
            interrupt.unlink()
            raise KeyboardInterrupt("now")
        loss = run.hparams["units"] * run.hparams["rate"]
        for step in range(3):
            run.report(loss, step)
        return {"loss": loss}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[
            HParam("units", Discrete([1, 2])),
            lab.Axis(HParam("rate", RealInterval(0.1, 0.9)), grid_points=2),
        ],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""

OUTSIDE = {"units": 2, "rate": 0.5}  # of the grid, not of the space
INSIDE = {"units": 2, "rate": 0.9}
TRIES = ["units=2,rate=0.5", "rate=0.9,units=2"]
LIMITED = {"grid": {}, "one_at_a_time": {}}


@pytest.fixture
def toy(write_module: WriteModule, tmp_path: Path) -> InlineSweeps:
    """Sweeps over two axes, whose grid has four points."""
    return InlineSweeps(write_module(TOY), tmp_path / "logs")


def options_of(search: str) -> dict[str, Any]:
    """Return options by which a search ends."""
    return {"search": search, "trials": None if search in LIMITED else 5}


@pytest.mark.parametrize("search", STRATEGIES)
def test_named_points_come_first(search: str, toy: InlineSweeps) -> None:
    """Every search runs the named points first, in their order, and none of them again."""
    sweep_dir = toy.launch(tries=TRIES, **options_of(search))
    points = list_points(toy.results)

    assert [OUTSIDE, INSIDE] == points[:2]
    assert OUTSIDE not in points[2:] and INSIDE not in points[2:] and len(points) > 3
    assert ["0000", "0001"] == [run.dir.trial_id[:4] for run in read(sweep_dir)[:2]]


def test_point_outside_the_grid_is_one_more(toy: InlineSweeps) -> None:
    """A grid of four has five trials if one is named that is not its own."""
    toy.launch(tries=TRIES)

    assert 5 == toy.started.sweep.max_trials == len(toy.results)


def test_point_named_twice_is_run_once(toy: InlineSweeps) -> None:
    """The same point in other words is the same point."""
    toy.launch(tries=["units=2,rate=0.9", "rate=9e-1,units=2"])

    assert 4 == toy.started.sweep.max_trials == len(toy.results)


def test_limit_holds_for_named_points_too(toy: InlineSweeps) -> None:
    """With `--trials=1` only the first of them is run."""
    toy.launch(tries=TRIES, trials=1)

    assert [OUTSIDE] == list_points(toy.results)


@pytest.mark.parametrize("search", STRATEGIES)
def test_resumed_sweep_runs_what_was_named(search: str, toy: InlineSweeps, tmp_path: Path) -> None:
    """A named point that had not begun is run first when the sweep is resumed."""
    (tmp_path / "interrupt").touch()
    with pytest.raises(KeyboardInterrupt, match="now"):
        toy.launch(tries=TRIES, **options_of(search))
    sweep_dir = toy.started.sweep_dir
    toy.resume(sweep_dir)

    assert [OUTSIDE, INSIDE] == list_points(toy.results)[:2]
    assert_all_succeeded(sweep_dir, len(toy.results))
    assert outcomes(toy.launch(tries=TRIES, **options_of(search))) == outcomes(sweep_dir)


MISTAKES = {
    "name": ("unit=1,rate=0.5", r"hparam 'unit' is not declared; .* Did you mean 'units'\?"),
    "value": ("units=3,rate=0.5", "hparam 'units' must be one of 1, 2; got 3"),
    "type": ("units=1,rate=fast", "hparam 'rate' must be .*; got 'fast'"),
    "missing": ("units=1", "hparam 'rate' has no value. Give it one."),
    "both_missing": ("", "hparam 'units' has no value.*hparam 'rate' has no value"),
    "form": ("units", "--try takes AXIS=VALUE,AXIS=VALUE,...; got 'units'"),
    "twice": ("units=1,units=2", "--try must name an axis once; got 'units' again"),
}


@pytest.mark.parametrize(("named", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_in_a_named_point_is_one_line(
    named: str, message: str, toy: InlineSweeps, tmp_path: Path
) -> None:
    """What is no point of the space is told in one line, before anything is written."""
    with pytest.raises(HParamsLabError, match=message) as raised:
        toy.launch(tries=[named])

    assert "\n" not in str(raised.value)
    assert not (tmp_path / "logs").exists()


def test_axis_with_one_value_need_not_be_named(toy: InlineSweeps) -> None:
    """What `--set` fixes is known, also where a point is named."""
    sweep_dir = toy.launch(tries=["units=2"], settings=["rate=0.9"])

    assert [INSIDE] == [dict(point) for point in Sweep.read(sweep_dir).tries]
