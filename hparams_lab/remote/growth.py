"""Bringing a file up to date in place where it has only grown.

An event file is written at its end alone, and a TensorBoard that shows it keeps it open: of
another file under the same name it would learn nothing.
"""

from __future__ import annotations

from pathlib import Path

_CHUNK_BYTES = 2**20


def grow_to(target: Path, longer: Path) -> bool:
    """Append to a file what it lacks of another that begins with it; return whether that does.

    Args:
        target: need not be there.
        longer: not changed.
    """
    try:
        with target.open("rb") as old, longer.open("rb") as new:
            while chunk := old.read(_CHUNK_BYTES):
                if new.read(len(chunk)) != chunk:
                    return False
            tail = new.read()
        if tail:
            with target.open("ab", buffering=0) as file:
                file.write(tail)
    except FileNotFoundError:
        return False
    return True
