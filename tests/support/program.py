"""The real program on experiments that misbehave, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hparams_lab.events.read.reader import RunRecord, is_whole, read_runs
from hparams_lab.events.schema import Status
from hparams_lab.logdir.layout import SweepDir, find_experiments
from hparams_lab.runs.sweep import Sweep
from hparams_lab.testing.executors import is_alive, wait_until

KILL_EXPERIMENTS = Path(__file__).parent / "kill_experiments"
TIMEOUT_SECS = 60


def words_of(path: Path, logdir: Path, settings: Iterable[str] = ()) -> list[str]:
    """Return the command line of a sweep with two workers."""
    words = [sys.executable, "-m", "hparams_lab", "run", str(path), f"--logdir={logdir}"]
    return [*words, "--workers=2", *(f"--set={setting}" for setting in settings)]


def run_program(
    words: list[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; what it prints on either stream is text."""
    return subprocess.run(
        words, capture_output=True, text=True, timeout=TIMEOUT_SECS, check=False, env=environment
    )


def find_sweep(logdir: Path) -> SweepDir | None:
    """Return the one sweep of a log directory, None while there is none."""
    for experiment in find_experiments(logdir):
        (sweep_dir,) = experiment.find_sweeps()
        return sweep_dir if sweep_dir.sweep_file.exists() else None
    return None


def read_sweep(logdir: Path) -> list[RunRecord]:
    """Return the runs of the one sweep of a log directory, by trial."""
    sweep_dir = find_sweep(logdir)
    assert sweep_dir is not None
    return read_runs(sweep_dir, Sweep.read(sweep_dir).space)


def wait_for_runs(logdir: Path, count: int = 2) -> None:
    """Return once so many runs of `waiting` wait."""
    wait_until(lambda: len(list(logdir.glob("*/*/*/*/waits"))) >= count)


def find_begun(logdir: Path) -> list[Path]:
    """Return the directories of runs that have come as far as train."""
    return sorted({file.parent for file in logdir.glob("*/*/*/*/process-*")})


def find_processes(logdir: Path) -> set[int]:
    """Return the processes, and their parents, of all runs that have come as far as train."""
    return {int(file.name.split("-")[1]) for file in logdir.glob("*/*/*/*/process-*")}


def _is_torn(file: Path) -> bool:
    """Return whether a file is cut short that nothing follows; SIGKILL may cut one."""
    return not is_whole(file) and not file.with_name(f"{file.name}.end").exists()


def assert_true_ends(logdir: Path) -> None:
    """Check that each run that began has ended, in whole files, and that no process is left."""
    records = read_sweep(logdir)
    endless = [str(record.dir.path) for record in records if record.status is Status.RUNNING]
    assert not endless, f"without an end: {endless}"
    unknown = {*find_begun(logdir)} - {record.dir.path for record in records}
    assert not unknown, f"begun, but not in the records: {unknown}"
    torn = [file for record in records for file in record.dir.event_files if _is_torn(file)]
    assert not torn, f"written by halves: {torn}"
    wait_until(lambda: not any(map(is_alive, find_processes(logdir))))
