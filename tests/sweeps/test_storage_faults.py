"""A sweep of the real program whose storage fails: it stops, in one line, and can go on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from hparams_lab.events.read.reader import is_whole
from hparams_lab.events.schema import Ending
from tests.support.program import KILL_EXPERIMENTS, read_sweep, run_program, words_of
from tests.support.resumption import words_for
from tests.support.storage_faults import on_small_disk, without_rights

pytestmark = pytest.mark.slow

MODULE = KILL_EXPERIMENTS / "storing.py"
TURNS = "turn=1,2,3,4"
STAYS = "swallows=False"


def assert_one_line(done: subprocess.CompletedProcess[str], pattern: str) -> None:
    """Check that a sweep stopped with exit code 2 and one line on stderr, which is like that."""
    assert (2, 1) == (done.returncode, done.stderr.count("\n")), done.stderr
    assert re.fullmatch(f"hparams_lab: cannot write to the log directory: {pattern}\n", done.stderr)


def count_endings(logdir: Path) -> Counter[Ending | None]:
    """Return how many runs ended in each way, after a look at their files: all are whole."""
    records = read_sweep(logdir)
    assert all(is_whole(file) for record in records for file in record.dir.event_files)
    return Counter(record.ending for record in records)


@pytest.fixture
def storing(tmp_path: Path) -> Path:
    """The experiment's file, in no checkout, whose code would be kept with each sweep."""
    return Path(shutil.copy(MODULE, tmp_path / "storing.py"))


def fill_disk(
    tmp_path: Path, storing: Path, *, swallows: bool = False
) -> subprocess.CompletedProcess[str]:
    """Sweep four runs on a disk with room for two of them; `kept` has what was on it."""
    settings = ["act=logs", TURNS, f"swallows={swallows}"]
    words = words_of(storing, tmp_path / "disk", settings)
    return on_small_disk(words, tmp_path / "disk", tmp_path / "kept", kilobytes=300)


@pytest.mark.parametrize("swallows", [False, True])
def test_a_full_disk_stops_the_sweep(swallows: bool, tmp_path: Path, storing: Path) -> None:
    """Path, error and the way to go on are said, also where train lets the error go."""
    done = fill_disk(tmp_path, storing, swallows=swallows)

    assert_one_line(
        done,
        rf"{tmp_path}/disk/\S+tfevents\S+: No space left on device\. Make room, .*"
        rf"to go on: hparams_lab resume {storing} \S+ --logdir={tmp_path}/disk",
    )


def test_what_was_complete_before_a_full_disk_stays_so(tmp_path: Path, storing: Path) -> None:
    """No run ends as a success with points missing, and no file is torn or half written."""
    fill_disk(tmp_path, storing, swallows=True)
    endings = count_endings(tmp_path / "kept")
    complete = [run for run in read_sweep(tmp_path / "kept") if run.ending is Ending.COMPLETE]

    assert {Ending.COMPLETE} <= {*endings} <= {Ending.COMPLETE, Ending.INTERRUPTED, None}
    assert all(run.metrics["loss"].num_points == 2001 for run in complete)
    assert [] == [*(tmp_path / "kept").rglob("*.tmp")]


def test_a_sweep_goes_on_when_there_is_room(tmp_path: Path, storing: Path) -> None:
    """`resume` runs what was cut short and what had not begun, and no more than that."""
    fill_disk(tmp_path, storing)
    complete = count_endings(tmp_path / "kept")[Ending.COMPLETE]
    done = run_program(words_for("resume", storing, tmp_path / "kept", "--workers=2"))

    assert 0 == done.returncode
    assert {Ending.COMPLETE: 4} == count_endings(tmp_path / "kept")
    assert 4 - complete == len(re.findall(r"^\[\d/4\]", done.stdout, re.MULTILINE))


def test_a_disk_that_is_full_at_the_start_is_left_empty(tmp_path: Path, storing: Path) -> None:
    """Where a sweep cannot be described, nothing of it stays for readers to stumble over."""
    words = words_of(storing, tmp_path / "disk", ["act=logs", TURNS, STAYS])
    done = on_small_disk(words, tmp_path / "disk", tmp_path / "kept", kilobytes=4)

    assert_one_line(done, r".*No space left on device\. Make room, or choose another .*")
    assert [tmp_path / "kept" / "storing"] == [*(tmp_path / "kept").rglob("*")]


def test_a_limit_of_file_sizes_stops_the_sweep(tmp_path: Path, storing: Path) -> None:
    """A file that may not grow is like a full disk: no run has an end that is not true."""
    # One run: whether another beside it still has room for its own end is chance.
    words = words_of(storing, tmp_path, ["act=logs", "turn=1", STAYS])
    done = run_program(["bash", "-c", 'ulimit -f 50 && exec "$@"', "bash", *words])

    assert_one_line(done, r"\S+tfevents\S+: File too large\. Allow larger files .* resume .*")
    assert {None: 1} == count_endings(tmp_path)


