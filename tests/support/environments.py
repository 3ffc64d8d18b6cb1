"""Virtual environments with something installed in them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

_PIP = ("-m", "pip", "--quiet")
_ALONE = ("--no-deps", "--no-index")


def build_wheel(source: Path, folder: Path) -> Path:
    """Return the wheel of a package, built from a folder in another, empty one."""
    words = [*_PIP, "wheel", *_ALONE, "--no-build-isolation", f"--wheel-dir={folder}", source]
    subprocess.run([sys.executable, *words], check=True, env=outside_variables())
    (wheel,) = folder.iterdir()
    return wheel


def make_environment(folder: Path, wheel: Path, *, imported: Path | None = None) -> Path:
    """Return the interpreter of a new virtual environment in which a wheel is installed.

    What this one has installed can be imported there, so that TensorFlow need not be fetched
    again.

    Args:
        folder: of the environment.
        wheel: to install.
        imported: a folder that is on its path, too.
    """
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    variables = outside_variables()
    subprocess.run([python, *_PIP, "install", *_ALONE, wheel], check=True, env=variables)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = subprocess.check_output(ask, text=True, env=variables).strip()
    # Not before: pip would take for installed what is so there.
    lines = [f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"]
    lines += [str(imported)] if imported else []
    Path(own, "parent.pth").write_text("\n".join(reversed(lines)))
    return python


def outside_variables() -> dict[str, str]:
    """Return the environment variables of a program that is to find nothing of this checkout."""
    variables = {**os.environ, "COLUMNS": "200"}
    variables.pop("PYTHONPATH", None)
    return variables
