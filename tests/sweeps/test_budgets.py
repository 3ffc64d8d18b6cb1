"""Limits of a sweep: time, failures in a row, time of a run; and that there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hparams_lab.errors import UsageError
from hparams_lab.events.schema import Ending
from hparams_lab.search.catalog import STRATEGIES
from tests.conftest import WriteModule
from tests.support.program import KILL_EXPERIMENTS, assert_true_ends, read_sweep, run_program
from tests.support.resumption import InlineSweeps, list_points, read, words_for

# Runs fail where the file `bad` lists their number.
TOY = """
    from pathlib import Path

    def train(run):
        bad = Path(__file__).parent / "bad"
        if str(run.hparams["number"]) in bad.read_text():
            raise ValueError("no luck")
        return {"loss": 1.0}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[HParam("number", Discrete([1, 2, 3, 4, 5, 6])), HParam("x", DOMAIN)],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


@pytest.fixture
def toy(write_module: WriteModule, tmp_path: Path) -> InlineSweeps:
    """Sweeps over six points, none of which fails as long as `bad` is empty."""
    (tmp_path / "bad").touch()
    return InlineSweeps(write_module(TOY.replace("DOMAIN", "Discrete([0])")), tmp_path / "logs")


def test_no_run_begins_after_the_time_budget(toy: InlineSweeps) -> None:
    """When the time is over no run begins, and that is said; resumed, it goes on."""
    sweep_dir = toy.launch(time_budget_secs=1e-9)
    begun = list(toy.results)
    result = toy.resume(sweep_dir, time_budget_secs=1e-9)

    assert "the time budget is used up" == result.stopped
    assert [] == begun + toy.results
    assert ("", 6) == (toy.resume(sweep_dir).stopped, len(read(sweep_dir)))


def test_time_budget_is_of_each_launch(toy: InlineSweeps) -> None:
    """A budget that was used up does not count when the sweep is resumed without one."""
    sweep_dir = toy.launch(time_budget_secs=1e-9)

    assert "" == toy.resume(sweep_dir, time_budget_secs=60.0).stopped
    assert 6 == len(toy.results)


def test_failures_in_a_row_stop_the_sweep(toy: InlineSweeps, tmp_path: Path) -> None:
    """After so many failures in a row no run begins; the reason is given."""
    (tmp_path / "bad").write_text("1 3 4")
    sweep_dir = toy.launch(max_failures=2)

    assert 4 == len(toy.results)
    (tmp_path / "bad").write_text("")
    result = toy.resume(sweep_dir, max_failures=2)
    assert ("", [5, 6]) == (result.stopped, [p["number"] for p in list_points(toy.results)])


def test_reason_counts_the_failures(toy: InlineSweeps, tmp_path: Path) -> None:
    """The reason has the number of failures, in good English."""
    (tmp_path / "bad").write_text("1 2 3 4 5 6")
    sweep_dir = toy.launch(max_failures=1)

    assert "2 runs in a row failed" == toy.resume(sweep_dir, max_failures=2).stopped
    assert "1 run failed" == toy.resume(sweep_dir, max_failures=1).stopped


def test_failures_with_successes_between_do_not_stop_it(toy: InlineSweeps, tmp_path: Path) -> None:
    """Failures that are not in a row are only counted one by one."""
    (tmp_path / "bad").write_text("1 3 5")
    toy.launch(max_failures=2)

    assert 6 == len(toy.results)


def test_search_that_is_over_was_not_stopped(toy: InlineSweeps, tmp_path: Path) -> None:
    """A limit that is met by the last run of all stops nothing, and asks for no resume."""
    sweep_dir = toy.launch(trials=1)
    (tmp_path / "bad").write_text("2")

    assert "" == toy.resume(sweep_dir, trials=2, max_failures=1).stopped


INFINITE = [name for name in STRATEGIES if name not in ("grid", "one_at_a_time")]


@pytest.mark.parametrize("search", INFINITE)
def test_search_without_an_end_is_refused(
    search: str, write_module: WriteModule, tmp_path: Path
) -> None:
    """A search that never runs out of points needs a limit, and says which there are."""
    source = write_module(TOY.replace("DOMAIN", "RealInterval(0.0, 1.0)"))
    toy = InlineSweeps(source, tmp_path / "logs")
    with pytest.raises(UsageError, match=r"never runs out .* --trials=N or --time_budget_secs=S"):
        toy.launch(search=search)

    assert not (tmp_path / "logs").exists()


def test_run_timeout_needs_processes(toy: InlineSweeps) -> None:
    """Runs in this very process cannot be stopped in time, so that is refused."""
    with pytest.raises(UsageError, match=r"--run_timeout_secs=1\.0 needs processes"):
        toy.launch(run_timeout_secs=1.0)


@pytest.mark.slow
def test_running_runs_finish_after_the_time_budget(tmp_path: Path) -> None:
    """The program lets running runs finish, says why it ends and how to go on, and exits 0."""
    path = KILL_EXPERIMENTS / "short.py"
    words = words_for("run", path, tmp_path, "--workers=2", "--time_budget_secs=0.5")
    done = run_program(words, os.environ | {"SHORT_RUN_SECS": "1"})

    assert (0, "") == (done.returncode, done.stderr)
    assert [Ending.COMPLETE] * 2 == [run.ending for run in read_sweep(tmp_path)]
    assert "stopped, as the time budget is used up; 2 of 60 trials ended" in done.stdout
    assert f"hparams_lab resume {path} " in done.stdout


@pytest.mark.slow
def test_search_without_an_end_goes_on_with_a_limit(tmp_path: Path) -> None:
    """A search that had a time budget alone goes on with a limit of all its trials."""
    path = KILL_EXPERIMENTS / "short.py"
    flags = ["--search=random", "--time_budget_secs=0.3", "--workers=1"]
    run_program(words_for("run", path, tmp_path, *flags), os.environ | {"SHORT_RUN_SECS": "0.1"})
    num_trials = len(read_sweep(tmp_path)) + 2
    done = run_program(words_for("resume", path, tmp_path, f"--trials={num_trials}"))

    assert (0, "") == (done.returncode, done.stderr)
    assert num_trials == len(read_sweep(tmp_path))


@pytest.mark.slow
def test_run_that_takes_too_long_is_a_failure(tmp_path: Path) -> None:
    """A run that hangs is ended after --run_timeout_secs; it is a FAILURE that says so."""
    path = KILL_EXPERIMENTS / "waiting.py"
    flags = ("--set=manner=brief,cleans", "--set=turn=1", "--workers=2", "--run_timeout_secs=1")
    done = run_program(words_for("run", path, tmp_path, *flags))
    brief, hanging = read_sweep(tmp_path)

    assert (1, "") == (done.returncode, done.stderr)
    assert [Ending.COMPLETE, Ending.TIMED_OUT] == [brief.ending, hanging.ending]
    assert "FAILURE: the run was stopped after its time limit of 1 s" in done.stdout
    assert "time limit of 1 s" in hanging.dir.failure_file.read_text()
    assert_true_ends(tmp_path)
