"""The dashboard of a URL, as the real program: live, while another machine writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.machines import Gates, make_machines
from tests.support.s3 import S3
from tests.support.servers import TensorBoardServer, read_url, running

pytestmark = pytest.mark.slow


def test_it_shows_what_another_machine_writes(tmp_path: Path, s3: S3) -> None:
    """All rows are there, also of runs that are made while it is open."""
    first, second, _ = make_machines(tmp_path, s3.make_bucket(), s3.environment)
    Gates(tmp_path / "experiments").open_all()
    before = first.run("run", "steps", "--executor=inline", "--set=x=0,1")
    words = [sys.executable, "-m", "hparams_lab", "dashboard", f"--logdir={second.url}"]
    environment = {**os.environ, **second.environment, "HPARAMS_LAB_CACHE_DIR": str(second.folder)}
    with running(words, cwd=tmp_path, env=environment) as process:
        server = TensorBoardServer(read_url(process))
        server.wait_for(lambda board: board.has_ended(2))
        after = first.run("run", "steps", "--executor=inline", "--set=x=2,3")
        board = server.wait_for(lambda board: board.has_ended(4))

    assert (0, 0) == (before.returncode, after.returncode)
    assert [0.0, 1.0, 2.0, 3.0] == sorted(board.column("loss").values())
