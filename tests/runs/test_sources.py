"""The user's own code that an experiment is made of."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from hparams_lab.runs.sources import find_sources

FILES = {
    "toy.py": "import sources_flat\nfrom sources_package import net\nimport numpy\n"
    "def train(run):\n    from sources_spaces.deep import late\n",
    "sources_flat.py": "",
    "sources_package/__init__.py": "",
    "sources_package/net.py": "from . import layers\nfrom .loss import mean\n",
    "sources_package/layers.py": "",
    "sources_package/loss.py": "",
    "sources_package/unused.py": "",
    "sources_spaces/deep/late.py": "",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of modules that are importable, and not imported."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def test_what_is_imported_anywhere_is_found(folder: Path) -> None:
    """Modules, packages and what they import themselves count, also within functions."""
    found = find_sources(folder / "toy.py", folder)

    assert folder / "toy.py" == found[0]
    assert {folder / name for name in FILES if "unused" not in name} == {*found}


def test_a_package_without_init_is_found(folder: Path) -> None:
    """A namespace package has no file of its own, but its modules count."""
    found = find_sources(folder / "toy.py", folder)

    assert folder / "sources_spaces" / "deep" / "late.py" in found


def test_what_lies_elsewhere_is_not_the_users(folder: Path, tmp_path: Path) -> None:
    """Code outside the root is somebody else's."""
    root = tmp_path / "sources_package"

    assert {folder / "toy.py"} | set(root.glob("[!u]*.py")) == set(
        find_sources(folder / "toy.py", root)
    )


def test_a_file_that_is_not_python_is_kept_alone(tmp_path: Path) -> None:
    """What cannot be read imports nothing."""
    path = tmp_path / "toy.py"
    path.write_text("import (")

    assert [path] == find_sources(path, tmp_path)
