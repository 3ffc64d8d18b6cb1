"""Sweeps to compare: with saved sources, digests of data, and runs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hparams_lab.analysis.changes.changes import Side
from hparams_lab.events.read.reader import read_runs
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.writer import RunWriter
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.provenance import GitState, Provenance
from hparams_lab.runs.sweep import Sweep
from tests.support.factories import add_sweep, make_spec, make_sweep, ticking


def make_provenance(*, commit: str = "0123abcd", dirty: bool = False, **changes: Any) -> Provenance:
    """Return where the sweeps of the factories come from, with some fields changed."""
    git = GitState(root="/somewhere", commit=commit, branch="main", dirty=dirty)
    return replace(make_sweep().provenance, git=git, **changes)


def write_sources(path: Path, files: Mapping[str, str | bytes]) -> None:
    """Write a source archive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def make_side(
    home: Path,
    sweep: Sweep,
    *,
    sources: Mapping[str, str | bytes] | None = None,
    data_digest: str = "5eed",
    split_seed: int | None = None,
    start_secs: float = 1_800_000_000.0,
) -> Side:
    """Return a sweep of one run, and of sources that are those of every other by default."""
    sweep_dir = add_sweep(ExperimentDir(home / sweep.experiment), sweep)
    write_sources(sweep_dir.source_file(), {"toy.py": "SIZE = 1\n"} if sources is None else sources)
    spec = make_spec(sweep_dir, {axis.name: axis.levels[0] for axis in sweep.space})
    with RunWriter.create(spec.dir, clock=ticking(start_secs)) as writer:
        writer.write_start(spec, data_digest=data_digest)
        writer.write_end(Ending.COMPLETE, split_seed=split_seed)
    return Side([sweep], [sweep_dir], read_runs(sweep_dir, sweep.space))


def join(*sides: Side) -> Side:
    """Return several sides as one."""
    return Side(
        [sweep for side in sides for sweep in side.sweeps],
        [sweep_dir for side in sides for sweep_dir in side.sweep_dirs],
        [record for side in sides for record in side.records],
    )
