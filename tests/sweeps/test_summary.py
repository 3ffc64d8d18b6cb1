"""What `sweep.json` says of how runs ended, when the sweep is over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import end_run
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Sweep
from hparams_lab.sweeps.launch import MAX_LISTED, describe_endings, recording_summary
from tests.conftest import WriteModule
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run
from tests.support.resumption import InlineSweeps

SWEEP = make_sweep()


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """A sweep without runs."""
    return add_sweep(ExperimentDir(tmp_path / "toy"), SWEEP)


def write(sweep_dir: SweepDir, units: int, ending: Ending, why: str = "") -> None:
    """Write a run that ended in a way."""
    spec = make_spec(sweep_dir, {"units": units, "rate": 0.1}, index=units)
    write_run(spec, {}, ending=None)
    end_run(spec.dir, spec, ending, reason=why)


def read_ended(sweep_dir: SweepDir) -> Any:
    """Return what the file says, None where it says nothing."""
    return json.loads(sweep_dir.sweep_file.read_text()).get("ended")


def test_runs_are_counted_by_ending(sweep_dir: SweepDir) -> None:
    """Each way to end has its number, the most frequent first."""
    for units, ending in enumerate([Ending.TIMED_OUT, Ending.COMPLETE, Ending.COMPLETE]):
        write(sweep_dir, units, ending)
    counts = describe_endings(SWEEP, sweep_dir)["runs"]

    assert [("complete", 2), ("timed out", 1)] == list(counts.items())


def test_each_failure_has_its_reason(sweep_dir: SweepDir) -> None:
    """A run that did not succeed is listed by its directory, with how and why it ended."""
    write(sweep_dir, 0, Ending.COMPLETE)
    write(sweep_dir, 1, Ending.PRUNED)
    write(sweep_dir, 2, Ending.CRASHED, "the run was killed by SIGSEGV")
    account = describe_endings(SWEEP, sweep_dir)
    (trial,) = [path.name for path in sweep_dir.trial_dirs if path.name.startswith("0002")]
    why = "the run was killed by SIGSEGV"

    assert [{"run": f"{trial}/r00", "ending": "crashed", "why": why}] == account["failures"]
    assert 1 == account["num_failures"]


def test_a_run_without_an_end_is_reported(sweep_dir: SweepDir) -> None:
    """A run that nobody could end is neither complete nor forgotten."""
    write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.1}), {}, ending=None)

    assert {"no end": 1} == describe_endings(SWEEP, sweep_dir)["runs"]


def test_earlier_attempts_are_told_apart(sweep_dir: SweepDir) -> None:
    """An attempt that was made again counts as no run, and is listed with its own end."""
    write(sweep_dir, 0, Ending.CRASHED, "the run exited with code 3")
    first = next(sweep_dir.find_run_dirs())
    first.supersede()
    (first.next_attempt().path).mkdir()
    account = describe_endings(SWEEP, sweep_dir)

    assert ({}, {"crashed": 1}) == (account["runs"], account["earlier_attempts"])
    assert ["the run exited with code 3"] == [each["why"] for each in account["failures"]]


def test_the_list_is_bounded(sweep_dir: SweepDir) -> None:
    """Of many failures the first are listed, their reasons cut, and all are counted."""
    for units in range(MAX_LISTED + 1):
        write(sweep_dir, units, Ending.FAILED, "x" * 1000)
    account = describe_endings(SWEEP, sweep_dir)

    assert (MAX_LISTED, MAX_LISTED + 1) == (len(account["failures"]), account["num_failures"])
    assert 200 == len(account["failures"][0]["why"])


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_the_account_is_written_however_it_ends(
    error: type[BaseException] | None, sweep_dir: SweepDir
) -> None:
    """A sweep that is interrupted or fails has its account as well as one that ends."""

    def run() -> None:
        with recording_summary(sweep_dir):
            write(sweep_dir, 0, Ending.COMPLETE)
            if error:
                raise error

    if error:
        with pytest.raises(error):
            run()
    else:
        run()
    assert {"complete": 1} == read_ended(sweep_dir)["runs"]


def test_the_account_is_not_read(sweep_dir: SweepDir) -> None:
    """A sweep that was read and is written again, as when it is resumed, has none."""
    before = sweep_dir.sweep_file.read_text()
    with recording_summary(sweep_dir):
        write(sweep_dir, 0, Ending.COMPLETE)
    kept = read_ended(sweep_dir)
    Sweep.read(sweep_dir).write(sweep_dir)

    assert {"complete": 1} == kept["runs"]
    assert before == sweep_dir.sweep_file.read_text()


def test_a_sweep_that_vanished_has_no_account(sweep_dir: SweepDir) -> None:
    """Where the account cannot be written, what the sweep came to is not an error."""
    with recording_summary(sweep_dir):
        sweep_dir.sweep_file.unlink()
        sweep_dir.path.rmdir()

    assert not sweep_dir.path.exists()


TOY = """
    from pathlib import Path

    def train(run):
        if run.hparams["x"] == 2 and not Path(FLAG).exists():
            raise ValueError("two is not allowed")
        return {"loss": 0.5}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("x", Discrete([1, 2, 3]))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


def test_a_resumed_sweep_is_told_whole(write_module: WriteModule, tmp_path: Path) -> None:
    """After `resume` the account has the runs of all sessions, and what was made again."""
    flag = tmp_path / "flag"
    sweeps = InlineSweeps(write_module(TOY.replace("FLAG", repr(str(flag)))), tmp_path / "logs")
    sweep_dir = sweeps.launch()
    before = read_ended(sweep_dir)
    flag.touch()
    sweeps.resume(sweep_dir, failed=True)
    after = read_ended(sweep_dir)

    assert {"complete": 2, "failed": 1} == before["runs"]
    assert ({"complete": 3}, {"failed": 1}) == (after["runs"], after["earlier_attempts"])
    assert "ValueError: two is not allowed" in after["failures"][0]["why"]
