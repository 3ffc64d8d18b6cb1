from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.analysis.changes.change import Topic
from hparams_lab.analysis.changes.changes import Sameness, Side, describe_changes
from hparams_lab.cli.flags.formats import to_plain
from tests.support.changed_sweeps import join, make_provenance, make_side
from tests.support.factories import FRIDAY, HPARAMS, SATURDAY, make_record, make_sweep

THURSDAY = "2026-11-19_09-00-00"


def compare(home: Path, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the changes from a sweep of Friday to one of Saturday, given what is of each."""
    sides = []
    for sweep_id, given in ((FRIDAY, before), (SATURDAY, after)):
        known = {"sources", "data_digest", "split_seed"}
        of_side = {key: value for key, value in given.items() if key in known}
        of_sweep = {key: value for key, value in given.items() if key not in known}
        sides.append(make_side(home, make_sweep(sweep_id, **of_sweep), **of_side))
    return describe_changes(*sides).lines()


def test_a_rerun_changes_nothing(tmp_path: Path) -> None:
    """Two sweeps of one intent, code, data and machine leave nothing to say."""
    assert [] == compare(tmp_path, {}, {})


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"data_digest": "a" * 64}, {"data_digest": "b" * 64}, f"data digest: {'a' * 12} -> "),
        (
            {"provenance": make_provenance()},
            {"provenance": make_provenance(commit="89ab4567", dirty=True)},
            "commit: 0123abcd -> 89ab4567+",
        ),
        ({}, {"sources": {"toy.py": "SIZE = 2\n"}}, "toy.py: 1 line added, 1 removed"),
        (
            {"hparams": [HParam("units", Discrete([8]))]},
            {"hparams": [HParam("units", Discrete([8, 16]))]},
            "units: 8 -> 8, 16 (wider)",
        ),
        ({}, {"seed": 1}, "seed: 0 -> 1"),
        ({}, {"workers": 4}, "workers: 1 -> 4"),
        (
            {},
            {"provenance": make_provenance(versions={"keras": "3.5"})},
            "keras: added, 3.5",
        ),
        ({}, {"provenance": make_provenance(host="moon")}, "host: host -> moon"),
        ({}, {"provenance": make_provenance(platform="BSD")}, "platform: Linux -> BSD"),
        ({}, {"provenance": make_provenance(num_cpus=16)}, "cpus: 2 -> 16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_change_is_a_line(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], line: str
) -> None:
    """What differs is told, and nothing else."""
    first, *others = compare(tmp_path, before, after)

    assert first.startswith(line)
    assert [] == [other for other in others if not other.startswith("    ")]


def test_the_changed_lines_are_shown(tmp_path: Path) -> None:
    """A small change of the code stands in full below its file."""
    lines = compare(tmp_path, {}, {"sources": {"toy.py": "SIZE = 2\n"}})

    assert ["    @@ -1 +1 @@", "    -SIZE = 1", "    +SIZE = 2"] == lines[1:]


def test_the_most_telling_comes_first(tmp_path: Path) -> None:
    """Data and code stand before the space, the machine and the workers."""
    after = {
        "data_digest": "da7a",
        "sources": {},
        "hparams": HPARAMS[:1],
        "seed": 1,
        "workers": 2,
        "provenance": make_provenance(num_cpus=4),
    }
    names = [line.split(":")[0] for line in compare(tmp_path, {}, after) if line[0] != " "]

    assert ["data digest", "toy.py", "rate", "seed", "cpus", "workers"] == names


@pytest.mark.parametrize(
    ("seeds", "note"),
    [
        ((3, 3), "seed: 0 -> 1 (the data is split by the same seed)"),
        ((3, 4), "seed: 0 -> 1 (the data is split by another seed, too)"),
        ((3, None), "seed: 0 -> 1"),
    ],
    ids=["same", "other", "unknown"],
)
def test_it_is_said_whether_the_hold_out_is_the_same(
    tmp_path: Path, seeds: tuple[int, int | None], note: str
) -> None:
    """Where the seed changed, the seed of the hold-out is looked at in the runs."""
    first, second = seeds

    assert [note] == compare(tmp_path, {"split_seed": first}, {"split_seed": second, "seed": 1})


def test_unknown_data_is_not_taken_for_the_same(tmp_path: Path) -> None:
    """Where a side has no digest, it is said that one cannot tell."""
    (line,) = compare(tmp_path, {"data_digest": ""}, {})

    assert "data: not known whether it is the same, as no digest of it was taken" == line


def test_missing_sources_are_not_hidden(tmp_path: Path) -> None:
    """Where the code cannot be compared, it is said why."""
    before, after = (make_side(tmp_path, make_sweep(day)) for day in (FRIDAY, SATURDAY))
    before.sweep_dirs[0].source_file().unlink()
    changes = describe_changes(before, after)

    (line,) = changes.lines()
    assert line.startswith("code: not known, as there are no saved sources in ")
    assert not changes.has_changed


def test_code_of_another_digest_has_changed_whatever_is_saved(tmp_path: Path) -> None:
    """Digests tell that the code changed, also where its files are gone."""
    provenances = [make_provenance(code_digest=digest) for digest in "ab"]
    sides = [
        make_side(tmp_path, make_sweep(day, provenance=provenance))
        for day, provenance in zip((FRIDAY, SATURDAY), provenances, strict=True)
    ]
    sides[1].sweep_dirs[0].source_file().write_bytes(b"no archive")

    (line,) = describe_changes(*sides).lines()
    assert line.startswith("code: changed, as the saved sources in ")


def test_nothing_is_claimed_of_where_another_tool_ran(tmp_path: Path) -> None:
    """What was imported has the versions and the machine of the import, which say nothing."""
    ours = make_side(tmp_path, make_sweep(FRIDAY))
    there = make_provenance(host="moon", versions={"keras": "3.5"})
    theirs = make_side(tmp_path, make_sweep(SATURDAY, provenance=there))
    records = [make_record(theirs.records[0].dir, {"units": 8.0}, {}, seed=None)]
    lines = describe_changes(ours, replace(theirs, records=records)).lines()

    told = f"code, packages and machine: not known, as {SATURDAY} was run by another tool"
    assert told == lines[0]
    assert ["data"] == [line.split(":")[0] for line in lines[1:]]


def test_one_sweep_has_one_data(tmp_path: Path) -> None:
    """Runs of one sweep saw what it loaded once, also where no digest of that was taken."""
    side = make_side(tmp_path, make_sweep(), data_digest="")

    assert [] == describe_changes(side, side).lines()


def test_a_commit_that_left_the_experiment_alone_says_so(tmp_path: Path) -> None:
    """Another commit of the same sources is no change of the experiment's own code."""
    before, after = (
        {"provenance": make_provenance(commit=commit, code_digest="same"), "sources": sources}
        for commit, sources in (("0123abcd", {}), ("89ab4567", {"x.py": "never looked at"}))
    )

    (line,) = compare(tmp_path, before, after)
    assert line == "commit: 0123abcd -> 89ab4567 (the experiment's own files are the same)"


def test_of_several_sweeps_the_newest_is_compared(tmp_path: Path) -> None:
    """A day stands for its last sweep, and it is said what its others had otherwise."""
    old = make_side(tmp_path, make_sweep(THURSDAY, workers=8, repeats=2))
    before, after = (make_side(tmp_path, make_sweep(day)) for day in (FRIDAY, SATURDAY))
    changes = describe_changes(join(before, old), after)

    assert (FRIDAY, SATURDAY) == (changes.before, changes.after)
    assert [
        f"{FRIDAY} stands for 2 sweeps, which differ among themselves in search, execution"
    ] == changes.lines()


def test_a_sweep_without_runs_stands_for_none(tmp_path: Path) -> None:
    """A newest sweep that none of the runs is of says nothing about them."""
    empty = make_side(tmp_path, make_sweep("2026-11-22_10-00-00", seed=9))
    before, after = (make_side(tmp_path, make_sweep(day)) for day in (FRIDAY, SATURDAY))
    changes = describe_changes(before, join(after, Side(empty.sweeps, empty.sweep_dirs, [])))

    assert changes.after == SATURDAY


def test_a_side_needs_a_sweep(tmp_path: Path) -> None:
    """There is nothing to compare with nothing."""
    side = make_side(tmp_path, make_sweep())

    with pytest.raises(ValueError, match="a side must have a sweep"):
        describe_changes(side, Side([], [], []))


def test_changes_are_plain_data(tmp_path: Path) -> None:
    """All of it can be written as JSON, under names."""
    before, after = (
        make_side(tmp_path, make_sweep(day, seed=seed))
        for seed, day in enumerate((FRIDAY, SATURDAY))
    )
    data = to_plain(describe_changes(before, after))

    fact = {"topic": Topic.SEEDS.value, "name": "seed", "before": "0", "after": "1", "note": ""}
    assert ([fact], Sameness.SAME.value) == (data["facts"], data["data"])
