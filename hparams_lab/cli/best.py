"""`hparams_lab best`: the best trial and how to run it again."""

from __future__ import annotations

from absl import flags

from hparams_lab.analysis.table import TrialRow
from hparams_lab.cli.command import Command, define_logdir, format_command, logdir_of
from hparams_lab.cli.find import find_logged, find_sweeps
from hparams_lab.cli.show import read_ranked
from hparams_lab.cli.tables import format_metric, make_console
from hparams_lab.declare.domains import format_value
from hparams_lab.errors import UnknownExperimentError
from hparams_lab.events.schema import Status
from hparams_lab.runs.sweep import Sweep


def _run(values: flags.FlagValues, words: list[str]) -> int:
    experiment = find_logged(logdir_of(values), words[0])
    sweep_dirs = find_sweeps(experiment, words[1] if len(words) > 1 else None)
    sweeps, rows = read_ranked(sweep_dirs)
    if not rows or rows[0].label != Status.SUCCESS.value:
        raise UnknownExperimentError(
            f"experiment {experiment.name!r} has no successful trial, run in full, in "
            f"{', '.join(sweep.id for sweep in sweep_dirs)}. See: "
            f"{format_command(['show', *words], logdir_of(values))}"
        )
    best = rows[0]
    sweep = next(sweep for sweep in sweeps if sweep.id == best.sweep_id)
    folder = best.runs[0].dir.path
    console = make_console()
    console.print(f"{experiment.name} {best.sweep_id}, best of {len(rows)} trials: {best.trial_id}")
    metrics = dict.fromkeys([sweep.objective.tag, *sweep.metric_keys])
    facts = [
        *((name, format_value(value)) for name, value in best.assignment.items()),
        *((name, format_metric(best, name)) for name in metrics),
        *_list_origin(best, sweep),
        ("directory", str(folder.parent if len(best.runs) > 1 else folder)),
    ]
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        console.print(f"  {name:<{width}}  {text}")
    if sweep.source:  # without one no command can run it
        replay = _list_replay_words(words[0], best, sweep)
        console.print(f"replay: {format_command(replay, logdir_of(values))}")
    return 0


def _list_origin(row: TrialRow, sweep: Sweep) -> list[tuple[str, str]]:
    """Return what a trial came from: seeds and commits, or the tool that ran it."""
    if all(run.seed is None for run in row.runs):
        return [("imported from", f"{sweep.executor}, {sweep.strategy}")]
    return [
        ("run seed", ", ".join(str(run.seed) for run in row.runs)),
        ("commit", ", ".join(sorted({run.labels["commit"] for run in row.runs}))),
    ]


def _list_replay_words(name: str, row: TrialRow, sweep: Sweep) -> list[str]:
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


COMMAND = Command(
    name="best",
    arguments="NAME [SWEEP]",
    summary="the best trial, its values, seed and directory, and how to run it again",
    define_flags=define_logdir,
    run=_run,
)
