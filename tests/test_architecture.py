"""The rules that hold the tree together, checked on the source itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hparams_lab"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

# The floors of the house, from the ground up: a room imports rooms of lower floors only.
FLOORS = (
    {"errors", "tf_noise", "stats"},
    {"catalog", "declare", "logdir"},
    {"search", "executors", "keras"},
    {"runs"},
    {"events"},
    {"remote"},
    {"sweeps", "dashboard", "doctor", "interop"},
    {"analysis", "sklearn", "testing"},
    {"refit"},
    {"cli"},
    {"", "__main__"},  # the root names what others import when it is asked for
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_room_has_its_floor() -> None:
    """A new package or module at the root is given its floor."""
    assert set(FLOOR) == {_name(path).partition(".")[0] for path in MODULES}


def test_imports_point_down() -> None:
    """A module imports only from its own room and from rooms of lower floors."""
    level = [
        f"{_name(path)} imports {module}"
        for path in MODULES
        for room in [_name(path).partition(".")[0]]
        for module in _imports(path)
        if room and module.startswith("hparams_lab.")
        for target in [module.split(".")[1]]
        if target != room and FLOOR[target] >= FLOOR[room]
    ]

    assert [] == level


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_the_package_root_is_imported_by_none_of_its_modules(path: Path) -> None:
    """No module imports the package root, which would tie all of them into a knot."""
    assert "hparams_lab" not in set(_imports(path))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_have_docstrings(path: Path) -> None:
    """Every module says its job in a docstring that Python can find."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def _raising_functions() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                raises = any(
                    isinstance(inner, ast.Raise) and inner.exc is not None
                    for inner in ast.walk(node)
                )
                if raises:
                    yield f"{_name(path)}.{node.name}", ast.get_docstring(node) or ""


@pytest.mark.parametrize(
    ("name", "docstring"), [pytest.param(*case, id=case[0]) for case in _raising_functions()]
)
def test_functions_that_raise_say_so(name: str, docstring: str) -> None:
    """A public function that raises has a Raises section, or its interface has."""
    is_told_at_the_interface = docstring == ""  # ruff asks for one everywhere else

    assert "Raises:" in docstring or is_told_at_the_interface


def test_printing_is_done_by_the_command_line_only() -> None:
    """No module outside cli calls print."""
    printing = [
        _name(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert [] == [name for name in printing if not name.startswith("cli.")]


def test_public_names_are_sorted_and_complete() -> None:
    """`__all__` lists what type checkers see imported, sorted, and each name can be had."""
    import hparams_lab

    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    imported = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    ]

    assert sorted(imported) == hparams_lab.__all__
    assert imported == [name for name in imported if hasattr(hparams_lab, name)]


def test_importing_the_package_imports_nothing_else() -> None:
    """`import hparams_lab` imports no module of its own, and nothing it depends on."""
    check = (
        "import sys; before = {*sys.modules}; import hparams_lab;"
        "print(*{*sys.modules} - before - sys.stdlib_module_names)"
    )

    done = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)

    assert ["hparams_lab"] == [name for name in done.stdout.split() if "." not in name]
    assert [] == [name for name in done.stdout.split() if name.startswith("hparams_lab.")]


@pytest.mark.parametrize(
    "statement", ["from hparams_lab import *", "from hparams_lab.cli.commands import show"]
)
def test_importing_leaves_tensorflow_out(statement: str) -> None:
    """Neither the package nor a reading command imports TensorFlow or Keras."""
    check = (
        f"import sys; {statement}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", check], check=False).returncode


def test_tests_state_facts() -> None:
    """Every test has a docstring of one sentence."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip().endswith((".", '."'))
    ]

    assert [] == silent
