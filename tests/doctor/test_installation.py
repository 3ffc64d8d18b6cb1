"""What the doctor finds wrong with what is installed."""

from __future__ import annotations

import pytest

from hparams_lab.doctor.checks.installation import (
    find_lost_pkg_resources,
    find_missing_data_server,
    find_wrong_python,
    find_wrong_versions,
    inspect,
    version_of,
)
from hparams_lab.doctor.doctor import examine_installation


def test_nothing_is_wrong_here() -> None:
    """The environment that the tests run in is a right one."""
    assert [] == examine_installation(inspect())


def test_the_versions_are_told_without_importing() -> None:
    """What is installed is said by version; what is not is none."""
    installed = inspect()

    assert str(installed.versions["tensorboard"]).startswith("2.")
    assert version_of("no-such-package") is None


@pytest.mark.parametrize(
    ("name", "version", "words"),
    [
        ("tensorboard", "2.16.2", "hparams_lab needs tensorboard <2.22,>=2.21; it is 2.16.2."),
        ("tensorflow", None, "tensorflow <2.22,>=2.21; it is not installed."),
        ("protobuf", "3.20.0", "tensorboard needs protobuf"),
    ],
)
def test_wrong_versions_are_found(name: str, version: str | None, words: str) -> None:
    """A package outside the bounds of this one, or of TensorBoard, is named with both."""
    (found,) = find_wrong_versions(lambda asked: version if asked == name else version_of(asked))

    assert words in found.problem
    assert f"pip install '{name}" in found.advice


@pytest.mark.parametrize(
    ("setuptools", "tensorboard", "num_findings"),
    [("82.0", "2.20.0", 1), ("82.0", "2.21.0", 0), ("81.9", "2.20.0", 0), (None, "2.20.0", 0)],
)
def test_a_tensorboard_that_cannot_start_is_found(
    setuptools: str | None, tensorboard: str, num_findings: int
) -> None:
    """TensorBoard before 2.21 needs a module that setuptools 82 no longer has."""
    versions = {"setuptools": setuptools, "tensorboard": tensorboard}

    assert num_findings == len([*find_lost_pkg_resources(versions.get)])


@pytest.mark.parametrize(
    ("python", "num_findings"), [("3.9.18", 1), ("3.10.0", 0), ("3.13.1", 0), ("3.14.0", 1)]
)
def test_another_python_is_found(python: str, num_findings: int) -> None:
    """A Python outside the package's bounds is named."""
    assert num_findings == len([*find_wrong_python(python)])


def test_a_missing_data_server_is_found() -> None:
    """Without its data server TensorBoard is slow, and that is said."""
    (found,) = find_missing_data_server(has_data_server=False)

    assert "tensorboard-data-server" in found.advice
