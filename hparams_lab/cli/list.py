"""`hparams_lab list`: the experiments here and how many sweeps are logged."""

from __future__ import annotations

from absl import flags

from hparams_lab.chatter import quiet_stderr
from hparams_lab.cli.command import Command, define_logdir, logdir_of
from hparams_lab.cli.tables import make_console
from hparams_lab.declare.domains import describe, format_value
from hparams_lab.declare.source import EXPERIMENTS_DIR, ExperimentSource, list_sources
from hparams_lab.declare.space import SearchSpace
from hparams_lab.errors import HParamsLabError
from hparams_lab.runs.logdir import find_experiments

_MAX_LEVELS = 8


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    flags.DEFINE_bool(
        "spaces", False, "import the experiments and print their search spaces", flag_values=values
    )


def _run(values: flags.FlagValues, words: list[str]) -> int:
    console = make_console()
    num_sweeps = {
        experiment.name: len(experiment.find_sweeps())
        for experiment in find_experiments(logdir_of(values))
    }
    sources = list_sources()
    if not sources:
        console.print(f"no experiment in ./{EXPERIMENTS_DIR}; write one: hparams_lab new NAME")
    lines = []
    for source in sources:
        try:
            outline = source.read_outline()
        except HParamsLabError as error:
            console.print(f"{source.path.stem}: {error}")
            continue
        num_logged = num_sweeps.pop(outline.name, 0)
        lines.append((source, outline.name, _count_sweeps(num_logged), outline.question))
    name_width = max([len(name) for _, name, *_ in lines], default=0)
    count_width = max([len(count) for _, _, count, _ in lines], default=0)
    for source, name, count, question in lines:
        console.print(f"{name:<{name_width}}  {count:<{count_width}}  {question}".rstrip())
        if values.spaces:
            for line in _format_space(source):
                console.print(f"    {line}")
    for name, left in num_sweeps.items():
        console.print(f"{name}  {_count_sweeps(left)}  (logged; no module in ./{EXPERIMENTS_DIR})")
    return 0


def _count_sweeps(count: int) -> str:
    return f"{count} sweep" if count == 1 else f"{count} sweeps"


def _format_space(source: ExperimentSource) -> list[str]:
    try:
        with quiet_stderr():
            experiment = source.load()
    except HParamsLabError as error:
        return str(error).splitlines()
    return [*format_axes(experiment.space), f"grid of {experiment.space.size} points"]


def format_axes(space: SearchSpace) -> list[str]:
    """Return a line for each axis: its domain and the values it gives a grid."""
    lines = []
    for axis in space:
        shown = ", ".join(format_value(value) for value in axis.levels[:_MAX_LEVELS])
        more = f", ... {len(axis.levels)} values" if len(axis.levels) > _MAX_LEVELS else ""
        lines.append(f"{axis.name}: {describe(axis.domain)}; grid {shown}{more}")
    return lines


COMMAND = Command(
    name="list",
    arguments="",
    summary="the experiments here, their questions, and how many sweeps are logged",
    define_flags=_define_flags,
    run=_run,
)
