"""`hparams_lab doctor`: what is wrong in a log directory or the installation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from rich.console import Console

from hparams_lab.cli.flags.formats import JSON, define_format, format_of, print_json
from hparams_lab.cli.inputs.entries import find_home
from hparams_lab.cli.logdir import define_logdir, define_take_over, logdir_of
from hparams_lab.cli.output.tables import make_console
from hparams_lab.doctor.checks.installation import Installation, inspect
from hparams_lab.doctor.doctor import (
    Cure,
    examine_experiment,
    examine_installation,
    examine_others,
    list_homes,
    mend,
)
from hparams_lab.doctor.finding import Fault
from hparams_lab.errors import LogdirError
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.text import count

_EXIT_PROBLEMS = 1
_PROGRAM = "hparams_lab "
_MAX_WIDTH = 100  # of a sentence that can still be read


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_take_over(values)
    define_format(values)
    flags.DEFINE_bool(
        "fix", False, "mend what can be mended without changing records", flag_values=values
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    logdir = logdir_of(values, writes=values.fix, removes=True)
    format_of(values)  # before anything is mended
    installed = inspect()
    homes = [_find_home(logdir, words[0])] if words else list_homes(logdir)
    findings = examine_installation(installed)
    cures: list[Cure] = []
    for home in homes:
        found = _examine(home, installed)
        if values.fix:
            cures += (mended := mend(found))
            found = _examine(home, installed) if mended else found
        findings += found
    if not words:
        findings += examine_others(logdir)
    if format_of(values) == JSON:
        _print_json(installed, homes, findings, cures)
    else:
        _print(installed, logdir, homes, findings, cures)
    return _EXIT_PROBLEMS if findings else 0


def _find_home(logdir: Path, name: str) -> ExperimentDir:
    """Return the directory of an experiment, also of one that has no whole sweep."""
    logged = {home.name: home for home in list_homes(logdir)}
    return logged[name] if name in logged else find_home(logdir, name)


def _examine(home: ExperimentDir, installed: Installation) -> list[Fault]:
    try:
        return examine_experiment(home, installed.file_limit)
    except OSError as error:
        raise LogdirError(f"cannot read {home.path}: {error}. Allow it, or move it.") from error


def _print(
    installed: Installation,
    logdir: Path,
    homes: Sequence[ExperimentDir],
    findings: Sequence[Fault],
    cures: Sequence[Cure],
) -> None:
    console = make_console()
    versions = [f"{name} {version or 'missing'}" for name, version in installed.versions.items()]
    limit = "any number" if installed.file_limit is None else str(installed.file_limit)
    _print_wrapped(console, f"Python {installed.python}, {', '.join(versions)}, {limit} open files")
    names = ", ".join(home.name for home in homes)
    _print_wrapped(console, f"{logdir}: {names or 'no experiment'}")
    for cure in cures:
        if cure.done:
            _print_wrapped(console, f"mended: {cure.done}")
        else:
            _print_wrapped(console, f"not mended: {cure.finding.kind}: {cure.problem}")
    for finding in findings:
        sentence = f"{finding.kind}: {finding.problem} {finding.effect}"
        if _PROGRAM in finding.advice:  # a command to copy: one line
            _print_wrapped(console, sentence)
            console.print(f"  {finding.advice}")
        else:
            _print_wrapped(console, f"{sentence} {finding.advice}")
    mendable = sum(finding.mend is not None for finding in findings)
    hint = f", {mendable} of which --fix mends" if mendable and not cures else ""
    console.print(f"{count(len(findings), 'problem')}{hint}" if findings else "nothing is wrong")


def _print_wrapped(console: Console, text: str) -> None:
    """Print a sentence that fits the terminal, with its further lines indented."""
    width = min(console.width, _MAX_WIDTH)
    lines = textwrap.wrap(
        text,
        width,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    console.print("\n".join(lines))


def _print_json(
    installed: Installation,
    homes: Sequence[ExperimentDir],
    findings: Sequence[Fault],
    cures: Sequence[Cure],
) -> None:
    print_json(
        {
            "installation": installed,
            "experiments": [home.name for home in homes],
            "mended": [
                {"kind": cure.finding.kind, "done": cure.done} for cure in cures if cure.done
            ],
            "not_mended": [
                {"kind": cure.finding.kind, "problem": cure.problem}
                for cure in cures
                if not cure.done
            ],
            "findings": [
                {
                    "kind": finding.kind,
                    "problem": finding.problem,
                    "effect": finding.effect,
                    "advice": finding.advice,
                    "paths": finding.paths,
                    "is_mendable": finding.mend is not None,
                }
                for finding in findings
            ],
        }
    )
