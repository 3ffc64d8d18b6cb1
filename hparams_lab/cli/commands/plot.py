"""`hparams_lab plot`: pictures of an experiment's trials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from hparams_lab.analysis.compare.comparison import compare
from hparams_lab.analysis.plots.pictures import (
    PICTURES,
    Picture,
    Skipped,
    draw_picture,
    draw_possible,
    write_pictures,
)
from hparams_lab.analysis.plots.saving import PNG, SVG
from hparams_lab.analysis.plots.trials import Trials
from hparams_lab.cli.flags.formats import define_format, format_of
from hparams_lab.cli.flags.options import define_options, options_given
from hparams_lab.cli.flags.selection import define_selection
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.pictures import (
    check_outside,
    define_to_tensorboard,
    read_trials,
    write_to_tensorboard,
)
from hparams_lab.cli.output.tables import make_console, print_prose
from hparams_lab.errors import UsageError

_FORMATS = (PNG, SVG)


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    define_format(values, *_FORMATS)
    define_to_tensorboard(values)
    flags.DEFINE_list(
        "kind",
        None,
        f"which pictures: {', '.join(PICTURES)}; all that the trials allow if not given",
        flag_values=values,
    )
    define_options(values, PICTURES.options.values())
    flags.DEFINE_string(
        "metric",
        None,
        "what is shown, as TAG:min or TAG:max; the objective if not given",
        flag_values=values,
    )
    flags.DEFINE_string(
        "out", None, "folder for the pictures (default ./plots/NAME)", flag_values=values
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    image_format, kinds = format_of(values, *_FORMATS), _parse_kinds(values)
    options = _list_given(values, kinds)
    logged, trials = read_trials(values, words, values.metric)
    folder = Path(values.out or Path("plots") / logged.home.name).expanduser().absolute()
    check_outside(folder, logdir_of(values), "--out")
    pictures, skipped = _draw(kinds, trials, options)
    for each in skipped:
        if stray := PICTURES.keep_suitable(each.kind, options):
            flag_names = " and ".join(f"--{name}" for name in stray)
            raise UsageError(f"{flag_names} cannot be obeyed: {each.reason}")
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
    kinds: list[str] | None, trials: Trials, options: Mapping[str, Any]
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
    if not values.kind:
        raise UsageError(f"--kind must name pictures; got none. Choose of {', '.join(PICTURES)}.")
    for kind in values.kind:
        PICTURES.find(kind)
    return list(dict.fromkeys(values.kind))


def _list_given(values: flags.FlagValues, kinds: list[str] | None) -> dict[str, Any]:
    """Return the options of pictures that were given, checked."""
    given = options_given(values, PICTURES.options.values())
    given = {name: value for name, value in given.items() if value not in (None, ())}
    PICTURES.check_owners(given, kinds or [*PICTURES])
    for kind in kinds or PICTURES:
        PICTURES.make_options(kind, PICTURES.keep_suitable(kind, given))
    return given
