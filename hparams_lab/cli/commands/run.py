"""`hparams_lab run`: launch a sweep."""

from __future__ import annotations

import os

from absl import flags

from hparams_lab.cli.command import Command, define_logdir, logdir_of
from hparams_lab.cli.commands.list import format_axes
from hparams_lab.cli.flags.execution import define_execution, execution_of
from hparams_lab.cli.flags.formats import JSON, format_of, print_json
from hparams_lab.cli.output.tables import make_console
from hparams_lab.cli.output.watch import watch
from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import format_value
from hparams_lab.declare.source import ExperimentSource, find_source
from hparams_lab.search.catalog import PRUNERS, SAMPLERS, STRATEGIES
from hparams_lab.search.options import SearchOptions
from hparams_lab.sweeps.launch import Plan, launch, make_executor, make_plan
from hparams_lab.sweeps.options import Options
from hparams_lab.tf_noise import quiet_stderr

_NUM_PREVIEW = 3


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_execution(values)
    _define_search(values)
    _define_repeats(values)
    flags.DEFINE_integer(
        "seed", 0, "of the sweep; each run's seed follows from it", flag_values=values
    )
    flags.DEFINE_multi_string(
        "set", [], "AXIS=V1,V2: narrow an axis to these values", flag_values=values
    )
    flags.DEFINE_multi_string(
        "try", [], "AXIS=V,AXIS=V,...: run this point first", flag_values=values
    )
    flags.DEFINE_bool(
        "reuse",
        False,
        "take over complete runs of earlier sweeps with the same code and seed",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "dry_run", False, "print what would be run, and write nothing", flag_values=values
    )


def _define_search(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "search", "grid", f"how to search: {', '.join(STRATEGIES)}", flag_values=values
    )
    flags.DEFINE_string(
        "sampler",
        None,
        f"what proposes in bayes, hyperband and asha: {', '.join(SAMPLERS)} (default tpe)",
        flag_values=values,
    )
    flags.DEFINE_string(
        "pruner", None, f"stop poor runs early: {', '.join(PRUNERS)}", flag_values=values
    )
    flags.DEFINE_integer(
        "min_budget", None, "values a run reports before it can be pruned", flag_values=values
    )
    flags.DEFINE_integer(
        "reduction_factor", None, "of asha and hyperband (default 3)", flag_values=values
    )
    flags.DEFINE_list("order", [], "AXIS,...: what one_at_a_time tunes first", flag_values=values)
    flags.DEFINE_integer(
        "passes", None, "how often one_at_a_time goes over the axes (default 2)", flag_values=values
    )


def _define_repeats(values: flags.FlagValues) -> None:
    flags.DEFINE_integer("repeats", 1, "runs of each trial with other seeds", flag_values=values)
    flags.DEFINE_integer(
        "folds", None, "cross-validate: hold each fold of the data out once", flag_values=values
    )
    flags.DEFINE_float(
        "subset", None, "train on this share of the training rows", flag_values=values
    )
    flags.DEFINE_bool(
        "racing",
        False,
        "spend no more runs on a trial whose mean cannot reach the best",
        flag_values=values,
    )


def _run(values: flags.FlagValues, words: list[str]) -> int:
    # TensorFlow reads it as it is imported, here and in the processes started from here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    source = find_source(words[0])
    options = Options(
        **execution_of(values),
        logdir=logdir_of(values, writes=not values.dry_run),
        search=values.search,
        search_options=SearchOptions(
            sampler=values.sampler,
            pruner=values.pruner,
            min_budget=values.min_budget,
            reduction_factor=values.reduction_factor,
            order=tuple(values.order),
            passes=values.passes,
        ),
        seed=values.seed,
        settings=values.set,
        tries=getattr(values, "try"),
        repeats=values.repeats,
        folds=values.folds,
        subset=values.subset,
        racing=values.racing,
        reuse=values.reuse,
    )
    if values.dry_run:
        return _preview(source, options, format_of(values))
    return watch(
        words[0],
        values,
        lambda **listeners: launch(source, options, **listeners),
    )


def _preview(source: ExperimentSource, options: Options, chosen_format: str) -> int:
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


def _describe_size(plan: Plan, options: Options) -> str:
    trials = "no limit of trials" if plan.max_trials is None else f"{plan.max_trials} trials"
    runs = options.runs_per_trial
    return trials if runs == 1 else f"{trials} of {runs} runs each"


COMMAND = Command(
    name="run",
    arguments="NAME",
    summary="launch a sweep over an experiment",
    define_flags=_define_flags,
    run=_run,
)
