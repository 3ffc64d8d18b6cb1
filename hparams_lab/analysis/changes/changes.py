"""What changed between two groups of sweeps, as far as it was recorded.

    before: Side ─┐
                  ├─ describe_changes ─▶ Changes ─▶ lines
    after:  Side ─┘

What came of the changes is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from pathlib import Path

from hparams_lab.analysis.changes.change import Change, Topic
from hparams_lab.analysis.changes.code import CodeChanges, compare_sources
from hparams_lab.analysis.changes.intent import compare_intents
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.provenance import Provenance
from hparams_lab.runs.sweep import Sweep

_DIGEST_DIGITS = 12
_TOPICS = list(Topic)


class Sameness(Enum):
    """Whether a thing is the same on both sides."""

    SAME = "same"
    OTHER = "other"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Side:
    """One of two groups of runs, and the sweeps that they are of."""

    sweeps: Sequence[Sweep]  # at least one, in any order
    sweep_dirs: Sequence[SweepDir]  # of the sweeps, in their order
    records: Sequence[RunRecord]  # runs of them


@dataclass(frozen=True)
class Changes:
    """What changed."""

    before: str  # id of the earlier sweep that was compared, the newest of its side
    after: str  # of the later one
    facts: Sequence[Change]  # one change each, the most decisive first
    code: CodeChanges  # how the saved sources differ
    data: Sameness  # whether `load_data` returned the same
    hold_out: Sameness  # whether the runs that chose rows of the data did so by the same seed
    unknown: Sequence[str] = ()  # what is not known, one sentence each
    disagreements: Sequence[str] = ()  # where a side's other sweeps differ from the one compared

    @property
    def has_changed(self) -> bool:
        """Whether anything is known to have changed."""
        return bool(self.facts or self.code.files)

    def lines(self) -> list[str]:
        """Return one fact a line, the most decisive first; empty if nothing changed.

        Changed lines of code are indented below their file. Last comes what is not known.
        """
        return [*self._list_facts(), *self.unknown, *self.disagreements]

    def _list_facts(self) -> Iterator[str]:
        for topic in _TOPICS:
            facts = [fact for fact in self.facts if fact.topic is topic]
            yield from sum_up(facts) if topic is Topic.PACKAGES else map(str, facts)
            if topic is Topic.CODE:
                for file in self.code.files:
                    yield str(file)
                    yield from (f"    {line}".rstrip() for line in file.diff)


def describe_changes(before: Side, after: Side) -> Changes:
    """Return what changed between two sides: the newest sweep of each is compared.

    Args:
        before: the earlier one.
        after: the later one.

    Raises:
        ValueError: if a side has no sweep.
    """
    earlier, later = _list_stages(before), _list_stages(after)
    one, other = earlier[-1], later[-1]
    data, hold_out = _compare_data(one, other), _compare_hold_outs(one, other)
    code = CodeChanges()
    if _compare_digests(one, other) is not Sameness.SAME and one.source_file != other.source_file:
        code = compare_sources(one.source_file, other.source_file)
    return Changes(
        before=one.sweep.id,
        after=other.sweep.id,
        facts=_find_facts(one, other),
        code=code,
        data=data,
        hold_out=hold_out,
        unknown=[*_find_unknown(one, other, code)],
        disagreements=[*_find_disagreements(earlier), *_find_disagreements(later)],
    )


def _list_stages(side: Side) -> list[Stage]:
    """Return the sweeps, oldest first; those of which no run is meant before the others.

    Raises:
        ValueError: if there is none.
    """
    if not side.sweeps:
        raise ValueError("a side must have a sweep; got none")
    records: dict[str, list[RunRecord]] = {sweep.id: [] for sweep in side.sweeps}
    for record in side.records:
        records.setdefault(record.dir.sweep_id, []).append(record)
    stages = [
        Stage(sweep, sweep_dir, records[sweep.id])
        for sweep, sweep_dir in zip(side.sweeps, side.sweep_dirs, strict=True)
    ]
    return sorted(stages, key=lambda stage: (bool(stage.records), stage.sweep.id))


def _find_facts(one: Stage, other: Stage) -> list[Change]:
    facts = [*compare_intents(one.sweep, other.sweep), *_compare_seeds(one, other)]
    if _compare_data(one, other) is Sameness.OTHER:
        digests = [
            ", ".join(digest[:_DIGEST_DIGITS] for digest in stage.data_digests)
            for stage in (one, other)
        ]
        facts.append(Change(Topic.DATA, "data digest", *digests))
    if not (one.is_imported or other.is_imported):
        facts += _compare_origins(one, other)
    return sorted(facts, key=lambda fact: _TOPICS.index(fact.topic))


def _compare_data(one: Stage, other: Stage) -> Sameness:
    is_one_load = (one.sweep.id, one.number) == (other.sweep.id, other.number)
    if is_one_load and not one.data_digests and not other.data_digests:
        return Sameness.SAME
    return _compare(one.data_digests, other.data_digests)


def _compare_hold_outs(one: Stage, other: Stage) -> Sameness:
    return _compare(one.split_seeds, other.split_seeds)


def _compare_digests(one: Stage, other: Stage) -> Sameness:
    digests = [stage.provenance.code_digest for stage in (one, other)]
    return _compare(*([digest] if digest else [] for digest in digests))


def _compare(one: Sequence[object], other: Sequence[object]) -> Sameness:
    if not one or not other:
        return Sameness.NOT_KNOWN
    return Sameness.SAME if one == other else Sameness.OTHER


def _compare_seeds(one: Stage, other: Stage) -> Iterator[Change]:
    if one.sweep.seed != other.sweep.seed:
        note = {
            Sameness.SAME: "the data is split by the same seed",
            Sameness.OTHER: "the data is split by another seed, too",
            Sameness.NOT_KNOWN: "",
        }[_compare_hold_outs(one, other)]
        seeds = str(one.sweep.seed), str(other.sweep.seed)
        yield Change(Topic.SEEDS, "seed", *seeds, note=note)


_MACHINE: dict[str, Callable[[Provenance], object]] = {
    "host": lambda provenance: provenance.host,
    "platform": lambda provenance: provenance.platform,
    "cpus": lambda provenance: provenance.num_cpus,
}


def _compare_origins(one: Stage, other: Stage) -> Iterator[Change]:
    """Yield what differs in where the results come from: commit, versions, machine."""
    before, after = one.provenance, other.provenance
    if before.commit_label != after.commit_label:
        is_same = _compare_digests(one, other) is Sameness.SAME
        note = "the experiment's own files are the same" if is_same else ""
        yield Change(Topic.CODE, "commit", before.commit_label, after.commit_label, note)
    yield from compare_versions(before, after)
    for name, read in _MACHINE.items():
        if read(before) != read(after):
            yield Change(Topic.MACHINE, name, str(read(before)), str(read(after)))


def _find_unknown(one: Stage, other: Stage, code: CodeChanges) -> Iterator[str]:
    imported = dict.fromkeys(stage.sweep.id for stage in (one, other) if stage.is_imported)
    if imported:
        names = " and ".join(imported)
        yield f"code, packages and machine: not known, as {names} was run by another tool"
    elif code.problem:
        has_changed = _compare_digests(one, other) is Sameness.OTHER
        yield f"code: {'changed' if has_changed else 'not known'}, as {code.problem}"
    if _compare_data(one, other) is Sameness.NOT_KNOWN:
        yield "data: not known whether it is the same, as no digest of it was taken"


def _find_disagreements(stages: Sequence[Stage]) -> Iterator[str]:
    *others, compared = stages
    found = {fact.topic for other in others for fact in _find_facts(other, compared)}
    if any(_compare_digests(other, compared) is Sameness.OTHER for other in others):
        found.add(Topic.CODE)
    if found:
        topics = ", ".join(topic.value for topic in _TOPICS if topic in found)
        yield (
            f"{compared.sweep.id} stands for {len(stages)} sweeps, which differ among themselves "
            f"in {topics}"
        )


@dataclass(frozen=True)
class Stage:
    """A sweep as it was when the last of some of its runs began."""

    sweep: Sweep  # as it was launched and resumed
    sweep_dir: SweepDir  # of the sweep
    records: Sequence[RunRecord]  # those runs; empty for the sweep as it was resumed last

    @cached_property
    def number(self) -> int:
        """0 from the beginning on, n from the nth resumption on."""
        if not self.records or not self.sweep.resumptions:
            return len(self.sweep.resumptions)
        return max(self._number_of(record) for record in self.records)

    def _number_of(self, record: RunRecord) -> int:
        if record.reused_from:  # it began in another sweep
            labels = [each.commit_label for each in self._provenances]
            label = record.labels.get("commit")
            return max((n for n, each in enumerate(labels) if each == label), default=0)
        starts = [datetime.fromisoformat(each.started) for each in self.sweep.resumptions]
        return sum(start.timestamp() <= record.start_time_secs for start in starts)

    @property
    def provenance(self) -> Provenance:
        """Command, code, versions and machine of that time."""
        return self._provenances[self.number]

    @property
    def source_file(self) -> Path:
        """The archive of the code, which need not exist."""
        # A resumption has one of its own only where it brought code that was not there yet.
        digests = [each.code_digest for each in self._provenances]
        return self.sweep_dir.source_file(digests.index(digests[self.number]))

    @property
    def data_digests(self) -> list[str]:
        """The digests of the data that the runs saw, sorted; empty if none is known."""
        return sorted({record.data_digest for record in self.records} - {""})

    @property
    def split_seeds(self) -> list[int]:
        """The seeds by which the runs chose rows of it, sorted; empty if none is known."""
        seeds = {record.split_seed for record in self.records}
        return sorted(seed for seed in seeds if seed is not None)

    @property
    def is_imported(self) -> bool:
        """Whether another tool ran it, so that nothing is known of where."""
        return bool(self.records) and all(record.seed is None for record in self.records)

    @property
    def _provenances(self) -> list[Provenance]:
        return [self.sweep.provenance, *(each.provenance for each in self.sweep.resumptions)]


_PYTHON = "python"
# What results are computed by; the others are counted.
_DECISIVE = (
    *(_PYTHON, "tensorflow", "keras", "numpy", "scikit-learn", "hparams-lab"),
    *("jax", "torch", "scipy", "pandas"),
)
_MAX_OTHERS_NAMED = 2


def compare_versions(before: Provenance, after: Provenance) -> list[Change]:
    """Return the packages whose versions differ, Python and the most decisive ones first."""
    if (before.python, before.versions) == (after.python, after.versions):
        return []
    changes = _compare_packages(_list_versions(before), _list_versions(after))
    return sorted(changes, key=lambda change: (_place(change), change.name))


def sum_up(changes: Sequence[Change]) -> list[str]:
    """Return a line for each decisive package, and one that counts the others.

    Args:
        changes: of packages, as `compare_versions` sorts them.
    """
    decisive = [change for change in changes if change.name in _DECISIVE]
    others = changes[len(decisive) :]
    lines = [str(change) for change in decisive]
    if len(others) <= _MAX_OTHERS_NAMED:
        return lines + [str(change) for change in others]
    if not decisive:
        return [f"{len(others)} packages differ, {others[0].name} and others"]
    return [*lines, f"and {len(others)} other packages"]


def _place(change: Change) -> int:
    return _DECISIVE.index(change.name) if change.name in _DECISIVE else len(_DECISIVE)


def _compare_packages(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield Change(Topic.PACKAGES, name, before.get(name), after.get(name))


def _list_versions(provenance: Provenance) -> dict[str, str]:
    """Return the versions by normalized name, which differs with the installer; see PEP 503."""
    packages = {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, version in provenance.versions.items()
    }
    return {_PYTHON: provenance.python, **packages}
