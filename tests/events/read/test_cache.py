"""The cache of what was read only saves time: with it, without it, whatever becomes of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.events.read.cache import DIR_VARIABLE, recall_sweep
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import LocalFile, RunWriter, add_scalars
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run

SWEEP = make_sweep()


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a cache of the test's own."""
    monkeypatch.setenv(DIR_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def sweep_dir(tmp_path: Path, cache_dir: Path) -> SweepDir:
    """Return a sweep of three runs that lies there for an hour."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), SWEEP)
    for index in range(3):
        spec = make_spec(sweep_dir, {"units": 8, "rate": 0.1 + index / 10}, index=index)
        write_run(spec, {"accuracy": [0.1, 0.5 + index / 10]})
    make_old(sweep_dir)
    return sweep_dir


def make_old(sweep_dir: SweepDir) -> None:
    """Set the times of all there is to an hour ago."""
    hour_ago = time.time() - 3600
    for path in [sweep_dir.path, *sweep_dir.path.rglob("*")]:
        os.utime(path, (hour_ago, hour_ago))


def read(sweep_dir: SweepDir) -> list[RunRecord]:
    """Return the runs as they are read with the cache."""
    return read_runs(sweep_dir, SWEEP.space)


def describe(records: list[RunRecord]) -> list[object]:
    """Return all that records say."""
    return [
        (run.dir, run.assignment, run.labels, run.seed, run.ending, run.metrics, run.damage)
        for run in records
    ]


@pytest.fixture
def fresh() -> Callable[[SweepDir], list[object]]:
    """Return a function that says what is read without a cache."""

    def read_anew(sweep_dir: SweepDir) -> list[object]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(DIR_VARIABLE, "")
            return describe(read(sweep_dir))

    return read_anew


Fresh = Callable[[SweepDir], list[object]]


def forge(file: Path, other: Path) -> None:
    """Give a file the bytes of one as long, such that the filesystem has nothing to tell."""
    state = file.stat()
    with file.open("r+b") as stream:
        stream.write(other.read_bytes())
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_what_was_read_is_not_read_again(sweep_dir: SweepDir, fresh: Fresh) -> None:
    """A second reading does not open the files: what nobody could see change is not seen."""
    first, second, _ = records = read(sweep_dir)
    forge(first.dir.event_files[0], second.dir.event_files[0])

    assert describe(records) == describe(read(sweep_dir))
    assert fresh(sweep_dir) != describe(read(sweep_dir))


def test_only_what_was_appended_is_read(sweep_dir: SweepDir) -> None:
    """A file that has grown is read on from where its reading had stopped."""
    first, second, _ = read(sweep_dir)
    forge(first.dir.event_files[0], second.dir.event_files[0])
    add_scalars(first.dir, {"accuracy": 0.01})

    summary = read(sweep_dir)[0].metrics["accuracy"]

    expected = first.metrics["accuracy"].max
    assert (3, expected) == (summary.num_points, summary.max)


def test_points_that_come_later_count(sweep_dir: SweepDir, fresh: Fresh) -> None:
    """What is read in two goes is what is read in one."""
    third = read(sweep_dir)[2].dir
    add_scalars(third, {"n/accuracy": 3.0, "accuracy": 0.01})

    assert fresh(sweep_dir) == describe(read(sweep_dir))


def test_a_torn_record_is_read_once_it_is_whole(sweep_dir: SweepDir, fresh: Fresh) -> None:
    """A record that was cut short when it was read first counts when the rest has come."""
    spec = make_spec(sweep_dir, {"units": 16, "rate": 0.5}, index=7)
    write_run(spec, {"accuracy": [0.25]}, ending=None)
    (file,) = spec.dir.event_files
    whole = file.read_bytes()
    os.truncate(file, len(whole) - 5)
    before = [run.last_values for run in read(sweep_dir)]
    writer = LocalFile(file)
    writer.append(whole[-5:])
    writer.close()

    assert {} == before[3]
    assert {"accuracy": 0.25} == read(sweep_dir)[3].last_values
    assert fresh(sweep_dir) == describe(read(sweep_dir))


def test_new_runs_appear_at_once(sweep_dir: SweepDir) -> None:
    """A run that is written within a tick of the filesystem's clock is not overlooked."""
    for index in range(3, 13):
        write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.3}, index=index), {"accuracy": [1.0]})

        assert index + 1 == len(read(sweep_dir))


