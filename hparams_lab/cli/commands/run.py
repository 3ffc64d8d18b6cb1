"""`hparams_lab run`: launch a sweep."""

from __future__ import annotations

import os
import sys

from absl import flags

from hparams_lab.catalog.option import Option, list_options
from hparams_lab.cli.commands.list import format_axes
from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.flags.options import define_options, options_given
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.tables import make_console
from hparams_lab.cli.output.watch import watch
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.source import ExperimentSource, find_source
from hparams_lab.executors.catalog import EXECUTORS
from hparams_lab.search.catalog import STRATEGIES
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.options import LaunchOptions, make_options
from hparams_lab.sweeps.placement import make_executor
from hparams_lab.sweeps.plan import Plan, make_plan
from hparams_lab.tf_noise import quiet_stderr

_NUM_PREVIEW = 3


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_format(values)
    define_options(values, _list_options())
    flags.DEFINE_bool(
        "dry_run", False, "print what would be run, and write nothing", flag_values=values
    )


def _list_options() -> list[Option]:
    """Return the options of a sweep, of all executors and of all searches, each once."""
    return [*list_options(LaunchOptions), *(EXECUTORS.options | STRATEGIES.options).values()]


def run(values: flags.FlagValues, words: list[str]) -> int:
    # TensorFlow reads it as it is imported, here and in the processes started from here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    source = find_source(words[0])
    options = make_options(
        LaunchOptions,
        logdir=logdir_of(values, writes=not values.dry_run),
        command=tuple(sys.argv),
        **options_given(values, _list_options()),
    )
    if values.dry_run:
        return _preview(source, options, format_of(values))
    return watch(words[0], values, lambda listeners: launch(source, options, listeners))


def _preview(source: ExperimentSource, options: LaunchOptions, chosen_format: str) -> int:
    with quiet_stderr():
        experiment = source.load()
    plan = make_plan(experiment, options)
    make_executor(source, options).close()
    points = _list_first(plan)
    if chosen_format == JSON:
        print_json(
            {
                "experiment": experiment.name,
                "strategy": options.search,
                "seed": options.seed,
                "space": plan.space.encode_json(),
                "max_trials": plan.max_trials,
                "runs_per_trial": options.runs_per_trial,
                "first": points,
            }
        )
        return 0
    console = make_console()
    console.print(f"{experiment.name}: {options.search}, seed {options.seed}")
    for line in format_axes(plan.space):
        console.print(f"  {line}")
    console.print(f"{_describe_size(plan, options)}, the first of them:")
    for point in points:
        pairs = (f"{name}={format_value(value)}" for name, value in point.items())
        console.print(f"  {' '.join(pairs)}")
    console.print("nothing was run or written")
    return 0


def _list_first(plan: Plan) -> list[Assignment]:
    """Return the first points of a plan, those to try first among them; it is used up by that."""
    tries = iter(plan.tries)
    for point in plan.tries:
        plan.strategy.take(point)
    num_shown = _NUM_PREVIEW if plan.max_trials is None else min(_NUM_PREVIEW, plan.max_trials)
    proposed = (next(tries, None) or plan.strategy.propose() for _ in range(num_shown))
    return [point for point in proposed if point]


def _describe_size(plan: Plan, options: LaunchOptions) -> str:
    trials = "no limit of trials" if plan.max_trials is None else f"{plan.max_trials} trials"
    runs = options.runs_per_trial
    return trials if runs == 1 else f"{trials} of {runs} runs each"
