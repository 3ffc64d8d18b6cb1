"""`hparams_lab show`: the trials of a sweep, best first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from absl import flags

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged, read_logged
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.flags.selection import (
    define_order,
    define_selection,
    keep_rows,
    order_rows,
    select_sweeps,
    sort_column,
)
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.json_documents import encode_sweep, encode_trial
from hparams_lab.cli.output.tables import (
    Column,
    format_fact,
    format_size,
    make_console,
    print_prose,
    print_table,
    trial_columns,
)
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import count

_NUM_NAMED = 2


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_order(values)
    define_format(values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    chosen_format = format_of(values)
    home = find_logged(logdir_of(values), words[0])
    logged = read_logged(home, select_sweeps(values, home, words[1] if len(words) > 1 else None))
    matching = keep_rows(values, logged.rows)
    shown = order_rows(values, matching)
    if chosen_format == JSON:
        _print_document(logged, num_matching=len(matching), shown=shown)
    else:
        sorted_by = sort_column(values, matching)
        _print_text(logged, values.where, matching, shown, sorted_by)
    return 0


def _print_document(logged: Logged, *, num_matching: int, shown: Sequence[TrialRow]) -> None:
    print_json(
        {
            "experiment": logged.home.name,
            "path": logged.home.path,
            "sweeps": [encode_sweep(sweep, logged.home) for sweep in logged.sweeps],
            "num_trials": len(logged.rows),
            "num_matching": num_matching,
            "trials": [encode_trial(row) for row in shown],
        }
    )


def _print_text(
    logged: Logged,
    conditions: Sequence[str],
    matching: Sequence[TrialRow],
    shown: Sequence[TrialRow],
    sorted_by: str | None,
) -> None:
    """Print a title, the table, and what is not in it.

    Args:
        logged: the sweeps.
        conditions: of `--where`.
        matching: the trials of which they are true.
        shown: those that are printed.
        sorted_by: fact by which they are sorted; None: best first.
    """
    console = make_console()
    title = f"{logged.home.name} {_name_sweeps(logged.sweeps)}"
    print_prose(console, f"{title}: {_count_statuses(logged.rows, logged.sweeps)}")
    others = len(logged.home.find_sweeps()) - len(logged.sweeps)
    if others:
        print_prose(console, f"{count(others, 'more sweep')}: name one, or say 'all'")
    if conditions:
        asked = " and ".join(f"({text})" for text in conditions)
        verb = "matches" if len(matching) == 1 else "match"
        print_prose(console, f"{count(len(matching), 'trial')} {verb} {asked}")
    if shown:
        columns = _bring_forward(sorted_by, trial_columns(shown, logged.sweeps), shown)
        console.print()
        print_table(console, columns)
    if len(shown) < len(matching):
        console.print(count(len(matching) - len(shown), "more trial"))


def _bring_forward(
    name: str | None, columns: Sequence[Column], rows: Sequence[TrialRow]
) -> Sequence[Column]:
    """Return the columns with that of a fact behind the first, where there is room for it."""
    first, *rest = columns
    if name is None or name == first.header:
        return columns
    found = [column for column in rest if column.header == name]
    found = found or [Column(name, [format_fact(row.facts.get(name)) for row in rows])]
    return [first, *found, *(column for column in rest if column.header != name)]


def _name_sweeps(sweeps: Sequence[Sweep]) -> str:
    if len(sweeps) > _NUM_NAMED:
        return f"{len(sweeps)} sweeps, {sweeps[0].id} to {sweeps[-1].id}"
    return ", ".join(sweep.id for sweep in sweeps)


def _count_statuses(rows: Sequence[TrialRow], sweeps: Sequence[Sweep]) -> str:
    labels = Counter(row.told_label for row in rows)
    counts = [f"{number} {label}" for label, number in labels.items()]
    planned = [sweep.max_trials for sweep in sweeps if sweep.max_trials is not None]
    total = f" of {sum(planned)}" if planned else ""
    title = f"{len(rows)}{total} trials"
    if len(sweeps) == 1 and planned:
        title = f"{len(rows)} of {format_size(sweeps[0])}"
    return ", ".join([title, *counts])
