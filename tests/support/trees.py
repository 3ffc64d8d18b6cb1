"""Files in a folder, as data."""

from __future__ import annotations

from pathlib import Path

from hparams_lab.remote.mirror import Mirror

SWEEP = "toy/2026-11-21_07-34-05"
RUN_FILE = f"{SWEEP}/0000-01234567/r00/events.out.tfevents.1"


def write(mirror: Mirror, name: str, content: str) -> Path:
    """Write a file of a mirror and return its path."""
    path = mirror.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def read_tree(folder: Path) -> dict[str, str]:
    """Return the files in a folder and all its folders, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(errors="replace") for path in files}
