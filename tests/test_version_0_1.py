"""Logs of version 0.1 read as they did then.

They hold a grid, folds, pruned, failed, retried, resumed, archived and imported runs, in a
directory and in an object store; data/version_0_1/make.py wrote them. The golden files were
written by version 0.1 itself, and since then changed in wording only.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from google.protobuf import json_format, text_format

import hparams_lab as lab
from hparams_lab.dashboard.view.view import open_view
from tests.conftest import CheckGolden
from tests.support.oracle import Board, read_board
from tests.support.s3 import S3

LOGS = Path(__file__).parent / "data" / "version_0_1" / "logs.zip"
SWEEPS = {
    "grid": "2026-11-18_09-00",
    "folds": "2026-11-18_09-10",
    "pruned": "2026-11-19_09-00",
    "failed": "2026-11-19_09-10",
    "resumed": "2026-11-19_09-20",
    "changed": "2026-11-20_09-00",
    "reused": "2026-11-20_09-10",
    "raced": "2026-11-20_09-20",
}
COMMANDS = {
    "list": ["list"],
    **{f"show_{name}": ["show", "hill", sweep_id] for name, sweep_id in SWEEPS.items()},
    **{f"best_{name}": ["best", "hill", sweep_id] for name, sweep_id in SWEEPS.items()},
    "show_all": ["show", "hill", "all"],
    "show_json": ["show", "hill", "2026-11-19_09-10", "--format=json"],
    "show_where": ["show", "hill", "all", "--where=ending == 'timed out' or rate < 0.05"],
    "show_imported": ["show", "valley"],
    "show_folds_of_sklearn": ["show", "LogisticRegression"],
    "best_json": ["best", "hill", "2026-11-20_09-20", "--format=json"],
    "compare_days": ["compare", "hill"],
    "compare_sweeps": ["compare", "hill", "--by=sweep", "--format=json"],
    "compare_commits": ["compare", "hill", "--by=commit", "--where=kind == 'good'"],
    "effects": ["effects", "hill"],
    "effects_json": ["effects", "hill", "2026-11-18_09-00", "--format=json"],
    "pareto": ["effects", "hill", "--pareto=height,loss:min"],
    "export_trials": ["export", "hill"],
    "export_runs": ["export", "hill", "--rows=runs", "--until=2026-11-19T10"],
    "diff": ["diff", "2026-11-18_09-00/0017", "2026-11-20_09-00/0017"],
    "diff_runs": ["diff", "2026-11-18_09-10/0000/r00f01", "2026-11-18_09-00/0000", "--format=json"],
    "doctor": ["doctor", "hill"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the log directory `logs`, and `bucket` with what an S3 bucket held."""
    folder = tmp_path_factory.mktemp("project")
    with zipfile.ZipFile(LOGS) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture(autouse=True)
def _terminal(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TZ", "UTC")


def run(*words: str) -> None:
    """Run the program in this process."""
    with pytest.raises(SystemExit):
        lab.main(argv=words)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_it_printed(
    name: str, project: Path, capsys: pytest.CaptureFixture[str], check_golden: CheckGolden
) -> None:
    """Each command that reads says of those logs what version 0.1 said."""
    run(*COMMANDS[name])
    printed = capsys.readouterr()

    # The importances come from random trees, where the last bit decides on a split.
    tolerance = 0.02 if name.startswith("effects") else 0.0
    text = _neutral(printed.out + printed.err, project)
    check_golden(f"version_0_1/{name}.txt", text, tolerance=tolerance)


def _neutral(printed: str, project: Path) -> str:
    """Return a text without what is this machine's: its folders, its installation."""
    text = printed.replace(str(project), "PROJECT").replace("\r\n", "\n")
    return re.sub(r"(?s)^Python \d.*?open files\n", "", text)


def test_plain_tensorboard_shows_what_it_showed(project: Path, check_golden: CheckGolden) -> None:
    """TensorBoard's backend makes of the experiment's directory what it made of it."""
    check_golden("version_0_1/board.txt", format_board(read_board(project / "logs" / "hill")))


def test_the_dashboard_shows_what_it_showed(project: Path, check_golden: CheckGolden) -> None:
    """A view of all experiments has the same columns and rows."""
    with open_view(project / "logs") as view:
        board = read_board(view.path)

    check_golden("version_0_1/view.txt", format_board(board))


def format_board(board: Board) -> str:
    """Return all that a board shows as text, row by row."""
    rows = sorted(
        f"{group.name}: {json_format.MessageToJson(group, indent=None, sort_keys=True)}\n"
        for group in board.session_groups
    )
    return text_format.MessageToString(board.experiment) + "".join(rows)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["show", "hill"], ["export", "hill"], ["doctor", "hill"]])
def test_an_object_store_reads_as_it_did(
    words: list[str],
    s3: S3,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    check_golden: CheckGolden,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What version 0.1 left in a bucket reads the same by its URL."""
    monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", str(tmp_path))
    url = s3.make_bucket()
    s3.fill(url, project / "bucket" / "logs")
    capsys.readouterr()
    run(*words, f"--logdir={url}")
    printed = capsys.readouterr()

    text = _neutral(printed.out + printed.err, project).replace(url, "URL")
    check_golden(f"version_0_1/url_{words[0]}.txt", text)
