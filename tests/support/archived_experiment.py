"""An experiment to archive parts of, and what is left of it where."""

from __future__ import annotations

from pathlib import Path

from hparams_lab.logdir.entry import Entry, drop_nested, find_entry
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

VALUES = [{"units": units, "rate": rate} for units in (8, 16) for rate in (0.1, 0.5)]


def make_home(logdir: Path) -> ExperimentDir:
    """Write two sweeps of two trials."""
    home = experiment_dir(logdir, "toy")
    for sweep_id in (FRIDAY, SATURDAY):
        sweep_dir = add_sweep(home, make_sweep(sweep_id))
        sweep_dir.source_file().write_bytes(b"code")
        for index, values in enumerate(VALUES[:2]):
            write_run(make_spec(sweep_dir, values, index=index), {"accuracy": [0.5]})
    return home


def contents(home: ExperimentDir) -> dict[str, bytes]:
    """Return every file below a directory with its bytes, but for the locks."""
    return {
        path.relative_to(home.path).as_posix(): path.read_bytes()
        for path in sorted(home.path.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def find(home: ExperimentDir, *words: str) -> list[Entry]:
    """Return the entries of words."""
    return drop_nested(find_entry(home, word) for word in words)


def list_runs(home: ExperimentDir) -> list[str]:
    """Return the ids of the runs that whoever reads the directory finds."""
    return [
        "/".join(run.path.parts[-3:])
        for sweep_dir in home.find_sweeps()
        for run in sweep_dir.find_run_dirs()
    ]
