"""Tests of the host of a node by itself, without Ray."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import AssignmentError, ExecutorError
from hparams_lab.executors.base import Finished, Job, JobEnd
from hparams_lab.executors.process.messages import JobReport
from hparams_lab.executors.ray.host import (
    Host,
    HostFailed,
    HostReady,
    HostSpec,
    Stopped,
    package_version,
)
from hparams_lab.testing.executors import add, ask_each, fail_to_set_up, wait_until
from tests.support import jobs

pytestmark = pytest.mark.slow

SPEC = HostSpec(
    functions=pickle.dumps((int, jobs.perform)),
    sys_path=sys.path,
    version=package_version(),
    options={"num_workers": 2},
)


def make_host_spec(setup: Any, work: Any) -> HostSpec:
    """Return what a host is started with, that has such functions."""
    return replace(SPEC, functions=pickle.dumps((setup, work)))


@pytest.fixture
def make_host() -> Iterator[Callable[[HostSpec], Host]]:
    """Return what makes a host, which is closed after the test."""
    hosts: list[Host] = []

    def make(spec: HostSpec) -> Host:
        hosts.append(Host(spec))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


def hear(host: Host, count: int) -> list[Any]:
    """Return so many messages of a host."""
    messages: list[Any] = []
    while len(messages) < count:
        messages += host.hear()
    return messages


def test_host_says_that_it_is_ready(make_host: Callable[[HostSpec], Host]) -> None:
    """The first message is that setup is done."""
    assert [HostReady("")] == make_host(SPEC).hear()


def test_job_ends_with_its_result(make_host: Callable[[HostSpec], Host], tmp_path: Path) -> None:
    """The end of a job is said."""
    host = make_host(make_host_spec(int, add))
    host.hear()
    host.submit(Job(3, 4, tmp_path / "output.log"))

    assert [Finished(3, 4)] == host.hear()


def test_reports_are_answered(make_host: Callable[[HostSpec], Host], tmp_path: Path) -> None:
    """What a job asks is said, and what is replied comes to the job."""
    host = make_host(make_host_spec(int, ask_each))
    host.hear()
    host.submit(Job(3, ["a"], tmp_path / "output.log"))
    said = host.hear()
    host.reply(3, "b")

    assert [JobReport(3, "a")] == said
    assert [Finished(3, ["b"])] == host.hear()


def test_stop_is_the_last_of_the_ends(
    make_host: Callable[[HostSpec], Host], tmp_path: Path
) -> None:
    """Jobs that are stopped end, and then it is said that all have."""
    host = make_host(SPEC)
    host.hear()
    host.submit(Job(3, ("sleep_noted", tmp_path / "pid"), tmp_path / "output.log"))
    wait_until((tmp_path / "pid").exists)
    host.stop(30.0)
    ended, stopped = hear(host, 2)

    assert (3, JobEnd.INTERRUPTED) == (ended.job_id, ended.end)
    assert Stopped() == stopped


FAILURES = {
    "setup": (
        make_host_spec(jobs.raise_key_error, jobs.perform),
        ExecutorError,
        "no such column",
    ),
    "version": (
        replace(SPEC, version="0.0.1"),
        ExecutorError,
        "all nodes must have the same hparams_lab; this one has .*, the program 0.0.1",
    ),
    "code": (
        replace(SPEC, functions=b"cno_such_module\nfunction\n."),
        ExecutorError,
        "all nodes must have the same code .* No module named 'no_such_module'",
    ),
}


@pytest.mark.parametrize(("spec", "kind", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_is_said(
    spec: HostSpec, kind: type[Exception], message: str, make_host: Callable[[HostSpec], Host]
) -> None:
    """A host that cannot do jobs says why, in one message."""
    (said,) = make_host(spec).hear()

    assert isinstance(said, HostFailed)
    with pytest.raises(kind, match=message):
        raise said.error


def test_error_of_ours_keeps_its_class(make_host: Callable[[HostSpec], Host]) -> None:
    """An error of ours that setup raises is said in its own class."""
    setup = (fail_to_set_up, AssignmentError("hparam 'x' must be small."))
    spec = make_host_spec(partial(*setup), add)

    assert AssignmentError is type(make_host(spec).hear()[0].error)
