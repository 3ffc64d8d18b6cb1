from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.analysis.changes.code import MAX_SHOWN_LINES, CodeChanges, compare_sources
from tests.support.changed_sweeps import write_sources

Files = dict[str, str | bytes]


def compare(folder: Path, before: Files, after: Files) -> CodeChanges:
    """Return how two sets of files differ."""
    write_sources(folder / "before.zip", before)
    write_sources(folder / "after.zip", after)
    return compare_sources(folder / "before.zip", folder / "after.zip")


def numbered(count: int) -> str:
    """Return so many different lines."""
    return "".join(f"line {number}\n" for number in range(count))


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"a.py": "x\n"}, {"a.py": "y\n"}, "a.py: 1 line added, 1 removed"),
        ({"a.py": "x\n"}, {"a.py": "x\ny\nz\n"}, "a.py: 2 lines added"),
        ({"a.py": "x\ny\n"}, {"a.py": "x\n"}, "a.py: 1 line removed"),
        ({}, {"a.py": "x\ny\n"}, "a.py: new, 2 lines"),
        ({"a.py": "x\n"}, {}, "a.py: gone, 1 line"),
        ({"a.py": "x\n"}, {"a.py": "x\r\n"}, "a.py: the same lines with other ends"),
        ({"a.py": "x\n"}, {"a.py": "x"}, "a.py: the same lines with other ends"),
        ({"a.py": "x\n"}, {"experiments/a.py": "x\n"}, "experiments/a.py: moved, was a.py"),
        (
            {"a.py": "x\n"},
            {"b/a.py": "x\ny\n"},
            "b/a.py, was a.py: 1 line added",
        ),
        ({"a.py": b"# \xe9\n"}, {"a.py": b"# \xe8\n"}, "a.py: 1 line added, 1 removed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_file_is_told_in_words(tmp_path: Path, before: Files, after: Files, text: str) -> None:
    """A file has a line that counts its changed lines, or says what became of it."""
    assert [text] == [str(file) for file in compare(tmp_path, before, after).files]


def test_equal_files_are_not_mentioned(tmp_path: Path) -> None:
    """Only what differs is reported."""
    files: Files = {"a.py": "x\n", "b.py": "y\n"}

    assert CodeChanges([]) == compare(tmp_path, files, files)


def test_two_files_of_one_name_are_not_confused(tmp_path: Path) -> None:
    """Where a name says nothing, files that are in other folders are new and gone."""
    before: Files = {"a/__init__.py": "", "b/__init__.py": ""}
    kinds = [file.kind for file in compare(tmp_path, before, {"c/__init__.py": ""}).files]

    assert ["new", "gone", "gone"] == kinds


@pytest.mark.parametrize("count", [MAX_SHOWN_LINES, MAX_SHOWN_LINES + 1])
def test_a_long_change_is_only_counted(tmp_path: Path, count: int) -> None:
    """The lines themselves are told only where they are few, in all files together."""
    halves = numbered(count // 2), numbered(count - count // 2)
    files = compare(tmp_path, {}, {"a.py": halves[0], "b.py": halves[1]}).files

    assert [count // 2, count - count // 2] == [file.num_added for file in files]
    assert (count <= MAX_SHOWN_LINES) == all(file.diff for file in files)


def test_code_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters are shown as what Python writes for them."""
    (file,) = compare(tmp_path, {"a.py": ""}, {"a.py": "x = '\x1b[2J'\t\n"}).files

    assert "+x = '\\x1b[2J'\\t" == file.diff[-1]


@pytest.mark.parametrize("damage", ["missing", "cut short", "flipped", "no archive"])
def test_archives_that_cannot_be_read_are_a_problem(tmp_path: Path, damage: str) -> None:
    """What is wrong with an archive is said; nothing is taken for unchanged."""
    write_sources(tmp_path / "before.zip", {"a.py": numbered(50)})
    content = (tmp_path / "before.zip").read_bytes()
    flipped = content[:60] + bytes([content[60] ^ 1]) + content[61:]
    bad = {"cut short": content[:40], "flipped": flipped, "no archive": b"x"}
    if damage in bad:
        (tmp_path / "after.zip").write_bytes(bad[damage])
    changes = compare_sources(tmp_path / "before.zip", tmp_path / "after.zip")

    assert str(tmp_path / "after.zip") in changes.problem
    assert not changes.files


TEXTS = st.lists(st.sampled_from(["x", "y", "", "--x", "++x", "@@"]), max_size=8).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@settings(max_examples=50, deadline=None)
@given(before=TEXTS, after=TEXTS)
def test_the_counts_balance(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    """Lines before, less those removed, plus those added, are the lines after."""
    files = compare(tmp_path_factory.mktemp("code"), {"a.py": before}, {"a.py": after}).files
    grown = sum(file.num_added - file.num_removed for file in files)

    assert before.count("\n") + grown == after.count("\n")
    assert (before != after) == bool(files)


def test_the_experiments_own_file_comes_first(tmp_path: Path) -> None:
    """Files are told in the order of the archive, in which the experiment's is the first."""
    before: Files = {"z.py": "1", "a.py": "1"}

    assert ["z.py", "a.py"] == [
        file.path for file in compare(tmp_path, before, {"z.py": "2", "a.py": "2"}).files
    ]
