"""The runs that are meant: of one experiment or all, of some days, under a condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from hparams_lab.analysis.trials.facts import OF_RUN, list_facts
from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.analysis.where import Condition
from hparams_lab.errors import UnknownExperimentError, did_you_mean
from hparams_lab.events.foreign.reader import read_foreign
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.events.read.reader import read_runs as read_sweep
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, find_experiments, list_folders
from hparams_lab.logdir.times import Period
from hparams_lab.remote.opened import opened
from hparams_lab.runs.sweep import Sweep, read_readable

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Logged:
    """Some sweeps of an experiment and what came of them."""

    home: ExperimentDir  # directory of the experiment
    sweeps: Sequence[Sweep]  # oldest first, at least one
    records: Sequence[RunRecord]  # of their runs, sweep by sweep

    @cached_property
    def rows(self) -> Sequence[TrialRow]:
        """Their trials, best first by the newest sweep's objective."""
        return rank_trials(self.records, self.sweeps)


class Runs(Sequence[RunRecord]):
    """The records of runs, by experiment, sweep, trial, repeat and fold.

    Args:
        records: in that order.
        sweeps: that they are of, by directory.
    """

    def __init__(self, records: Iterable[RunRecord], sweeps: Mapping[Path, Sweep]) -> None:
        self._records = list(records)
        self.sweeps = sweeps

    @overload
    def __getitem__(self, index: int) -> RunRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Runs: ...

    def __getitem__(self, index: int | slice) -> RunRecord | Runs:
        found = self._records[index]
        return Runs(found, self.sweeps) if isinstance(found, list) else found

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"Runs({len(self)})"

    def to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each run; `analysis.export.frame.to_pandas` says of what.

        Raises:
            UsageError: if pandas is not installed.
        """
        from hparams_lab.analysis.export.frame import to_pandas

        return to_pandas(self._records, self.sweeps)

    def curves_to_pandas(self) -> pandas.DataFrame:
        """Return a frame with a row for each point of each curve.

        Raises:
            UsageError: if pandas is not installed.
        """
        from hparams_lab.analysis.export.frame import curves_to_pandas

        return curves_to_pandas(self._records)


def read_logged(home: ExperimentDir, sweep_dirs: Sequence[SweepDir] | None = None) -> Logged:
    """Return sweeps of an experiment with their runs, those that can be read.

    Args:
        home: directory of the experiment.
        sweep_dirs: oldest first; None for all.

    Raises:
        LogdirError: if no sweep can be read.
    """
    chosen = home.find_sweeps() if sweep_dirs is None else sweep_dirs
    # Where there is only one, what is wrong with it is all that there is to say.
    sweeps = read_readable(chosen) if len(chosen) > 1 else {}
    sweeps = sweeps or {sweep_dir: Sweep.read(sweep_dir) for sweep_dir in chosen}
    records = [
        record
        for sweep_dir, sweep in sweeps.items()
        for record in read_sweep(sweep_dir, sweep.space)
    ]
    return Logged(home, [*sweeps.values()], records)


def read_runs(
    logdir: Path | str = "logs",
    experiment: str | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    where: str | None = None,
    now: Callable[[], datetime] = datetime.now,
) -> Runs:
    """Return the runs of a log directory, read from their event files.

    Runs of other writers (the hp.hparams API, Keras Tuner, add_hparams of PyTorch, Ray
    Tune) come too, behind our own. What was read before of ours comes from a cache, as long
    as the files are as they were then; curves are read when they are asked for.

    Args:
        logdir: folder of the experiments' log directories, one of these, or a folder of
            other runs; or a URL such as `s3://bucket/logs`.
        experiment: name, or directory of other runs in it; None for all.
        since: the earliest start of a sweep, or of another writer's run: `7d` or `12h` ago,
            a day, a time in ISO 8601, or a sweep's id; None for any.
        until: the latest one, a day to its end.
        where: condition on a run's values, such as `accuracy > 0.9 and optimizer == "adam"`.
        now: the local time.

    Raises:
        LogdirError: if a sweep is unreadable.
        UnknownExperimentError: if there is no such experiment.
        UsageError: if a time or the condition cannot be understood.

    Example:
        >>> len(read_runs("no/such/folder"))
        0
    """
    period = Period.parse(since, until, now())
    with opened(logdir) as folder:
        homes, foreign_dirs = _find(folder, experiment)
    sweeps: dict[Path, Sweep] = {}
    records: list[RunRecord] = []
    for home in homes:
        in_time = (each for each in home.find_sweeps() if each.start_time in period)
        for sweep_dir, sweep in read_readable(in_time).items():
            sweeps[sweep_dir.path] = sweep
            records += read_sweep(sweep_dir, sweep.space)
    for path in foreign_dirs:
        records += [
            record
            for record in read_foreign(path)
            if datetime.fromtimestamp(record.start_time_secs).astimezone() in period
        ]
    if where is not None:
        records = _keep(records, Condition.parse(where))
    return Runs(records, sweeps)


def _find(logdir: Path, name: str | None) -> tuple[list[ExperimentDir], list[Path]]:
    """Return the experiments that are meant, and the directories that may hold other runs."""
    own = ExperimentDir(logdir.absolute())
    if name is None and own.find_sweeps():
        return [own], []
    logged = find_experiments(logdir)
    if not logged:
        paths = [logdir] if name is None else [logdir / name]
        if name is None or paths[0].is_dir():
            return [], [path for path in paths if path.is_dir()]
    names = [home.name for home in logged]
    others = [path for path in list_folders(logdir) if path.name not in names]
    if name is None:
        return logged, others
    found = [home for home in logged if home.name == name]
    foreign = [path for path in others if path.name == name]
    if not found and not foreign:
        hint = did_you_mean(name, names) or f" Logged there: {', '.join(names) or 'nothing'}."
        raise UnknownExperimentError(f"there is no experiment {name!r} in {logdir}.{hint}")
    return found, foreign


def _keep(records: Sequence[RunRecord], condition: Condition) -> list[RunRecord]:
    facts = [_facts_of(record) for record in records]
    condition.check({name for names in facts for name in names})
    return [
        record for record, names in zip(records, facts, strict=True) if condition.matches(names)
    ]


def _facts_of(record: RunRecord) -> dict[str, Any]:
    """Return all that can be asked of a run, by name; its own values come first."""
    return {
        **list_facts(OF_RUN, record),
        **record.labels,
        **{f"metric/{tag}": value for tag, value in record.last_values.items()},
        **record.last_values,
        **record.assignment,
    }
