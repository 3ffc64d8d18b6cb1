"""Where an experiment is declared, and how its module is read or imported."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from hparams_lab.declare.experiment import Experiment
from hparams_lab.errors import (
    DeclarationError,
    ExperimentLoadError,
    UnknownExperimentError,
    did_you_mean,
)
from hparams_lab.text import truncate

EXPERIMENTS_DIR = "experiments"
_ATTRIBUTE = "EXPERIMENT"
_MODULE_PREFIX = "hparams_lab_experiment_"
_MAX_SUMMARY = 1000


@dataclass(frozen=True)
class ExperimentSource:
    """An experiment's module, importable in any process."""

    path: Path  # the module's file
    module: str | None = None  # dotted name, where it is imported by name instead of by file

    def __str__(self) -> str:
        return self.module or str(self.path)

    def load(self) -> Experiment:
        """Import the module and return its experiment.

        Raises:
            DeclarationError: if the declaration breaks rules.
            ExperimentLoadError: if the module cannot be imported or declares none.
        """
        try:
            module = self._import()
        except DeclarationError:
            raise
        except (Exception, SystemExit) as error:
            raise ExperimentLoadError(
                f"cannot import {self}: {format_error(error, self.path)}. {_advise(error)}"
            ) from error
        experiment = getattr(module, _ATTRIBUTE, None)
        if not isinstance(experiment, Experiment):
            raise ExperimentLoadError(
                f"{self} must declare {_ATTRIBUTE} = lab.Experiment(...); it has "
                f"{'none' if experiment is None else repr(experiment)}. Add it at its end."
            )
        return experiment

    def _import(self) -> ModuleType:
        if self.module is not None:
            return importlib.import_module(self.module)
        # As `python FILE` does, so that the module finds what lies beside it.
        folder = str(self.path.parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        name = f"{_MODULE_PREFIX}{self.path.stem}"
        spec = importlib.util.spec_from_file_location(name, self.path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def read_outline(self) -> Outline:
        """Return the experiment's name and question without importing the module.

        Raises:
            ExperimentLoadError: if the file is not Python.
        """
        try:
            tree = ast.parse(self.path.read_bytes())
        except (OSError, SyntaxError, ValueError) as error:
            raise ExperimentLoadError(
                f"cannot read {self.path}: {error}. Mend the file."
            ) from error
        return Outline(_find_name(tree) or self.path.stem, _first_line(ast.get_docstring(tree)))


@dataclass(frozen=True)
class Outline:
    """What is known of an experiment without importing it."""

    name: str  # of the experiment
    question: str  # first line of the module's docstring; empty if it has none


def find_source(name: str, root: Path | None = None) -> ExperimentSource:
    """Return the source of an experiment.

    Args:
        name: of an experiment in the folder `experiments`, or a path to a .py file, or a
            dotted module.
        root: where `experiments` is; by default the working directory.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    root = root or Path.cwd()
    if name.endswith(".py"):
        path = (root / name).absolute()
        if path.is_file():
            return ExperimentSource(path)
        raise UnknownExperimentError(f"there is no file {path}. Check the path.")
    sources = list_sources(root)
    for source in sources:
        if name == source.path.stem:
            return source
    for source in sources:
        if name == _name_of(source):
            return source
    if "." in name and (spec := _find_spec(name)):
        return ExperimentSource(Path(spec), module=name)
    known = [source.path.stem for source in sources]
    hint = did_you_mean(name, known) or (
        f" There {'are' if len(known) > 1 else 'is'} {', '.join(known)}."
        if known
        else f" Start in the folder above {EXPERIMENTS_DIR}/, or give a path to a .py file."
    )
    raise UnknownExperimentError(
        f"there is no experiment {name!r} in {root / EXPERIMENTS_DIR}.{hint}"
    )


def list_sources(root: Path | None = None) -> list[ExperimentSource]:
    """Return the sources in the folder `experiments` of `root`, by file name.

    A module that says nothing of an EXPERIMENT is one that others import.
    """
    folder = (root or Path.cwd()).absolute() / EXPERIMENTS_DIR
    if not folder.is_dir():
        return []
    return [
        ExperimentSource(path)
        for path in sorted(folder.glob("[!_.]*.py"))
        if _ATTRIBUTE.encode() in path.read_bytes()
    ]


def format_error(error: BaseException, path: Path | None = None) -> str:
    """Return an exception in one line, with the last place it passed in file `path`.

    Of a message that is no line, as where it has a whole graph in it, the beginning is kept.

    Args:
        error: an exception that was raised.
        path: the user's file; None takes the last place of all.
    """
    lines = traceback.TracebackException.from_exception(error)
    lines.__notes__ = None  # they would come last
    summary = " ".join(list(lines.format_exception_only())[-1].split())
    summary = re.sub(rf"^{_MODULE_PREFIX}\w+\.", "", summary)  # the user's own exceptions
    summary = truncate(summary, _MAX_SUMMARY)
    if isinstance(error, SyntaxError):
        return f"{summary} ({error.filename}:{error.lineno})"
    places = traceback.extract_tb(error.__traceback__)
    own = [p for p in places if path is None or p.filename == str(path)]
    return f"{summary} ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else summary


def _advise(error: BaseException) -> str:
    """Return what to do about an error of the user's module."""
    places = traceback.extract_tb(error.__traceback__)
    if places and Path(places[-1].filename).match("plugins/hparams/summary_v2.py"):
        return (
            "A domain holds values of one type, Python's own int, float, str or bool, and its "
            "bounds in order: mend that line."
        )
    return "Mend the module."


def _name_of(source: ExperimentSource) -> str | None:
    try:
        return source.read_outline().name
    except ExperimentLoadError:
        return None


def _find_spec(name: str) -> str | None:
    if (cwd := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, cwd)  # as `python -m` does
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    except Exception as error:
        raise ExperimentLoadError(
            f"cannot import the package of {name}: {format_error(error)}. Mend it."
        ) from error
    return spec.origin if spec else None


def _find_name(tree: ast.Module) -> str | None:
    """Return the name given to the `Experiment(...)` of a module, if it can be read off.

    That is a plain string, or a constant of the module that is one.
    """
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called_name(node.func) == "Experiment":
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
                if keyword.arg == "name" and isinstance(keyword.value, ast.Name):
                    name = constants.get(keyword.value.id)
                    return name if isinstance(name, str) else None
    return None


def _called_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
