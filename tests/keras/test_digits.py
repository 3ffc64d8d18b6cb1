"""The digits experiment, swept by the real program: TensorFlow in forked processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.schema import Status
from tests.support.program import read_sweep, run_program, words_of

pytestmark = pytest.mark.slow

DIGITS = Path(__file__).parent.parent.parent / "experiments" / "digits.py"
SETTINGS = ["num_units=16", "learning_rate=0.01,0.1"]

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, list[RunRecord]]:
    """Two runs at a time, each in a process of its own."""
    logdir = tmp_path_factory.mktemp("process")
    done = run_program(words_of(DIGITS, logdir, SETTINGS))
    return done, read_sweep(logdir)


@pytest.fixture(scope="module")
def swept_inline(tmp_path_factory: pytest.TempPathFactory) -> list[RunRecord]:
    """The same trials one after the other in the program's own process."""
    logdir = tmp_path_factory.mktemp("inline")
    words = [word for word in words_of(DIGITS, logdir, SETTINGS) if word != "--workers=2"]
    run_program([*words, "--executor=inline"])
    return read_sweep(logdir)


def test_stderr_is_empty(swept: tuple[Done, list[RunRecord]]) -> None:
    """TensorFlow's chatter does not reach the user, and nothing else is said."""
    done, _ = swept

    assert (0, "") == (done.returncode, done.stderr)
    assert not [line for line in done.stdout.splitlines() if "tensorflow" in line.lower()]


def test_runs_leave_no_output(swept: tuple[Done, list[RunRecord]]) -> None:
    """A run that printed nothing but chatter has no output.log."""
    _, records = swept

    assert [Status.SUCCESS] * 2 == [record.status for record in records]
    assert [False] * 2 == [record.dir.output_file.exists() for record in records]


def test_forked_runs_are_fast(swept: tuple[Done, list[RunRecord]]) -> None:
    """Runs are forked from a process that has TensorFlow: there is no notice of the contrary."""
    done, _ = swept

    assert "starts a new interpreter" not in done.stdout


def test_curves_have_a_point_an_epoch(swept: tuple[Done, list[RunRecord]]) -> None:
    """`run.callbacks()` wrote each epoch's logs, and reported the objective's."""
    curves = ["train/accuracy", "train/loss", "validation/accuracy", "validation/loss"]
    curves += ["report/accuracy", "learning_rate"]
    for record in swept[1]:
        assert {*curves, "accuracy", "loss"} == {*record.curves}
        assert [list(range(10))] * 6 == [record.curves[tag].steps for tag in curves]


def test_final_value_is_the_last_epoch_s(swept: tuple[Done, list[RunRecord]]) -> None:
    """What train returned agrees with the validation logs of the last epoch."""
    for record in swept[1]:
        values = record.last_values

        assert pytest.approx(values["validation/accuracy"]) == values["accuracy"]
        assert values["accuracy"] > 0.8


def test_executor_does_not_change_the_numbers(
    swept: tuple[Done, list[RunRecord]], swept_inline: list[RunRecord]
) -> None:
    """The same seed gives the same numbers, up to rounding, in one process and in several."""
    assert [record.seed for record in swept[1]] == [record.seed for record in swept_inline]
    for record, inline in zip(swept[1], swept_inline, strict=True):
        assert pytest.approx(inline.last_values, abs=1e-3) == record.last_values
