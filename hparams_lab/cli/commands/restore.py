"""`hparams_lab restore`: what was archived, back where it was."""

from __future__ import annotations

from absl import flags

from hparams_lab.cli.commands.archive import relocate
from hparams_lab.cli.flags.formats import JSON, format_of, print_json
from hparams_lab.cli.inputs.entries import (
    choose,
    define_choice,
    describe_extents,
    find_home,
    has_criteria,
    measure,
    print_extents,
)
from hparams_lab.cli.logdir import logdir_of
from hparams_lab.cli.output.tables import make_console
from hparams_lab.logdir.entry import Entry
from hparams_lab.logdir.layout import ExperimentDir

define_flags = define_choice


def run(values: flags.FlagValues, words: list[str]) -> int:
    logdir = logdir_of(values, writes=not values.dry_run, removes=True)
    home = find_home(logdir, words[0], archived=True)
    if len(words) == 1 and not has_criteria(values):
        _print_archived(values, home)
        return 0
    return relocate(values, choose(values, home, words[1:]), "restore")


def _print_archived(values: flags.FlagValues, home: ExperimentDir) -> None:
    names = {path.name for path in home.path.iterdir() if path != home.config_file}
    shown = sorted(name for name in names if not name.startswith("."))
    extents = [measure(Entry(home, (name,))) for name in shown]
    if format_of(values) == JSON:
        print_json({"experiment": home.name, "archived": extents})
        return
    console = make_console()
    console.print(
        f"{home.name}: {describe_extents(extents)} archived; name what is to come back, or all"
    )
    print_extents(extents)
