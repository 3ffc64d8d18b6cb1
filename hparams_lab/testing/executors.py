"""The contract that every executor fulfils, as tests to inherit, and jobs to run on it.

The functions are importable by name, as an executor may call them in another process.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import AssignmentError, DeclarationError
from hparams_lab.executors.base import Answer, Ask, Executor, Finished, Job, JobEnd, Setup, Work


def add(state: int, argument: int, ask: Ask) -> int:
    """Return the sum."""
    return state + argument


def note_call(file: Path, state: int) -> int:
    """Append a line to a file and return the state: a setup that can be counted."""
    with file.open("a") as calls:
        calls.write("called\n")
    return state


def divide(state: int, argument: int, ask: Ask) -> float:
    """Return the quotient, which zero has none of."""
    return state / argument


def fail_to_set_up(error: Exception) -> int:
    """Fail, as a setup may.

    Raises:
        Exception: the error.
    """
    raise error


def sleep_with_pid_noted(folder: Path, argument: int, ask: Ask) -> None:
    """Leave a file named for this process in a folder, then sleep for a minute."""
    (folder / str(os.getpid())).touch()
    time.sleep(60)


def ask_each(state: object, argument: Iterable[Any], ask: Ask) -> list[Any]:
    """Ask with each element of the argument and return the answers."""
    return [ask(message) for message in argument]


def ask_whatever_happens(state: object, argument: object, ask: Ask) -> str:
    """Ask with the argument and go on without an answer, as a train function might."""
    try:
        ask(argument)
    except Exception:
        return "went on"
    return "was answered"


def answer_none(job_id: int, message: object) -> None:
    """Answer nothing of interest."""


def echo(job_id: int, message: object) -> tuple[int, object]:
    """Answer the id of the job that asks and what it asks."""
    return job_id, message


def refuse(job_id: int, message: object) -> None:
    """Fail to answer, as a strategy may.

    Raises:
        AssignmentError: always.
    """
    raise AssignmentError(f"cannot answer {message!r}.")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended but is not reaped does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # without /proc only the signal can say
    return state not in "ZX"


def wait_until(condition: Callable[[], bool], *, timeout_secs: float = 30.0) -> None:
    """Return once the condition holds.

    Raises:
        TimeoutError: if it does not in that time.
    """
    deadline = time.monotonic() + timeout_secs
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not come true in {timeout_secs} seconds")
        time.sleep(0.01)


def wait_for(executor: Executor, answer: Answer = answer_none) -> Finished:
    """Return the next job to end, however long it takes."""
    finished = executor.wait(answer)
    assert finished is not None, "only a wait of limited time may end without a job"
    return finished


def run_jobs(
    executor: Executor,
    arguments: Iterable[object],
    output_dir: Path,
    *,
    answer: Answer = answer_none,
) -> dict[int, Finished]:
    """Run a job for each argument, as many at a time as may be.

    Args:
        executor: ready, with nothing unfinished.
        arguments: of the jobs, whose ids count from 0.
        output_dir: for what they print, in `<id>.log`.
        answer: called with what they ask.

    Returns:
        Job id to its end.

    Raises:
        AssertionError: if a job ends twice.
    """
    ends: dict[int, Finished] = {}
    waiting = [
        Job(index, argument, output_dir / f"{index}.log")
        for index, argument in enumerate(arguments)
    ]
    num_jobs, num_running = len(waiting), 0
    while len(ends) < num_jobs:
        while waiting and num_running < executor.num_workers:
            executor.submit(waiting.pop(0))
            num_running += 1
        finished = wait_for(executor, answer)
        num_running -= 1
        assert finished.job_id not in ends, f"job {finished.job_id} ended twice"
        ends[finished.job_id] = finished
    return ends


class ExecutorContract(ABC):
    """Inherit it in a test class and say how the executor is made.

    Example:
        class TestInlineExecutor(ExecutorContract):
            def make_executor(self, setup, work, num_workers):
                return InlineExecutor(setup, work)
    """

    @abstractmethod
    def make_executor(self, setup: Setup, work: Work, num_workers: int) -> Executor:
        """Return an executor that has not begun.

        Args:
            setup: called once.
            work: called for each job.
            num_workers: jobs at a time, where it can do more than one.
        """

    def make_ready(self, setup: Setup, work: Work) -> Executor:
        """Return an executor for two jobs at a time that can take them."""
        executor = self.make_executor(setup, work, 2)
        executor.start()
        executor.ready()
        return executor

    def test_results_come_back(self, tmp_path: Path) -> None:
        """Each job's result is what work returned for setup's state and its argument."""
        with self.make_ready(partial(int, "100"), add) as executor:
            ends = run_jobs(executor, [0, 1, 2], tmp_path)

        assert {job_id: Finished(job_id, 100 + job_id) for job_id in range(3)} == ends

    def test_each_job_ends_once(self, tmp_path: Path) -> None:
        """More jobs than workers all end, and each once."""
        with self.make_ready(int, add) as executor:
            ends = run_jobs(executor, range(7), tmp_path)

        assert set(range(7)) == set(ends)

    def test_unfinished_jobs_may_be_as_many_as_workers(self, tmp_path: Path) -> None:
        """As many jobs as there are workers can be begun before one is waited for."""
        with self.make_ready(int, add) as executor:
            ids = list(range(executor.num_workers))
            for job_id in ids:
                executor.submit(Job(job_id, job_id, tmp_path / f"{job_id}.log"))
            ended = [wait_for(executor).job_id for _ in ids]

        assert ids == sorted(ended)

    def test_limited_wait_loses_no_job(self, tmp_path: Path) -> None:
        """A job that has not ended when a wait is over is returned by a later one, once."""
        with self.make_ready(partial(int, "1"), add) as executor:
            executor.submit(Job(0, 1, tmp_path / "0.log"))
            finished = None
            while finished is None:
                finished = executor.wait(answer_none, 0.001)

            assert Finished(0, 2) == finished
            assert [] == executor.stop(0.0)

    def test_setup_is_called(self, tmp_path: Path) -> None:
        """Setup has been called when the executor is ready."""
        with self.make_ready(partial(note_call, tmp_path / "calls", 0), add):
            calls = (tmp_path / "calls").read_text().splitlines()

        assert ["called"] == calls

    def test_error_of_setup_is_raised(self) -> None:
        """An error of ours that setup raises is raised from ready, in its own class."""
        setup = partial(fail_to_set_up, AssignmentError("hparam 'x' must be small; got 9."))
        with self.make_executor(setup, add, 2) as executor:
            executor.start()

            with pytest.raises(AssignmentError, match="hparam 'x' must be small; got 9"):
                executor.ready()

    def test_error_of_setup_keeps_its_parts(self) -> None:
        """A declaration error comes with each of its problems."""
        problems = ("name it.", "measure something.")
        setup = partial(fail_to_set_up, DeclarationError(problems))
        with self.make_executor(setup, add, 2) as executor:
            executor.start()

            with pytest.raises(DeclarationError, match="measure something") as caught:
                executor.ready()

        assert problems == caught.value.problems

    def test_exception_of_work_is_a_death(self, tmp_path: Path) -> None:
        """An exception of work is its job's end, an error, and is not raised."""
        with self.make_ready(int, divide) as executor:
            ends = run_jobs(executor, [0], tmp_path)

        assert (None, JobEnd.ERROR) == (ends[0].result, ends[0].end)
        assert "ZeroDivisionError" in ends[0].reason

    def test_jobs_go_on_after_a_death(self, tmp_path: Path) -> None:
        """The job after one that died returns its result."""
        with self.make_ready(partial(int, "6"), divide) as executor:
            ends = run_jobs(executor, [0, 2], tmp_path)

        assert Finished(1, 3.0) == ends[1]

    def test_stop_returns_the_unfinished(self, tmp_path: Path) -> None:
        """Stop returns every unfinished job once, with a death."""
        with self.make_ready(partial(Path, tmp_path), sleep_with_pid_noted) as executor:
            ids = list(range(executor.num_workers))
            for job_id in ids:
                executor.submit(Job(job_id, 0, tmp_path / f"{job_id}.log"))
            stopped = executor.stop(0.0)

        assert ids == sorted(finished.job_id for finished in stopped)
        assert all(finished.reason and finished.end for finished in stopped)

    def test_stop_of_nothing_returns_nothing(self, tmp_path: Path) -> None:
        """Where all jobs have ended, stop returns none of them again."""
        with self.make_ready(int, add) as executor:
            run_jobs(executor, [1, 2], tmp_path)

            assert [] == executor.stop(0.0)

    def test_answers_come_back(self, tmp_path: Path) -> None:
        """A job is answered what it asks, and its result follows."""
        with self.make_ready(int, ask_each) as executor:
            ends = run_jobs(executor, [["a", 2]], tmp_path, answer=echo)

        assert Finished(0, [(0, "a"), (0, 2)]) == ends[0]

    def test_jobs_have_their_own_answers(self, tmp_path: Path) -> None:
        """However jobs' messages mix, each job is answered its own."""
        with self.make_ready(int, ask_each) as executor:
            ends = run_jobs(executor, [range(50)] * 4, tmp_path, answer=echo)

        for job_id in range(4):
            assert [(job_id, index) for index in range(50)] == ends[job_id].result

    def test_large_messages_are_told(self, tmp_path: Path) -> None:
        """A message may be larger than any pipe."""
        message = b"x" * (1 << 20)
        with self.make_ready(int, ask_each) as executor:
            ends = run_jobs(executor, [[message]], tmp_path, answer=lambda _, message: len(message))

        assert [1 << 20] == ends[0].result

    def test_the_waiting_thread_answers(self, tmp_path: Path) -> None:
        """All messages are answered in order, in the thread that waits."""
        heard = []

        def note(job_id: int, message: int) -> None:
            heard.append((threading.get_ident(), message))

        with self.make_ready(int, ask_each) as executor:
            run_jobs(executor, [range(20)], tmp_path, answer=note)

        assert [(threading.get_ident(), message) for message in range(20)] == heard

    @pytest.mark.parametrize("work", [ask_each, ask_whatever_happens])
    def test_error_of_answer_is_raised(self, work: Work, tmp_path: Path) -> None:
        """What the owner's answer raises is raised from wait, and stop ends the job."""
        with self.make_ready(int, work) as executor:
            executor.submit(Job(0, "a", tmp_path / "0.log"))

            with pytest.raises(AssignmentError, match="cannot answer 'a'"):
                executor.wait(refuse)
            assert [0] == [finished.job_id for finished in executor.stop(30.0)]

    def test_jobs_go_on_after_an_error_of_answer(self, tmp_path: Path) -> None:
        """Once a job without an answer is stopped, others are answered."""
        with self.make_ready(int, ask_each) as executor:
            executor.submit(Job(0, "a", tmp_path / "0.log"))
            with pytest.raises(AssignmentError, match="cannot answer 'a'"):
                executor.wait(refuse)
            executor.stop(30.0)
            ends = run_jobs(executor, ["b"], tmp_path, answer=echo)

        assert [(0, "b")] == ends[0].result

    def test_close_ends_the_unfinished(self, tmp_path: Path) -> None:
        """Close leaves no process of an unfinished job."""
        executor = self.make_ready(partial(Path, tmp_path), sleep_with_pid_noted)
        executor.submit(Job(0, 0, tmp_path / "output.log"))
        executor.close()

        pids = {int(file.name) for file in tmp_path.iterdir() if file.name.isdigit()}
        wait_until(lambda: not any(is_alive(pid) for pid in pids - {os.getpid()}))

    def test_close_twice_is_close(self) -> None:
        """A second close does nothing."""
        executor = self.make_ready(int, add)
        executor.close()
        executor.close()

    def test_close_without_start_is_nothing(self) -> None:
        """An executor that never began can be closed."""
        self.make_executor(int, add, 2).close()