def test_what_is_gone_disappears(sweep_dir: SweepDir) -> None:
    """A run whose directory was moved away is not read any more."""
    first, *_ = read(sweep_dir)
    first.dir.path.parent.rename(sweep_dir.path.parent / "elsewhere")

    assert 2 == len(read(sweep_dir))


def test_a_superseded_attempt_disappears(sweep_dir: SweepDir) -> None:
    """An attempt that is made again is not read any more."""
    first, *_ = read(sweep_dir)
    first.dir.supersede()

    assert 2 == len(read(sweep_dir))


def test_a_second_file_is_read(sweep_dir: SweepDir, fresh: Fresh) -> None:
    """A file that comes to a run later, as the end behind a torn one, counts."""
    spec = make_spec(sweep_dir, {"units": 16, "rate": 0.5}, index=7)
    write_run(spec, {"accuracy": [0.25]}, ending=None)
    make_old(sweep_dir)
    endings = [run.ending for run in read(sweep_dir)]
    (file,) = spec.dir.event_files
    with RunWriter(LocalFile(file.with_name(f"{file.name}.end"))) as writer:
        writer.write_end(Ending.FAILED)

    assert [None, Ending.FAILED] == [endings[3], read(sweep_dir)[3].ending]
    assert fresh(sweep_dir) == describe(read(sweep_dir))


def test_a_replaced_file_is_read_anew(sweep_dir: SweepDir) -> None:
    """A file that was replaced by another of its name and size is not taken for the old one."""
    first, *_ = read(sweep_dir)
    (file,) = first.dir.event_files
    other = read(sweep_dir)[1].dir.event_files[0].read_bytes()
    aside = file.with_suffix(".aside")
    aside.write_bytes(other)
    aside.replace(file)

    assert pytest.approx(0.6) == read(sweep_dir)[0].last_values["accuracy"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content.replace(b"accuracy", b"accurate", 1),
        lambda content: b"",
        lambda content: b"\xff" * 100,
        lambda content: content.replace(b"hparams_lab ", b"hparams_lab 0", 1),
        lambda content: content.split(b"\n")[0] + b"\n{}",
    ],
    ids=["cut", "changed", "empty", "garbage", "other version", "other body"],
)
def test_a_damaged_cache_is_rebuilt(
    sweep_dir: SweepDir, cache_dir: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Whatever becomes of the cache, what is read is right, and the cache as it was."""
    expected = describe(read(sweep_dir))
    (file,) = cache_dir.iterdir()
    kept = file.read_bytes()
    file.write_bytes(damage(kept))

    assert expected == describe(read(sweep_dir))
    assert kept == file.read_bytes()


def test_a_cache_that_cannot_be_written_is_done_without(
    sweep_dir: SweepDir, cache_dir: Path
) -> None:
    """Where the cache's directory cannot be made, runs are read all the same."""
    cache_dir.write_text("a file")

    assert 3 == len(read(sweep_dir))


def test_reading_leaves_the_log_directory_as_it_is(sweep_dir: SweepDir) -> None:
    """The cache is kept elsewhere: no file of a log directory is made or changed."""
    before = {path: path.stat().st_mtime_ns for path in sweep_dir.path.rglob("*")}
    read(sweep_dir)

    assert before == {path: path.stat().st_mtime_ns for path in sweep_dir.path.rglob("*")}


def test_old_caches_are_dropped(sweep_dir: SweepDir, cache_dir: Path) -> None:
    """What was written a hundred days ago makes room as something new is kept."""
    cache_dir.mkdir()
    old = cache_dir / f"{'0' * 32}.scans"
    old.touch()
    os.utime(old, (time.time() - 100 * 86_400,) * 2)
    read(sweep_dir)

    assert not old.exists()


def test_what_is_known_is_recalled_without_reading(sweep_dir: SweepDir) -> None:
    """Runs are listed with what the cache has of them, and without it where it has nothing."""
    unread = recall_sweep(sweep_dir).runs
    read(sweep_dir)
    write_run(make_spec(sweep_dir, {"units": 16, "rate": 0.5}, index=7), {"accuracy": [1.0]})
    runs = recall_sweep(sweep_dir).runs

    assert [None] * 3 == [scan for _, _, scan in unread]
    assert [True, True, True, False] == [scan is not None for _, _, scan in runs]
    assert [run_dir.event_files for run_dir, _, _ in runs] == [
        [Path(file) for file in files] for _, files, _ in runs
    ]
