"""`hparams_lab plot`: pictures of an experiment's trials."""

from __future__ import annotations

from pathlib import Path

from absl import flags

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.plots.pictures import (
    KINDS,
    Picture,
    PlotOptions,
    Skipped,
    draw_picture,
    draw_possible,
    write_pictures,
)
from hparams_lab.analysis.plots.saving import PNG, SVG
from hparams_lab.analysis.plots.style import require_packages
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.cli.command import Command, define_logdir, logdir_of
from hparams_lab.cli.flags.formats import define_format, format_of
from hparams_lab.cli.flags.selection import define_selection
from hparams_lab.cli.output.pictures import (
    check_outside,
    define_to_tensorboard,
    read_trials,
    write_to_tensorboard,
)
from hparams_lab.cli.output.tables import make_console, print_prose
from hparams_lab.errors import UsageError, did_you_mean

_FORMATS = (PNG, SVG)
_DEFAULT_TOP = 5

# What is said of one kind of picture, and would be said in vain without it.
_FLAGS_OF_KIND = {"heatmap": ("x", "y", "fix"), "curves": ("top",)}


def _define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_format(values, *_FORMATS)
    define_to_tensorboard(values)
    flags.DEFINE_list(
        "kind",
        None,
        f"which pictures: {', '.join(KINDS)}; all that the trials allow if not given",
        flag_values=values,
    )
    flags.DEFINE_string("x", None, "the heat map's hyperparameter across", flag_values=values)
    flags.DEFINE_string("y", None, "the heat map's hyperparameter upwards", flag_values=values)
    flags.DEFINE_multi_string(
        "fix",
        [],
        "the heat map's trials have this value, as AXIS=VALUE; others are averaged",
        flag_values=values,
    )
    flags.DEFINE_string(
        "metric",
        None,
        "what is shown, as TAG:min or TAG:max; the objective if not given",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "top",
        None,
        f"of how many trials curves are shown (default {_DEFAULT_TOP})",
        flag_values=values,
    )
    flags.DEFINE_string(
        "out", None, "folder for the pictures (default ./plots/NAME)", flag_values=values
    )


def _run(values: flags.FlagValues, words: list[str]) -> int:
    image_format, kinds = format_of(values, *_FORMATS), _parse_kinds(values)
    options = _parse_options(values)
    require_packages("a picture", "matplotlib")
    logged, trials = read_trials(values, words, values.metric)
    folder = Path(values.out or Path("plots") / logged.home.name).expanduser().absolute()
    check_outside(folder, logdir_of(values), "--out")
    pictures, skipped = _draw(kinds, trials, options)
    for each in skipped:
        if given := _list_given(values, each.kind):
            raise UsageError(f"{' and '.join(given)} cannot be obeyed: {each.reason}")
    console = make_console()
    for path in write_pictures(pictures, folder, image_format):
        console.print(f"wrote {path}")
    for each in skipped:
        print_prose(console, f"skipped {each.kind}: {each.reason}")
    if values.to_tensorboard:
        comparison = compare(logged, rows=trials.rows)
        written = write_to_tensorboard(logged, pictures, comparison)
        console.print(f"wrote {written}, for TensorBoard's Images and Text tabs")
    return 0


def _draw(
    kinds: list[str] | None, trials: Trials, options: PlotOptions
) -> tuple[list[Picture], list[Skipped]]:
    """Return the pictures asked for, or those that can be.

    Raises:
        UsageError: if one that is asked for cannot be drawn, or none at all.
    """
    if kinds is not None:
        return [draw_picture(kind, trials, options) for kind in kinds], []
    pictures, skipped = draw_possible(trials, options)
    if not pictures:
        reasons = " ".join(dict.fromkeys(each.reason for each in skipped))
        raise UsageError(f"these trials allow no picture: {reasons}")
    return pictures, skipped


def _parse_kinds(values: flags.FlagValues) -> list[str] | None:
    if values.kind is None:
        return None
    for kind in values.kind:
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS) or f" Choose of {', '.join(KINDS)}."
            raise UsageError(f"--kind must name pictures; got {kind!r}.{hint}")
    if not values.kind:
        raise UsageError(f"--kind must name pictures; got none. Choose of {', '.join(KINDS)}.")
    for kind in _FLAGS_OF_KIND:
        given = _list_given(values, kind)
        if given and kind not in values.kind:
            raise UsageError(
                f"{' and '.join(given)} is about the picture {kind!r}; got "
                f"--kind={','.join(values.kind)}. Add it, or leave that out."
            )
    return list(dict.fromkeys(values.kind))


def _list_given(values: flags.FlagValues, kind: str) -> list[str]:
    """Return the flags that were given and are about a kind of picture."""
    return [f"--{name}" for name in _FLAGS_OF_KIND.get(kind, ()) if values[name].value]


def _parse_options(values: flags.FlagValues) -> PlotOptions:
    if values.top is not None and values.top < 1:
        raise UsageError(f"--top must be at least 1; got {values.top}. Raise it.")
    fixed: dict[str, str] = {}
    for text in values.fix:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--fix must be AXIS=VALUE; got {text!r}. Write it so.")
        if name in fixed:
            raise UsageError(f"--fix must name an axis once; got {name!r} twice. Drop one.")
        fixed[name] = value
    if both := {values.x, values.y} & set(fixed):
        raise UsageError(
            f"an axis of the heat map cannot be fixed; got {both.pop()!r} as both. Drop one."
        )
    return PlotOptions(x=values.x, y=values.y, fixed=fixed, top=values.top or _DEFAULT_TOP)


COMMAND = Command(
    name="plot",
    arguments="NAME [SWEEP]",
    summary="pictures of the trials: heat map, effects, best so far, curves, days",
    define_flags=_define_flags,
    run=_run,
)
