"""`hparams_lab compare`: days, sweeps or commits against each other."""

from __future__ import annotations

from absl import flags
from rich.console import Console

from hparams_lab.analysis.compare import text as compare_text
from hparams_lab.analysis.compare.comparison import Comparison, compare
from hparams_lab.analysis.compare.groups import By
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.tables import Column, make_console, print_prose, print_table

_INDENT = 2


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_format(values)
    choices = ", ".join(by.value for by in By)
    flags.DEFINE_string("by", By.DAY.value, f"what makes a group: {choices}", flag_values=values)
    flags.DEFINE_string(
        "baseline",
        None,
        "the group that all others are compared with; each with the one before it if not given",
        flag_values=values,
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    chosen_format, by = format_of(values), By.parse(values.by)
    home = find_logged(logdir_of(values), words[0])
    logged = read_logged(home, select_sweeps(values, home, default="all"))
    rows = keep_rows(values, logged.rows)
    comparison = compare(logged, by=by, baseline=values.baseline, rows=rows)
    if chosen_format == JSON:
        print_json(comparison)
    else:
        _print_text(comparison)
    return 0


def _print_text(comparison: Comparison) -> None:
    console = make_console()
    print_prose(console, compare_text.name_comparison(comparison))
    if not comparison.groups:
        print_prose(console, "no trial has begun, or none is meant by --where")
        return
    for pair in comparison.pairs:
        print_prose(console, compare_text.format_verdict(pair))
        for fact in compare_text.list_unmatched(pair):
            print_prose(console, fact, indent=_INDENT)
    for remark in compare_text.list_remarks(comparison):
        print_prose(console, remark)
    for tabulate in (compare_text.tabulate_results, compare_text.tabulate_origins):
        console.print()
        print_table(console, [Column(*each) for each in tabulate(comparison).items()])
    console.print()
    for group in comparison.groups:
        print_prose(console, compare_text.format_best(group))
    _print_changes(console, comparison)


def _print_changes(console: Console, comparison: Comparison) -> None:
    for pair in comparison.pairs:
        console.print()
        lines = pair.changes.lines()
        what = "what changed" if lines else "nothing changed"
        print_prose(console, f"{what} from {pair.before} to {pair.after}")
        for line in lines:
            text = line.lstrip()
            print_prose(console, text, indent=_INDENT + len(line) - len(text))
