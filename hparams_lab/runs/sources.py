"""The user's own code that an experiment is made of, found without importing it.

Read from the import statements, those in functions too: what a run imports when it
trains counts as much as what is loaded by now, and does not depend on the process.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path


def find_sources(experiment_file: Path, root: Path) -> list[Path]:
    """Return the experiment's file, then the user's own modules that it is made of, sorted.

    The user's own are those below `root`, save for installed packages. Modules that are
    named by no import statement, as with `importlib.import_module`, are not found.

    Args:
        experiment_file: Python.
        root: of the checkout, or outside git the experiment's folder.
    """
    first = experiment_file.resolve()
    found = {first}
    waiting = [first]
    while waiting:
        path = waiting.pop()
        new = {own for own in _list_imported(path) if _is_own(own, root)} - found
        found |= new
        waiting += new
    return [first, *sorted(found - {first})]


def _is_own(path: Path, root: Path) -> bool:
    return (
        path.is_relative_to(root)
        and not path.is_relative_to(sys.prefix)
        and "site-packages" not in path.parts
    )


def _list_imported(path: Path) -> Iterator[Path]:
    """Yield the files that a module's import statements name, packages' `__init__` too."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _locate(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            for alias in node.names:
                names = [*parts, alias.name]
                if node.level:
                    yield from _walk(path.parents[node.level - 1], names)
                else:
                    yield from _locate(names)


def _locate(names: list[str]) -> Iterator[Path]:
    """Yield the files of an absolute import, as far as there are any."""
    try:
        spec = importlib.util.find_spec(names[0])
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    if spec.origin is not None and spec.origin.endswith(".py"):
        yield Path(spec.origin).resolve()
    # None for a lone module; a package without `__init__` may have several.
    for folder in spec.submodule_search_locations or ():
        yield from _walk(Path(folder).resolve(), names[1:])


def _walk(folder: Path, names: list[str]) -> Iterator[Path]:
    """Yield the modules that names lead to from a package's folder."""
    for name in names:
        for path in (folder / f"{name}.py", folder / name / "__init__.py"):
            if path.is_file():
                yield path.resolve()
        folder /= name
