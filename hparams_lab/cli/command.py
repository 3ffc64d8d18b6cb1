"""The commands: their words, and what each is for. What a command does is imported when it runs."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from absl import flags

from hparams_lab.errors import UsageError, did_you_mean

_ANY_MORE = " ...]"


@dataclass(frozen=True)
class Command:
    """One command.

    Its module in `cli.commands` has two functions: `define_flags` adds its flags to the values,
    `run` is given the parsed flags and the positional words, and returns the exit code.
    """

    name: str  # the word on the command line, and the module's name
    # its positional words, as help shows them; optional ones in [], the last with `...` if it
    # may be several
    arguments: str
    summary: str  # one line
    reads_only: bool = False  # whether it reads, prints and ends
    takes_name: bool = True  # whether its first word is an experiment's, which a script fills in

    def parse(self, words: Sequence[str]) -> tuple[flags.FlagValues, list[str]]:
        """Return the flags and the positional words.

        Raises:
            UsageError: if a flag is unknown or has an illegal value, or a word is
                missing or superfluous.
        """
        values = self._make_flags()
        try:
            positional = values([self.name, *words])[1:]
        except flags.UnrecognizedFlagError as error:
            known = [f"--{name}" for name in values]
            hint = did_you_mean(f"--{error.flagname}", known)
            raise UsageError(
                f"{self.name} has no flag --{error.flagname}."
                f"{hint or f' See hparams_lab {self.name} --help.'}"
            ) from None
        except flags.Error as error:
            raise UsageError(f"{error}. See hparams_lab {self.name} --help.") from None
        wanted = self.arguments.replace(_ANY_MORE, "]").split()
        needed = [word for word in wanted if not word.startswith("[")]
        most = math.inf if _ANY_MORE in self.arguments else len(wanted)
        if not len(needed) <= len(positional) <= most:
            raise UsageError(
                f"{self.name} takes {self.arguments or 'no words'}; got "
                f"{' '.join(positional) or 'none'}. See hparams_lab {self.name} --help."
            )
        return values, positional

    def run(self, values: flags.FlagValues, positional: list[str]) -> int:
        """Run it with what was parsed; return the exit code."""
        code: int = self._load().run(values, positional)
        return code

    def format_help(self) -> str:
        """Return usage, summary and flags."""
        values = self._make_flags()
        lines = [f"hparams_lab {self.name} {self.arguments} [flags]", "", self.summary]
        names = sorted(values)
        if names:
            lines += ["", "flags:"]
        for name in names:
            flag = values[name]
            default = "" if flag.default in (None, [], False) else f" (default {flag.default})"
            dash = f"--{name}" if flag.boolean else f"--{name}=..."
            lines.append(f"  {dash:<16} {flag.help}{default}")
        return "\n".join(lines)

    def _make_flags(self) -> flags.FlagValues:
        values = flags.FlagValues()  # type: ignore[no-untyped-call]  # absl has no types
        values.set_gnu_getopt(True)  # flags may stand behind the words
        self._load().define_flags(values)
        return values

    def _load(self) -> Any:
        return importlib.import_module(f"hparams_lab.cli.commands.{self.name}")


_COMMANDS = (  # in the order in which a newcomer meets them
    Command(
        "list",
        "",
        "the experiments here, their questions, and how many sweeps are logged",
        reads_only=True,
        takes_name=False,
    ),
    Command("run", "NAME", "launch a sweep over an experiment"),
    Command(
        "resume", "NAME [SWEEP]", "finish the newest sweep: run what was interrupted or never begun"
    ),
    Command("show", "NAME [SWEEP]", "the trials of the newest sweep, best first", reads_only=True),
    Command(
        "best",
        "NAME [SWEEP]",
        "the best trial, its values, seed and directory, and how to run it again",
        reads_only=True,
    ),
    Command(
        "compare",
        "NAME",
        "whether days, sweeps or commits differ, by how much, and what was changed",
        reads_only=True,
    ),
    Command(
        "diff",
        "RUN RUN",
        "what differs between two runs: values, metrics, curves, code, versions, machine",
        reads_only=True,
        takes_name=False,
    ),
    Command(
        "effects",
        "NAME [SWEEP]",
        "which hyperparameters mattered, and which of their values were good",
        reads_only=True,
    ),
    Command(
        "plot",
        "NAME [SWEEP]",
        "pictures of the trials: heat map, effects, best so far, curves, days",
        reads_only=True,
    ),
    Command(
        "report",
        "NAME [SWEEP]",
        "one HTML page: the best trial, days compared, effects, pictures, where it comes from",
        reads_only=True,
    ),
    Command("dashboard", "[NAME ...]", "TensorBoard on experiments, up to date while they run"),
    Command(
        "export",
        "NAME [SWEEP]",
        "all trials and columns as csv, json, parquet, markdown; or the runs in any folder",
        reads_only=True,
    ),
    Command(
        "refit",
        "NAME [TRIAL]",
        "train the best, or the named, trial on all data and save the model",
    ),
    Command("doctor", "[NAME]", "what is wrong in the log directory, and --fix"),
    Command(
        "archive", "NAME [ID ...]", "move sweeps, trials or runs (SWEEP/TRIAL/RUN) out of sight"
    ),
    Command(
        "restore",
        "NAME [ID ...]",
        "put archived sweeps, trials or runs back; without an ID, list them",
    ),
    Command(
        "delete",
        "NAME [ID ...]",
        "delete sweeps, trials or runs, or archived ones with --archived; asks first",
    ),
    Command("new", "NAME", "write a starter experiment into ./experiments", takes_name=False),
)

COMMANDS = {command.name: command for command in _COMMANDS}
"""Each by its name."""
