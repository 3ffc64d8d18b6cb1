"""`hparams_lab best`: the best trial and how to run it again."""

from __future__ import annotations

from absl import flags

from hparams_lab.analysis.trials.rows import TrialRow
from hparams_lab.analysis.trials.selection import Logged, read_logged
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, format_command, logdir_of
from hparams_lab.cli.output.json_documents import encode_sweep, encode_trial
from hparams_lab.cli.output.tables import format_metric, make_console, print_prose
from hparams_lab.declare.domains import format_value
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.runs.sweep import Sweep
from hparams_lab.text import count


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_format(values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    chosen_format = format_of(values)
    home = find_logged(logdir_of(values), words[0])
    logged = read_logged(home, select_sweeps(values, home, words[1] if len(words) > 1 else None))
    rows = keep_rows(values, logged.rows)
    if not rows or not rows[0].is_complete:
        asked = f", where {' and '.join(values.where)}" if values.where else ""
        show = ["show", *words, *(f"--where={text}" for text in values.where)]
        raise UnknownExperimentError(
            f"experiment {home.name!r} has no successful trial, run in full, in "
            f"{', '.join(sweep.id for sweep in logged.sweeps)}{asked}. See: "
            f"{format_command(show, logdir_of(values))}"
        )
    best = rows[0]
    sweep = next(sweep for sweep in logged.sweeps if sweep.id == best.sweep_id)
    # Without a source no command can run it.
    replay = list_replay_words(words[0], best, sweep) if sweep.source else None
    command = None if replay is None else format_command(replay, logdir_of(values))
    if chosen_format == JSON:
        _print_document(logged, best, sweep, num_trials=len(rows), replay=command)
    else:
        _print_text(logged, best, sweep, num_trials=len(rows), replay=command)
    return 0


def _print_document(
    logged: Logged, best: TrialRow, sweep: Sweep, *, num_trials: int, replay: str | None
) -> None:
    print_json(
        {
            "experiment": logged.home.name,
            "path": logged.home.path,
            "num_trials": num_trials,
            "sweep": encode_sweep(sweep, logged.home),
            "trial": encode_trial(best),
            "replay": replay,
        }
    )


def _print_text(
    logged: Logged, best: TrialRow, sweep: Sweep, *, num_trials: int, replay: str | None
) -> None:
    folder = best.runs[0].dir.path
    metrics = dict.fromkeys([sweep.objective.tag, *sweep.metric_keys])
    facts = [
        *((name, format_value(value)) for name, value in best.assignment.items()),
        *((name, format_metric(best, name)) for name in metrics),
        *_list_origin(best, sweep),
        ("directory", str(folder.parent if len(best.runs) > 1 else folder)),
    ]
    console = make_console()
    title = f"{logged.home.name} {best.sweep_id}, best of {count(num_trials, 'trial')}"
    print_prose(console, f"{title}: {best.trial_id}")
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"  {name:<{width}}  {text}")
    if replay is not None:
        console.print(f"replay: {replay}")


def _list_origin(row: TrialRow, sweep: Sweep) -> list[tuple[str, str]]:
    """Return what a trial came from: seeds and commits, or the tool that ran it."""
    if all(run.seed is None for run in row.runs):
        return [("imported from", f"{sweep.executor}, {sweep.strategy}")]
    return [
        ("run seed", ", ".join(str(run.seed) for run in row.runs)),
        ("commit", ", ".join(sorted({run.labels["commit"] for run in row.runs}))),
    ]


def list_replay_words(name: str, row: TrialRow, sweep: Sweep) -> list[str]:
    """Return the words of the command that runs a trial again with its seed.

    Args:
        name: of the experiment, as the user wrote it.
        row: the trial.
        sweep: that it belongs to, whose seed gave the run its own.
    """
    choices = [f"--set={key}={_quote(value)}" for key, value in row.assignment.items()]
    flags = [f"--seed={sweep.seed}"]
    flags += [f"--repeats={sweep.repeats}"] if sweep.repeats > 1 else []
    flags += [f"--folds={sweep.folds}"] if sweep.folds is not None else []
    flags += [f"--subset={sweep.subset}"] if sweep.subset is not None else []
    return ["run", name, *flags, *choices]


def _quote(value: object) -> str:
    """Return a value for `--set`, where a comma separates values."""
    text = format_value(value)  # type: ignore[arg-type]
    if text and not set(text) & set(',"\r\n'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
