"""Every run has a true end, whoever raises what in mid-sweep."""

from __future__ import annotations

import time

import pytest

from hparams_lab.declare.assignment import Assignment
from hparams_lab.errors import HParamsLabError
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.sweeps import loop as runner
from hparams_lab.sweeps.listeners import RunResult
from tests.support.loop_runs import (
    NotingStrategy,
    processes,
    read,
    run_all,
    wait_at_1,
    wait_deaf_at_1,
)


class StoppedError(Exception):
    """Raised by whoever is told of results."""


@pytest.mark.parametrize("error", [StoppedError, KeyboardInterrupt, BrokenPipeError])
def test_error_of_a_listener_leaves_true_ends(
    error: type[BaseException], sweep_dir: SweepDir
) -> None:
    """Whatever is raised in mid-sweep, it goes on up once each run has a true end."""
    waits = sweep_dir.path.glob

    def stop(result: RunResult) -> None:
        while not list(waits("0001-*/*/waits")):
            time.sleep(0.01)
        raise error

    with pytest.raises(error, match=r"^$"):
        run_all(processes(wait_at_1), sweep_dir, on_result=stop)

    assert {Status.SUCCESS, Status.FAILURE} == {record.status for record in read(sweep_dir)}


@pytest.mark.slow
def test_deaf_run_is_killed_after_the_grace(
    sweep_dir: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A train that does not listen to Ctrl-C is killed after the grace, and ends as FAILURE."""
    monkeypatch.setattr(runner, "GRACE_SECS", 0.2)

    def stop(result: RunResult) -> None:
        if result.trial.index == 0:
            while not list(sweep_dir.path.glob("0001-*/*/waits")):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        run_all(processes(wait_deaf_at_1), sweep_dir, on_result=stop)
    deaf = read(sweep_dir)[1]

    assert Status.FAILURE is deaf.status
    assert "the run was killed by SIGKILL\n" == deaf.dir.failure_file.read_text()


def test_error_of_the_strategy_leaves_true_ends(sweep_dir: SweepDir) -> None:
    """A strategy that fails in mid-sweep leaves no run without an end."""

    class FailingStrategy(NotingStrategy):
        def propose(self) -> Assignment | None:
            if self.observed:
                raise HParamsLabError("cannot go on.")
            return super().propose()

    with pytest.raises(HParamsLabError, match="cannot go on"):
        run_all(processes(wait_at_1), sweep_dir, strategy=FailingStrategy())

    assert not [record for record in read(sweep_dir) if record.status is Status.RUNNING]
