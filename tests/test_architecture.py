"""The rules that hold the tree together, checked on the source itself."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hparams_lab"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


@functools.cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a module imports, wherever it does so."""
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_point_down() -> None:
    """Each room imports only from rooms further down, as setup.cfg lists them."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-cache", "setup.cfg"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert 0 == done.returncode, done.stdout


def test_few_modules_are_loose() -> None:
    """What lies at the package's root is the ground, not a part of the house."""
    loose = {_name(path) for path in PACKAGE.glob("*.py")}

    assert {"", "__main__", "errors", "text", "tf_noise"} >= loose


def test_the_package_root_is_imported_by_none_of_its_modules() -> None:
    """No module imports the package root, which would tie all of them into a knot."""
    assert [] == [_name(path) for path in MODULES if "hparams_lab" in set(_imports(path))]


def test_modules_have_docstrings() -> None:
    """Every module says its job in a docstring that Python can find."""
    trees = {_name(path): _parse(path) for path in MODULES}

    assert [] == [name for name, tree in trees.items() if not ast.get_docstring(tree)]


def test_no_test_imports_a_test() -> None:
    """What several tests use lies in tests/support."""
    importing = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for module in _imports(path)
        if any(part.startswith("test_") for part in module.split(".")[:-1])
    ]

    assert [] == importing


def _raising_functions() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        for node in ast.walk(_parse(path)):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                raises = any(
                    isinstance(inner, ast.Raise) and inner.exc is not None
                    for inner in ast.walk(node)
                )
                if raises:
                    yield f"{_name(path)}.{node.name}", ast.get_docstring(node) or ""


def test_functions_that_raise_say_so() -> None:
    """A public function that raises has a Raises section, or its interface has."""
    # Without a docstring: ruff asks for one everywhere but where the interface has it.
    assert [] == [name for name, doc in _raising_functions() if doc and "Raises:" not in doc]


def test_public_fields_are_documented() -> None:
    """Each public field of a dataclass has a comment, a docstring's line, or an option's help."""
    silent = [
        f"{_name(path)}.{node.name}.{field.target.id}"
        for path in MODULES
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.ClassDef) and _is_dataclass(node)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and not field.target.id.startswith("_")
        and f"{field.target.id}:" not in (ast.get_docstring(node) or "")
        and not _has_comment(path, field)
        and not node.name.startswith("_")
    ]

    assert [] == silent


def _has_comment(path: Path, node: ast.stmt) -> bool:
    lines = path.read_text().splitlines()
    beside, above = lines[node.lineno - 1], lines[node.lineno - 2]
    return "  # " in beside or " = option(" in beside or above.lstrip().startswith("# ")


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_printing_is_done_by_the_command_line_only() -> None:
    """No module outside cli calls print."""
    printing = [
        _name(path)
        for path in MODULES
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]

    assert [] == [name for name in printing if not name.startswith("cli.")]


def test_public_names_are_sorted_and_complete() -> None:
    """`__all__` lists what type checkers see imported, sorted, and each name can be had."""
    import hparams_lab

    tree = _parse(PACKAGE / "__init__.py")
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


def test_help_imports_nothing_heavy() -> None:
    """`hparams_lab --help` needs none of what the commands are made of."""
    program = (
        "import sys; from hparams_lab.cli.main import main\n"
        "try: main(argv=['--help'])\n"
        "except SystemExit: pass\n"
        "print(*{'numpy', 'google', 'rich'} & {*sys.modules}, file=sys.stderr, end='')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "hparams_lab COMMAND [NAME] [flags]" in done.stdout
    assert "" == done.stderr


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
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not (ast.get_docstring(node) or "").strip().endswith((".", '."'))
    ]

    assert [] == silent
