from __future__ import annotations

import math
import re

import numpy as np
import pytest

from hparams_lab.events.schema import Status
from hparams_lab.runs.run import RunSpec
from tests.support.worker_runs import GOOD, Train, execute_and_read, fail_with


class SilentError(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("nor can this")


class Torn:
    """A number that cannot be had, as a tensor of two elements."""

    def __float__(self) -> float:
        raise RuntimeError("a tensor of 2 elements cannot be converted")


MISTAKES: dict[str, tuple[Train, str]] = {
    "raises": (fail_with(ValueError("no such file")), r"^ValueError: no such file \(worker_runs"),
    "exits": (fail_with(SystemExit(3)), r"^train called sys\.exit\(3\); return the metrics"),
    "silent_error": (fail_with(SilentError()), r"SilentError: <exception str\(\) failed>"),
    "no_dict": (lambda run: 0.5, r"must return a dict of metric to number; got 0\.5\."),
    "nothing": (lambda run: None, r"neither returned nor logged metric 'loss'\. .*'accuracy'"),
    "forgotten": (lambda run: {"loss": 0.5}, r"neither returned nor logged metric 'accuracy'"),
    "unknown": (lambda run: {**GOOD, "extra": 1.0}, r"metric 'extra', which is not declared"),
    "misspelt": (lambda run: {**GOOD, "lost": 1.0}, r"'lost', .* Did you mean 'loss'\?"),
    "nan": (
        lambda run: {**GOOD, "loss": math.nan},
        r"'loss' must be finite; got nan\.",
    ),
    "infinite": (
        lambda run: {**GOOD, "loss": -math.inf},
        r"'loss' must be finite; got -inf\.",
    ),
    "text": (lambda run: {**GOOD, "loss": "low"}, r"'loss' must be a number; got 'low'\."),
    "list": (lambda run: {**GOOD, "loss": [1] * 99}, r"'loss' must be a number; got \[1, .*\.\.\."),
    "array": (lambda run: {**GOOD, "loss": np.ones(2)}, r"'loss' must be a number; got array"),
    "torn": (lambda run: {**GOOD, "loss": Torn()}, r"'loss' must be a number; got <.*Torn"),
    "too_large": (lambda run: {**GOOD, "loss": 10**400}, r"'loss' must be a number; got 1000"),
    "step_back": (
        lambda run: [run.scalar("loss", 1.0, step) for step in (1, 0)],
        r"the steps of 'loss' must not go back",
    ),
}


@pytest.mark.parametrize(("train", "failure"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_a_failure_with_a_sentence(train: Train, failure: str, spec: RunSpec) -> None:
    """What train does wrong ends its run as FAILURE and is said in words."""
    outcome, record = execute_and_read(train, spec)

    assert (Status.FAILURE, Status.FAILURE) == (outcome.status, record.status)
    assert re.search(failure, outcome.reason)


def test_what_can_be_written_is_written(spec: RunSpec) -> None:
    """A misspelt metric does not cost the others, nor itself."""
    outcome, record = execute_and_read(lambda run: {**GOOD, "lost": 2.0}, spec)

    assert {**GOOD, "lost": 2.0} == outcome.metrics == record.last_values
