"""Checks of the installation: what TensorBoard is served with. Imports none of it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hparams_lab.doctor.finding import Fault

_PACKAGES = ("tensorboard", "tensorflow", "keras", "protobuf", "setuptools")
_DATA_SERVER = "tensorboard_data_server"

Version = Callable[[str], str | None]
"""Returns the version of a distribution, None if it is not installed."""


@dataclass(frozen=True)
class Installation:
    """What is installed here."""

    python: str  # version
    # of the packages that matter to the dashboard, None of one that is missing
    versions: dict[str, str | None]
    has_data_server: bool  # whether TensorBoard's fast loader is there, for this machine
    file_limit: int | None  # how many files a process may have open; None for any number


def inspect() -> Installation:
    """Return what is installed here."""
    return Installation(
        python=platform.python_version(),
        versions={name: version_of(name) for name in _PACKAGES},
        has_data_server=_has_data_server(),
        file_limit=_read_file_limit(),
    )


def version_of(name: str) -> str | None:
    """Return the version of an installed distribution; None if it is not."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def find_wrong_python(python: str) -> Iterator[Fault]:
    """Find a Python that this package is not made for.

    Args:
        python: version.
    """
    from packaging.specifiers import SpecifierSet

    wanted = importlib.metadata.metadata("hparams_lab")["Requires-Python"]
    if not SpecifierSet(wanted).contains(python, prereleases=True):
        yield Fault(
            kind="python version",
            problem=f"Python must be {wanted}; this is {python}.",
            effect="TensorFlow and TensorBoard are not tested together on it.",
            advice="Make an environment with another Python.",
        )


def find_wrong_versions(version: Version = version_of) -> Iterator[Fault]:
    """Find packages that are missing, or outside the bounds that this one or TensorBoard sets.

    Args:
        version: of a distribution.
    """
    from packaging.requirements import Requirement

    seen = set()
    for dependent in ("hparams_lab", "tensorboard"):
        for text in _requirements_of(dependent):
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            found = version(wanted.name)
            is_right = found is not None and wanted.specifier.contains(found, prereleases=True)
            if is_right or wanted.name in seen:
                continue
            seen.add(wanted.name)
            has = "is not installed" if found is None else f"is {found}"
            yield Fault(
                kind="package version",
                problem=f"{dependent} needs {wanted.name} {wanted.specifier}; it {has}.",
                effect="What it is used for may fail.",
                advice=f"Type: pip install '{wanted.name}{wanted.specifier}'",
            )


def find_lost_pkg_resources(version: Version = version_of) -> Iterator[Fault]:
    """Find a TensorBoard that needs what setuptools no longer has.

    Source: TensorBoard's issue 7003; mended in its 2.21.

    Args:
        version: of a distribution.
    """
    from packaging.version import Version as Parsed

    setuptools, tensorboard = version("setuptools"), version("tensorboard")
    if setuptools is None or tensorboard is None:
        return
    if Parsed(setuptools) >= Parsed("82") and Parsed(tensorboard) < Parsed("2.21"):
        yield Fault(
            kind="pkg_resources",
            problem=(
                f"TensorBoard {tensorboard} imports pkg_resources, which setuptools "
                f"{setuptools} no longer has."
            ),
            effect="TensorBoard does not start.",
            advice="Type: pip install 'tensorboard>=2.21'",
        )


def find_missing_data_server(has_data_server: bool) -> Iterator[Fault]:
    """Find that TensorBoard has no fast loader.

    Args:
        has_data_server: whether it has.
    """
    if not has_data_server:
        yield Fault(
            kind="no data server",
            problem="TensorBoard's data server is not installed, or not for this machine.",
            effect="TensorBoard reads by its loader in Python, which is many times slower.",
            advice="Type: pip install tensorboard-data-server",
        )


def _requirements_of(name: str) -> list[str]:
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _has_data_server() -> bool:
    if importlib.util.find_spec(_DATA_SERVER) is None:
        return False
    server = importlib.import_module(_DATA_SERVER)
    return server.server_binary() is not None


def _read_file_limit() -> int | None:
    try:
        import resource
    except ImportError:  # as on Windows, which has no such limit
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft in (-1, resource.RLIM_INFINITY) else soft
