from __future__ import annotations

import pytest

from hparams_lab.analysis.changes.changes import compare_versions, sum_up
from tests.support.changed_sweeps import make_provenance

MANY = ("absl-py", "rich", "six", "wheel")


def compare(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the lines about some packages and others."""
    provenances = [make_provenance(versions=versions) for versions in (before, after)]
    return sum_up(compare_versions(*provenances))


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"keras": "3.4"}, {"keras": "3.4"}, []),
        ({"keras": "3.4"}, {"keras": "3.5"}, ["keras: 3.4 -> 3.5"]),
        ({}, {"six": "1"}, ["six: added, 1"]),
        ({"six": "1"}, {}, ["six: removed, was 1"]),
        ({"scikit_learn": "1.5", "Six": "1"}, {"scikit-learn": "1.5", "six": "1"}, []),
        (
            {"absl-py": "1", "numpy": "1", "keras": "3.4"},
            {"absl-py": "2", "numpy": "2", "keras": "3.5"},
            ["keras: 3.4 -> 3.5", "numpy: 1 -> 2", "absl-py: 1 -> 2"],
        ),
        (
            dict.fromkeys(("numpy", *MANY), "1"),
            dict.fromkeys(("numpy", *MANY), "2"),
            ["numpy: 1 -> 2", "and 4 other packages"],
        ),
        (
            dict.fromkeys(MANY, "1"),
            dict.fromkeys(MANY, "2"),
            ["4 packages differ, absl-py and others"],
        ),
    ],
    ids=["same", "other", "new", "gone", "other spelling", "telling first", "many", "only others"],
)
def test_packages_that_differ_are_reported(
    before: dict[str, str], after: dict[str, str], lines: list[str]
) -> None:
    """The telling packages have a line each, before the others, of which many are counted."""
    assert lines == compare(before, after)


def test_another_python_comes_first() -> None:
    """Python is told before the packages."""
    before, after = (
        make_provenance(python=python, versions={"tensorflow": tensorflow})
        for python, tensorflow in (("3.11.2", "2.20"), ("3.12.1", "2.21"))
    )

    assert ["python: 3.11.2 -> 3.12.1", "tensorflow: 2.20 -> 2.21"] == sum_up(
        compare_versions(before, after)
    )
