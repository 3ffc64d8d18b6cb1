"""`hparams_lab list`: the experiments here and how many sweeps are logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from absl import flags
from rich.console import Console

from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.tables import cut, make_console, print_prose
from hparams_lab.declare.domains import describe_domain, format_value
from hparams_lab.declare.source import EXPERIMENTS_DIR, ExperimentSource, list_sources
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import HParamsLabError
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, find_experiments
from hparams_lab.runs.sweep import read_readable
from hparams_lab.text import count
from hparams_lab.tf_noise import quiet_stderr

_MAX_LEVELS = 8
_INDENT = 4


@dataclass(frozen=True)
class _Entry:
    """An experiment, or a module that cannot be read."""

    name: str  # of the experiment; of the module if that cannot be read
    source: ExperimentSource | None = None  # None if there is no module here
    question: str = ""  # the first line of the module's docstring
    problem: str = ""  # why the module cannot be read; empty if it can
    # its search space, or why it cannot be imported; None if not asked for
    space: SearchSpace | str | None = None
    home: ExperimentDir | None = None  # its log directory; None if nothing is logged
    sweeps: Sequence[SweepDir] = ()  # that are logged, oldest first

    def encode(self) -> dict[str, Any]:
        """Return it as a document has it."""
        return {
            "experiment": self.name,
            "question": self.question or None,
            "source": None if self.source is None else self.source.path.absolute(),
            "problem": self.problem or None,
            "path": None if self.home is None else self.home.path,
            "sweeps": [sweep.id for sweep in self.sweeps],
            **self._encode_space(),
        }

    def _encode_space(self) -> dict[str, Any]:
        if isinstance(self.space, SearchSpace):
            return {"space": {"size": self.space.size, "axes": self.space.encode_json()}}
        return {} if self.space is None else {"space": None, "problem": self.space}


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_format(values)
    flags.DEFINE_bool(
        "spaces", False, "import the experiments and print their search spaces", flag_values=values
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    chosen_format = format_of(values)
    entries = _find_entries(logdir_of(values), with_spaces=values.spaces)
    if chosen_format == JSON:
        print_json(
            {"logdir": logdir_of(values), "experiments": [each.encode() for each in entries]}
        )
    else:
        _print_entries(make_console(), entries)
    return 0


def _find_entries(logdir: Path, *, with_spaces: bool) -> list[_Entry]:
    """Return the experiments that have a module here, then those that are only logged."""
    logged = {home.name: home for home in find_experiments(logdir)}
    entries = []
    for source in list_sources():
        try:
            outline = source.read_outline()
        except HParamsLabError as error:
            entries.append(_Entry(source.path.stem, source, problem=str(error)))
            continue
        space = _load_space(source) if with_spaces else None
        home = logged.pop(outline.name, None)
        entry = _Entry(outline.name, source, outline.question, space=space, home=home)
        entries.append(entry)
    entries += [_Entry(name, home=home) for name, home in logged.items()]
    return [
        entry if entry.home is None else replace(entry, sweeps=_list_readable(entry.home))
        for entry in entries
    ]


def _list_readable(home: ExperimentDir) -> list[SweepDir]:
    """Return the sweeps of an experiment as other commands know them: those that can be read."""
    return [*read_readable(home.find_sweeps())]


def _print_entries(console: Console, entries: Sequence[_Entry]) -> None:
    """Print a line for each, cut where it is wider than the terminal."""
    here = [entry for entry in entries if entry.source is not None]
    if not here:
        print_prose(
            console, f"no experiment in ./{EXPERIMENTS_DIR}; write one: hparams_lab new NAME"
        )
    name_width = max((len(entry.name) for entry in here if not entry.problem), default=0)
    count_width = max((len(count(len(entry.sweeps), "sweep")) for entry in here), default=0)
    for entry in entries:
        if entry.problem:
            print_prose(console, f"{entry.name}: {entry.problem}")
            continue
        about = entry.question if entry.source else f"(logged; no module in ./{EXPERIMENTS_DIR})"
        sweeps = count(len(entry.sweeps), "sweep")
        line = f"{entry.name:<{name_width}}  {sweeps:<{count_width}}  {about}"
        console.print(cut(line.rstrip(), console.width))
        for text in _format_space(entry.space):
            print_prose(console, text, indent=_INDENT)


def _load_space(source: ExperimentSource) -> SearchSpace | str:
    """Return the space of an experiment, or why it cannot be imported."""
    try:
        with quiet_stderr():
            return source.load().space
    except HParamsLabError as error:
        return str(error)


def _format_space(space: SearchSpace | str | None) -> list[str]:
    if isinstance(space, SearchSpace):
        return [*format_axes(space), f"grid of {count(space.size, 'point')}"]
    return (space or "").splitlines()


def format_axes(space: SearchSpace) -> list[str]:
    """Return a line for each axis: its domain and the values it gives a grid."""
    lines = []
    for axis in space:
        shown = ", ".join(format_value(value) for value in axis.levels[:_MAX_LEVELS])
        more = f", ... {len(axis.levels)} values" if len(axis.levels) > _MAX_LEVELS else ""
        lines.append(f"{axis.name}: {describe_domain(axis.domain)}; grid {shown}{more}")
    return lines
