"""The wheel holds all that the program needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import build_wheel, make_environment, outside_variables

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SOURCES = ("hparams_lab", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment in which the wheel is installed."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)  # type: ignore[operator]
    wheel = build_wheel(source, tmp_path_factory.mktemp("wheel"))
    return make_environment(tmp_path_factory.mktemp("environment"), wheel)


def test_the_wheel_is_enough(python: Path, tmp_path: Path) -> None:
    """Installed, and away from the repository, it writes, runs, shows and reports an experiment."""
    ask = [python, "-c", "import hparams_lab; print(hparams_lab.__file__)"]
    found = subprocess.check_output(ask, cwd=tmp_path, env=outside_variables(), text=True)
    lab = [python.with_name("hparams_lab")]
    for words in (["new", "first"], ["run", "first"], ["show", "first"], ["report", "first"]):
        done = subprocess.run(
            [*lab, *words],
            cwd=tmp_path,
            env=outside_variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr

    assert found.startswith(str(python.parents[1]))
    assert "data:image/svg" in (tmp_path / "first.html").read_text()
