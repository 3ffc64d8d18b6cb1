"""The program on a URL: what one machine wrote to S3, others read, resume and put away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import hparams_lab as lab
from hparams_lab.remote.store import Store
from tests.remote.conftest import OnMachine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "hill"], "3 of 3 trials, 3 SUCCESS"),
        (["best", "hill"], "  height     8"),
        (["list"], "hill  1 sweep "),
        (["export", "hill", "--format=csv"], "s3://bucket"),
        (["compare", "hill", "--by=sweep"], "hill"),
        (["doctor", "hill"], "s3://bucket"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_what_one_machine_wrote_another_reads(
    swept: OnMachine, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    """Each command that reads finds the sweep that another machine ran."""
    capsys.readouterr()
    code = swept("second", *words)
    printed = capsys.readouterr().out

    assert 0 == code
    assert expected in printed


def test_what_is_printed_names_the_url(
    swept: OnMachine, url: str, capsys: pytest.CaptureFixture[str], workplace: Path
) -> None:
    """Commands to type next, and places, are of the URL, and not of its mirror."""
    swept("first", "best", "hill")
    swept("first", "show", "nothing")
    printed = "".join(capsys.readouterr())

    assert (
        f"replay: hparams_lab run hill --seed=0 --set=x=4.0 --set=kind=good --logdir={url}"
        in printed
    )
    assert f"directory  {url}/hill/" in printed
    assert f"no experiment 'nothing' in {url}" in printed
    assert str(workplace / "first") not in printed


def test_documents_name_the_url(
    swept: OnMachine, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths in JSON are of the URL, and can be given to `diff` again."""
    capsys.readouterr()
    swept("second", "show", "hill", "--format=json")
    trials = json.loads(capsys.readouterr().out)["trials"]
    paths = [trial["runs"][0]["path"] for trial in trials]
    code = swept("second", "diff", *paths[:2])

    assert all(path.startswith(f"{url}/hill/") for path in paths)
    assert 0 == code


def test_what_is_put_away_is_away_everywhere(
    swept: OnMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sweep archived on one machine is restored on another, and back on the first."""
    codes = [
        swept("second", "archive", "hill", "all"),
        swept("first", "show", "hill"),
        swept("third", "restore", "hill", "all"),
        swept("first", "show", "hill"),
        swept("second", "show", "hill"),
    ]

    assert [0, 2, 0, 0, 0] == codes
    assert "has no sweep" in capsys.readouterr().err


def test_what_is_deleted_leaves_nothing(swept: OnMachine, url: str) -> None:
    """Once all sweeps are deleted, nothing lies below the URL."""
    code = swept("second", "delete", "hill", "all", "--yes")

    assert 0 == code
    assert {} == Store(url).list()


def test_a_preview_writes_nothing(on_machine: OnMachine, url: str) -> None:
    """A dry run leaves the store as it was."""
    assert 0 == on_machine("first", "run", "hill", "--dry_run")
    assert {} == Store(url).list()


def test_a_sweep_is_finished_elsewhere(
    swept: OnMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    """What one machine began another extends, and a third shows all of it."""
    resumed = swept("second", "resume", "hill", "--extend=x=3.0", "--executor=inline")
    capsys.readouterr()
    swept("third", "show", "hill")

    assert 0 == resumed
    assert "4 SUCCESS" in capsys.readouterr().out


def test_runs_are_read_by_url(
    swept: OnMachine, url: str, monkeypatch: pytest.MonkeyPatch, workplace: Path
) -> None:
    """`lab.read_runs` takes a URL, of all experiments or of one."""
    monkeypatch.setenv("HPARAMS_LAB_CACHE_DIR", str(workplace / "second"))

    assert [3, 3] == [len(lab.read_runs(each)) for each in (url, f"{url}/hill")]
    assert {"hill"} == {run.dir.experiment for run in lab.read_runs(f"{url}/hill")}


def test_a_folder_needs_nothing_of_this(tmp_path: Path) -> None:
    """Commands on a folder import neither stores nor mirrors."""
    check = (
        "import sys\nfrom hparams_lab.cli.main import main\n"
        f"try:\n    main(argv=['list', '--logdir={tmp_path}'])\n"
        "except SystemExit:\n    sys.exit({'s3fs', 'hparams_lab.remote.store'} & {*sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", check], capture_output=True, check=False)

    assert b"set()\n" == ended.stderr


def test_no_lease_is_left(swept: OnMachine, url: str) -> None:
    """A sweep that has ended leaves no word in the store of who ran it."""
    assert [] == [name for name in Store(url).list() if name.startswith(".leases")]
    assert 0 == swept("second", "show", "hill")