def test_other_runs_are_interrupted_with_true_ends(tmp_path: Path, storing: Path) -> None:
    """Where the runner can write, the run that could not and those beside it have their ends."""
    settings = ["act=limits_itself,waits", "turn=1", STAYS]
    done = run_program(words_of(storing, tmp_path, settings))

    assert_one_line(done, r"\S+tfevents\S+: File too large\. Allow larger files .* resume .*")
    assert {Ending.INTERRUPTED: 2} == count_endings(tmp_path)


@pytest.mark.parametrize("act", ["removes_sweep", "moves_sweep"])
def test_a_sweep_that_vanishes_is_not_made_anew(act: str, tmp_path: Path, storing: Path) -> None:
    """The sweep stops, says what is gone, and leaves no half of it in its place."""
    done = run_program(words_of(storing, tmp_path, [f"act={act},waits", TURNS, STAYS]))

    assert_one_line(done, rf"{tmp_path}/storing/\S+: No such file or directory\. Put it back, .*")
    assert [] == [*tmp_path.glob("storing/2*")]


def test_a_sweep_that_may_not_be_written_any_more_stops(tmp_path: Path, storing: Path) -> None:
    """Others' runs are interrupted; when it is allowed again, the sweep goes on."""
    words = words_of(storing, tmp_path, ["act=locks_sweep,logs", "turn=1", STAYS])
    done = run_program(without_rights([*words, "--workers=1"]))
    (sweep_dir,) = tmp_path.glob("storing/2*")
    sweep_dir.chmod(0o755)
    resumed = run_program(words_for("resume", storing, tmp_path, "--workers=1"))

    assert_one_line(done, rf"{sweep_dir}/\S+: Permission denied\. Allow it, .* resume .*")
    assert 0 == resumed.returncode
    assert {Ending.COMPLETE: 2} == count_endings(tmp_path)


@pytest.mark.parametrize("command", ["run", "resume"])
def test_what_cannot_be_written_is_refused_before_anything_is_loaded(
    command: str, tmp_path: Path, storing: Path
) -> None:
    """A directory of others is said at once, not after minutes of loading data."""
    logdir = tmp_path / "logs"
    logdir.mkdir()
    if command == "resume":
        run_program(words_of(storing, logdir, ["act=logs", "turn=1", STAYS]))
    for folder in (*logdir.glob("storing/2*"), logdir):
        folder.chmod(0o555)
    words = without_rights(words_for(command, storing, logdir))
    done = run_program(words, os.environ | {"STORING_WAS_LOADED": str(tmp_path / "marker")})

    assert_one_line(done, rf"{logdir}\S*: Permission denied\. Allow it, or choose another .*")
    assert not (tmp_path / "marker").exists()


def test_errors_of_trains_own_files_are_failures_of_the_run(tmp_path: Path, storing: Path) -> None:
    """What train cannot write for itself ends that run, as a failure, and no other."""
    acts = "act=own_file_missing,own_disk_full,fine"
    done = run_program(words_of(storing, tmp_path, [acts, "turn=1", STAYS]))

    assert (1, "") == (done.returncode, done.stderr)
    assert {Ending.FAILED: 2, Ending.COMPLETE: 1} == count_endings(tmp_path)
    assert "OSError: [Errno 28] No space left on device" in done.stdout


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, storing: Path) -> None:
    """Nobody hears of a cache directory that is full, or a file."""
    run_program(words_of(storing, tmp_path / "logs", ["act=fine", "turn=1", STAYS]))
    (tmp_path / "file").touch()
    environment = os.environ | {"HPARAMS_LAB_CACHE_DIR": str(tmp_path / "file" / "cache")}
    told = run_program(words_for("show", Path("storing"), tmp_path / "logs"), environment)
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    words = ["env", f"HPARAMS_LAB_CACHE_DIR={disk}/cache"]
    words += words_for("show", Path("storing"), tmp_path / "logs")
    full = on_small_disk(
        ["sh", "-c", f'cat /dev/zero > {disk}/zeros 2>/dev/null; "$@"', "sh", *words],
        disk,
        kept,
        kilobytes=8,
    )

    assert [(0, ""), (0, "")] == [(done.returncode, done.stderr) for done in (told, full)]
    assert [] == [*kept.rglob("*.tmp")]


def test_a_full_disk_behind_stdout_is_one_line(tmp_path: Path, storing: Path) -> None:
    """What a command prints is cut short by a full disk, which is said."""
    run_program(words_of(storing, tmp_path, ["act=fine", "turn=1", STAYS]))
    words = words_for("show", Path("storing"), tmp_path)
    done = run_program(["sh", "-c", '"$@" > /dev/full', "sh", *words])

    assert (2, "hparams_lab: No space left on device. Make room.\n") == (
        done.returncode,
        done.stderr,
    )
