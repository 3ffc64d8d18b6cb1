"""The program: `hparams_lab`, `python -m hparams_lab`, `python experiments/NAME.py`."""

from __future__ import annotations

import contextlib
import errno
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from absl import flags

from hparams_lab.cli.command import COMMANDS
from hparams_lab.cli.logdir import unmounting, warning_of_damage
from hparams_lab.cli.streams import discard_stdout, prepare_streams
from hparams_lab.errors import HParamsLabError, UsageError, did_you_mean
from hparams_lab.events.read.gc_pause import paused_collector
from hparams_lab.logdir.mounts import in_terms_of_urls

if TYPE_CHECKING:  # so that --help imports nothing heavy
    from hparams_lab.declare.experiment import Experiment

_EXIT_USER_ERROR = 2

# What the system refuses, whatever the program does; other such errors keep their traceback.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSALS = _FULL | {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ESTALE}

_NUM_INTERRUPTS = 2
_SAME_INTERRUPT_SECS = 0.5


def main(experiment: Experiment | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Exit codes: 0 all is well; 1 some runs failed; 2 the user must change something; 130
    interrupted, and 128 more than its number for another signal.

    Args:
        experiment: `EXPERIMENT` of the calling script, which then needs no name; `run` is
            then the command if none is given.
        argv: words of the command line without the program's; by default those it was
            started with.

    Raises:
        SystemExit: always.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    interrupts = _catch_signals()
    prepare_streams()
    try:
        code = _dispatch(words if experiment is None else _name_script(experiment, words))
        sys.stdout.flush()  # here, where it can be said that the disk is full
        sys.exit(code)
    except HParamsLabError as error:
        print(f"hparams_lab: {in_terms_of_urls(str(error))}", file=sys.stderr)
        sys.exit(_EXIT_USER_ERROR)
    except KeyboardInterrupt:
        sys.exit(128 + (interrupts[0] if interrupts else signal.SIGINT))
    except BrokenPipeError:
        # The reader of our output is gone, as in `| head`; nothing is wrong.
        discard_stdout()
        sys.exit(0)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        discard_stdout()  # which may be what cannot be written
        refusal = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        advice = "Make room" if error.errno in _FULL else "Allow it, or name another --logdir"
        print(f"hparams_lab: {refusal}. {advice}.", file=sys.stderr)
        sys.exit(_EXIT_USER_ERROR)


def _catch_signals() -> list[int]:
    """Make signals that ask to end raise KeyboardInterrupt; return those that came, as they do.

    The second ends the grace that running runs have. Later ones change nothing, nor does
    what comes at once behind the first, so that an impatient user does not keep the
    statuses from being written.
    """
    came: list[int] = []
    raised_at: list[float] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        now = time.monotonic()
        at_once = bool(raised_at) and now - raised_at[0] < _SAME_INTERRUPT_SECS
        if len(raised_at) < _NUM_INTERRUPTS and not at_once:
            raised_at.append(now)
            raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup has a signal ignored; then so do we.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    return came


def _dispatch(words: list[str]) -> int:
    name = words[0] if words else "--help"
    if name in ("--help", "-h", "-help", "help"):
        print(_format_help())
        return 0
    if name == "--version":
        from importlib.metadata import version

        print(f"hparams_lab {version('hparams_lab')}")
        return 0
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS) or f" The commands are {', '.join(COMMANDS)}."
        raise UsageError(f"there is no command {name!r}.{hint}")
    command = COMMANDS[name]
    if {"--help", "-h", "-help"} & set(words[1:]):
        print(command.format_help())
        return 0
    values, positional = command.parse(words[1:])
    advice = "" if name == "doctor" else _name_doctor(values)
    pause = paused_collector() if command.reads_only else contextlib.nullcontext()
    with unmounting(), pause, warning_of_damage(advice):
        return command.run(values, positional)


def _name_doctor(values: flags.FlagValues) -> str:
    """Return the command that says what is wrong in the log directory that the flags name."""
    is_named = "logdir" in values and values["logdir"].present
    where = [f"--logdir={values.logdir}"] if is_named else []
    return shlex.join(["hparams_lab", "doctor", *where])


def _name_script(experiment: Experiment, words: list[str]) -> list[str]:
    """Return the words of `hparams_lab` that a script's own words stand for."""
    module = sys.modules["__main__"]
    script = getattr(module, "__file__", None)
    if script is None or getattr(module, "EXPERIMENT", None) is not experiment:
        raise UsageError(
            "lab.main must be given the EXPERIMENT of the file that is run, as the runs import "
            f"that; got experiment {experiment.name!r}. Declare EXPERIMENT = ... in a .py file and "
            'call lab.main(EXPERIMENT) under if __name__ == "__main__".'
        )
    command = words.pop(0) if words and words[0] in COMMANDS else "run"
    if words and words[0] in ("--help", "-h", "help"):
        return [command, "--help"]
    if not COMMANDS[command].takes_name:
        return [command, *words]
    return [command, str(Path(script).absolute()) if command == "run" else experiment.name, *words]


def _format_help() -> str:
    lines = [
        "hparams_lab: launch hyperparameter experiments and look at them in TensorBoard",
        "",
        "hparams_lab COMMAND [NAME] [flags]",
        "",
    ]
    for command in COMMANDS.values():
        lines.append(f"  {command.name + ' ' + command.arguments:<26} {command.summary}")
    lines += [
        "",
        "NAME is an experiment of ./experiments, a path to a .py file, or a dotted module.",
        "hparams_lab COMMAND --help shows the flags of a command.",
    ]
    return "\n".join(lines)
