"""The real TensorBoard as a program that is started, asked over HTTP and always killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from tensorboard.plugins.hparams import api_pb2

from tests.support.oracle import Board, ask_for_rows

# Far beyond what any start takes; reached only where TensorBoard never gets there.
_DEADLINE_SECS = 120


@dataclass(frozen=True)
class TensorBoardServer:
    """A TensorBoard that listens.

    Attributes:
        url: without a slash at its end.
    """

    url: str

    def ask(self) -> Board:
        """Return what it shows now."""
        experiment = self._post("experiment", api_pb2.GetExperimentRequest(), api_pb2.Experiment())
        groups = self._post(
            "session_groups", ask_for_rows(experiment), api_pb2.ListSessionGroupsResponse()
        )
        return Board(experiment, groups.session_groups)

    def wait_for(self, is_loaded: Callable[[Board], bool]) -> Board:
        """Return what it shows as soon as that is what is waited for.

        Raises:
            AssertionError: if it never is; with the last answer.
        """
        deadline = time.monotonic() + _DEADLINE_SECS
        while not is_loaded(board := self.ask()):
            if time.monotonic() > deadline:
                raise AssertionError(f"TensorBoard still shows {board}")
            time.sleep(0.05)
        return board

    def _post(self, route: str, request: Any, answer: Any) -> Any:
        body = json_format.MessageToJson(request).encode()
        url = f"{self.url}/data/plugin/hparams/{route}"
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return json_format.Parse(response.read(), answer)


@contextlib.contextmanager
def running_tensorboard(logdir: Path, *, load_fast: bool) -> Iterator[TensorBoardServer]:
    """Start the real program on a free port; it and its data server are dead afterwards."""
    words = [
        *(sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)),
        *(
            "--port=0",
            "--host=127.0.0.1",
            "--reload_interval=1",
            f"--load_fast={load_fast}".lower(),
        ),
    ]
    with running(words) as process:
        yield TensorBoardServer(read_url(process))


@contextlib.contextmanager
def running(words: Sequence[str], **keywords: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a process group of its own, which is killed afterwards."""
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **keywords,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_url(process: subprocess.Popen[str]) -> str:
    """Return the first URL that a program prints, without what follows its port.

    Raises:
        AssertionError: if it ends without one; with all it printed.
    """
    printed = []
    assert process.stdout is not None
    for line in process.stdout:
        printed.append(line)
        if found := re.search(r"http://[^/\s]+:\d+", line):
            return found[0]
    raise AssertionError(f"no URL in {''.join(printed)!r}")


def list_group(group_id: int) -> list[int]:
    """Return the processes of a group that are alive."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == group_id and state not in "ZX":
                found.append(int(stat.parent.name))
    return found
