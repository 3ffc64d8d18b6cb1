"""`hparams_lab export`: all that is known of trials or runs, for other programs."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from absl import flags

from hparams_lab.analysis.export.table import ENCODERS, SUFFIXES, Sheet, list_runs, list_trials
from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.analysis.where import Condition
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.events.foreign.reader import read_foreign
from hparams_lab.logdir.atomic import replacing
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from hparams_lab.logdir.times import Period
from hparams_lab.text import count

_TRIALS = "trials"
_RUNS = "runs"


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    flags.DEFINE_enum(
        "format",
        None,
        list(ENCODERS),
        f"{', '.join(ENCODERS)}; if not given, as the name of --out ends, else csv",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "rows",
        None,
        [_TRIALS, _RUNS],
        "what a row is: trials, with the means of their runs, or runs (default trials)",
        flag_values=values,
    )
    flags.DEFINE_string("out", None, "file to write instead of standard output", flag_values=values)
    flags.DEFINE_boolean("force", False, "replace the file that --out names", flag_values=values)


def run(values: flags.FlagValues, words: list[str]) -> int:
    out = None if values.out is None else _check_out(_path_of(values), may_replace=values.force)
    if out is None and values.force:
        raise UsageError(
            "--force replaces the file of --out; got no --out. Add it or drop --force."
        )
    name = values.format or _guess_format(out)
    if name == "parquet" and out is None:
        raise UsageError("--format=parquet is no text for a terminal. Name a file: --out=FILE")
    sheet = _read_sheet(values, words)
    content = ENCODERS[name](sheet)
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return 0
    _write(out, content)
    print(f"{out}: {count(sheet.num_rows, 'row')} of {count(len(sheet.columns), 'column')}")
    return 0


def _path_of(values: flags.FlagValues) -> Path:
    try:
        return Path(values.out).expanduser()
    except RuntimeError as error:
        raise UsageError(f"--out={values.out}: {error} Write the path out.") from error


def _guess_format(out: Path | None) -> str:
    default = next(iter(ENCODERS))
    return default if out is None else SUFFIXES.get(out.suffix.lower(), default)


def _check_out(out: Path, *, may_replace: bool) -> Path:
    """Return the file to write; whatever is wrong with it is said before anything is read."""
    if out.is_dir() or not out.name:
        raise UsageError(f"--out must name a file; {out} is a directory. Add a name to it.")
    if not out.parent.is_dir():
        raise UsageError(f"--out must lie in a directory; {out.parent} is none. Make it first.")
    if out.exists() and not out.is_file():
        raise UsageError(f"--out must name a file; {out} is a device or a pipe. Name another.")
    if out.exists() and not may_replace:
        raise UsageError(f"{out} is there already. Name another --out, or add --force.")
    return out


def _write(out: Path, content: bytes) -> None:
    """Write the file, whole or not at all."""
    try:
        with replacing(out) as aside:
            aside.write_bytes(content)
    except OSError as error:
        raise LogdirError(f"cannot write {out}: {error.strerror}. Name another --out.") from error


def _read_sheet(values: flags.FlagValues, words: list[str]) -> Sheet:
    name, sweep_word = words[0], words[1] if len(words) > 1 else None
    home = _find_home(values, name)
    if home is None:
        return _read_foreign_sheet(values, Path(name), sweep_word)
    logged = read_logged(home, select_sweeps(values, home, sweep_word, default="all"))
    rows = keep_rows(values, logged.rows)
    if values.rows == _RUNS:
        runs = [run for row in rows for run in row.runs]
        return list_runs(runs, {home.path / sweep.id: sweep for sweep in logged.sweeps})
    return list_trials(rows, logged.sweeps)


def _find_home(values: flags.FlagValues, name: str) -> ExperimentDir | None:
    """Return the experiment that is meant by name, or by its directory; None for another one."""
    is_logged = Path(name).name == name and experiment_dir(logdir_of(values), name).find_sweeps()
    if is_logged or not Path(name).is_dir():
        return find_logged(logdir_of(values), name)
    home = ExperimentDir(Path(name).absolute())
    return home if home.find_sweeps() else None


def _read_foreign_sheet(values: flags.FlagValues, root: Path, sweep_word: str | None) -> Sheet:
    """Return the runs that other tools wrote below a directory."""
    if sweep_word is not None:
        raise UsageError(
            f"{root} has no sweeps of ours to choose {sweep_word!r} from. Name the directory "
            "below it instead."
        )
    if values.rows == _TRIALS:
        raise UsageError(
            f"other tools' runs, as in {root}, make no trials of ours. Say --rows=runs, or leave "
            "it out."
        )
    records = read_foreign(root)
    if not records:
        raise UsageError(
            f"{root} has no run of another tool with hyperparameters, and no sweep of ours right "
            f"in it. Name an experiment of {logdir_of(values)}, or another directory."
        )
    period = Period.parse(values.since, values.until, datetime.now())
    in_time = (
        r for r in records if datetime.fromtimestamp(r.start_time_secs).astimezone() in period
    )
    sheet = list_runs([*in_time], {})
    for text in values.where:
        sheet = sheet.keep(Condition.parse(text))
    return sheet
