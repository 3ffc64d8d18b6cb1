"""Resuming: what is run again, what is run for the first time, and what is left alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.errors import LogdirError
from hparams_lab.events import records
from hparams_lab.events.schema import Ending, Status
from hparams_lab.logdir.archive import move
from hparams_lab.logdir.entry import Entry
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.logdir.lock import sweep_lock
from hparams_lab.runs.sweep import Sweep
from tests.conftest import WriteModule
from tests.conftest import _write_module as write_module_into
from tests.support.resumption import (
    InlineSweeps,
    assert_all_succeeded,
    list_points,
    outcomes,
    read,
    spreads,
)

# A run meets the trouble, once, that a file named for its point speaks of.
TOY = """
    from pathlib import Path

    def train(run):
        trouble = Path(__file__).parent / f"trouble-{run.hparams['units']}-{run.repeat}"
        run.scalar("height", 1.0, 0)
        if trouble.exists():
            kind = trouble.read_text()
            trouble.unlink()
            raise {"interrupt": KeyboardInterrupt, "failure": ValueError}[kind]("trouble")
        return {"loss": run.hparams["units"] + run.seed / 2**31}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("units", Discrete([1, 2, 3]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""

MakeTrouble = Callable[..., None]


@pytest.fixture
def toy(write_module: WriteModule, tmp_path: Path) -> InlineSweeps:
    """Sweeps over three points, each of which may meet trouble."""
    return InlineSweeps(write_module(TOY), tmp_path / "logs")


@pytest.fixture
def make_trouble(tmp_path: Path) -> MakeTrouble:
    """Return a function that lets the next run of a point meet trouble."""

    def make(kind: str, *, units: int, repeat: int = 0) -> None:
        (tmp_path / f"trouble-{units}-{repeat}").write_text(kind)

    return make


@pytest.fixture
def interrupted(toy: InlineSweeps, make_trouble: MakeTrouble) -> SweepDir:
    """A sweep that was interrupted in its second run."""
    make_trouble("interrupt", units=2)
    with pytest.raises(KeyboardInterrupt, match="trouble"):
        toy.launch()
    return toy.started.sweep_dir


def test_interrupted_run_is_made_again(interrupted: SweepDir, toy: InlineSweeps) -> None:
    """What was interrupted or never begun is run, what was complete is not."""
    result = toy.resume(interrupted)

    assert [{"units": 2}, {"units": 3}] == list_points(toy.results)
    assert "" == result.stopped
    assert_all_succeeded(interrupted, 3)


def test_resumed_sweep_equals_an_undisturbed_one(interrupted: SweepDir, toy: InlineSweeps) -> None:
    """Trial ids, seeds and values are those of a sweep that nobody interrupted."""
    toy.resume(interrupted)

    assert outcomes(toy.launch()) == outcomes(interrupted)


def test_second_attempt_has_a_directory_of_its_own(
    interrupted: SweepDir, toy: InlineSweeps
) -> None:
    """The second attempt is in r00a1; the first keeps its event file under another name."""
    toy.resume(interrupted)
    first, second = sorted(interrupted.path.glob("0001-*/*"))

    assert ["r00", "r00a1"] == [first.name, second.name]
    assert 1 == len(list(first.glob("events.out.superseded.*")))
    assert "interrupted" in (first / "failure.txt").read_text()


def test_each_attempt_has_the_next_number(
    interrupted: SweepDir, toy: InlineSweeps, make_trouble: MakeTrouble
) -> None:
    """A second attempt that is interrupted too is followed by a third."""
    make_trouble("interrupt", units=2)
    with pytest.raises(KeyboardInterrupt, match="trouble"):
        toy.resume(interrupted)
    toy.resume(interrupted)

    assert ["r00", "r00a1", "r00a2"] == sorted(
        path.name for path in interrupted.path.glob("0001-*/*")
    )
    assert_all_succeeded(interrupted, 3)


@pytest.mark.parametrize(("failed", "points"), [(False, []), (True, [{"units": 2}])])
def test_failed_runs_are_made_again_on_demand(
    failed: bool, points: list[object], toy: InlineSweeps, make_trouble: MakeTrouble
) -> None:
    """A failure is a result, and stays one unless the user says `--failed`."""
    make_trouble("failure", units=2)
    sweep_dir = toy.launch()
    toy.resume(sweep_dir, failed=failed)

    assert points == list_points(toy.results)
    assert (failed is False) == (Ending.FAILED in {run.ending for run in read(sweep_dir)})


def test_failed_repeat_is_made_again_alone(toy: InlineSweeps, make_trouble: MakeTrouble) -> None:
    """Of a trial's repeats only the one that failed is run again; the spread follows then."""
    make_trouble("failure", units=2, repeat=1)
    sweep_dir = toy.launch(repeats=2)
    before = spreads(sweep_dir)
    toy.resume(sweep_dir, failed=True)

    assert ["r01a1"] == [result.spec.dir.path.name for result in toy.results]
    assert [4, 0, 4] == [len(values) for values in before.values()]
    assert spreads(toy.launch(repeats=2)) == spreads(sweep_dir)


def test_finished_sweep_has_nothing_left(toy: InlineSweeps) -> None:
    """Resuming a finished sweep runs nothing and changes no run's file."""
    sweep_dir = toy.launch(repeats=2)
    before = {path: path.read_bytes() for path in sweep_dir.path.glob("*/*/*")}
    result = toy.resume(sweep_dir)

    assert (0, "") == (result.num_runs, result.stopped)
    assert before == {path: path.read_bytes() for path in sweep_dir.path.glob("*/*/*")}
    assert 6 == toy.started.num_done


def test_more_trials_go_on_where_it_ended(toy: InlineSweeps) -> None:
    """A higher `--trials` goes on with the points that come next."""
    sweep_dir = toy.launch(trials=1)
    toy.resume(sweep_dir, trials=3)

    assert outcomes(toy.launch()) == outcomes(sweep_dir)


def test_fewer_trials_than_there_are_do_not_stick(toy: InlineSweeps) -> None:
    """A `--trials` below what has begun never says that there are fewer trials."""
    sweep_dir = toy.launch()
    toy.resume(sweep_dir, trials=1)

    assert 3 == Sweep.read(sweep_dir).max_trials


def test_sweep_that_runs_is_not_resumed(interrupted: SweepDir, toy: InlineSweeps) -> None:
    """While a process has the sweep, another is told so in one line, and changes nothing."""
    before = interrupted.sweep_file.read_bytes()
    with (
        sweep_lock(interrupted),
        pytest.raises(LogdirError, match=r"another is running 2026.*Wait"),
    ):
        toy.resume(interrupted)

    assert before == interrupted.sweep_file.read_bytes()
    assert [Status.SUCCESS, Status.FAILURE] == [run.status for run in read(interrupted)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SweepDir:
    """A finished sweep of three points, two repeats each."""
    folder = tmp_path_factory.mktemp("finished")
    return InlineSweeps(write_module_into(folder, TOY), folder / "logs").launch(repeats=2)


def cut_off(whole: SweepDir, folder: Path, place: int) -> tuple[SweepDir, Path]:
    """Return a copy of a sweep without the runs after a place, and that one's event file."""
    shutil.copytree(whole.path.parents[2], folder)
    copied = SweepDir(folder / whole.path.relative_to(whole.path.parents[2]))
    runs = sorted(copied.path.glob("*/r*"))
    for path in runs[place + 1 :]:
        shutil.rmtree(path)
    (file,) = runs[place].glob("*tfevents*")
    return copied, file


def assert_goes_on_to_the_same(whole: SweepDir, cut: SweepDir) -> None:
    """Resume a sweep that was cut off, and compare it with the whole one."""
    folder = cut.path.parents[2]
    InlineSweeps(ExperimentSource(folder / "module.py"), folder / "logs").resume(cut)

    assert_all_succeeded(cut, 6)
    assert outcomes(whole) == outcomes(cut)
    assert spreads(whole) == spreads(cut)


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(place=st.integers(0, 5), share=st.floats(0.0, 1.0))
def test_sweep_cut_off_anywhere_goes_on_to_the_same(
    place: int, share: float, finished: SweepDir, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A sweep whose last run's file ends at any byte is resumed to what it would have been."""
    cut, file = cut_off(finished, tmp_path_factory.mktemp("cut") / "copy", place)
    file.write_bytes(file.read_bytes()[: round(share * file.stat().st_size)])

    assert_goes_on_to_the_same(finished, cut)


@pytest.mark.parametrize("num_missing", [1, 2, 3, 4])
def test_half_a_spread_is_completed(num_missing: int, finished: SweepDir, tmp_path: Path) -> None:
    """A sweep that ended as it wrote how sure a mean is writes that when it is resumed."""
    cut, file = cut_off(finished, tmp_path / "copy", place=1)
    whole_records = list(records.unframe(file.read_bytes()))
    file.write_bytes(b"".join(map(records.frame, whole_records[:-num_missing])))

    assert_goes_on_to_the_same(finished, cut)


def test_run_that_never_began_is_run(finished: SweepDir, tmp_path: Path) -> None:
    """A directory without an event file, which a kill can leave, is no run of its own."""
    cut, file = cut_off(finished, tmp_path / "copy", place=3)
    file.unlink()

    assert_goes_on_to_the_same(finished, cut)


def test_attempt_that_was_only_put_aside_is_made_again(finished: SweepDir, tmp_path: Path) -> None:
    """A kill between putting an attempt aside and beginning the next loses no run."""
    cut, file = cut_off(finished, tmp_path / "copy", place=2)
    file.rename(file.with_name(file.name.replace("tfevents", "superseded")))

    assert_goes_on_to_the_same(finished, cut)


def test_archived_trials_are_mentioned(toy: InlineSweeps) -> None:
    """Who goes on with a sweep is told that trials were put out of sight, and how to keep them."""
    sweep_dir = toy.launch()
    trial_dir = sweep_dir.trial_dirs[0]
    move([Entry(ExperimentDir(sweep_dir.path.parent), (sweep_dir.id, trial_dir.name))])
    toy.resume(sweep_dir)

    assert f"hparams_lab restore toy {sweep_dir.id}" in toy.started.notice
