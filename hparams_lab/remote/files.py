"""Bringing a file up to date in place where it has only grown.

An event file is written at its end alone, and a TensorBoard that shows it keeps it open: of
another file under the same name it would learn nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_CHUNK_BYTES = 2**20


def begins_with(path: Path, beginning: Path) -> bool:
    """Return whether a file begins with all of another's content.

    Raises:
        OSError: if one of them cannot be read.
    """
    with path.open("rb") as file, beginning.open("rb") as first:
        while chunk := first.read(_CHUNK_BYTES):
            if file.read(len(chunk)) != chunk:
                return False
    return True


def grow_to(target: Path, longer: Path) -> bool:
    """Append to a file what it lacks of another that begins with it; return whether that does.

    Args:
        target: need not be there.
        longer: not changed.
    """
    if not target.exists() or not begins_with(longer, target):
        return False
    with longer.open("rb") as new, target.open("ab", buffering=0) as file:
        new.seek(file.tell())
        shutil.copyfileobj(new, file, _CHUNK_BYTES)
    return True
