"""What is wrong in a log directory or the installation, found and mended.

    log directory ─▶ survey ─▶ checks ─▶ findings ─▶ mend ─▶ what was done

What runs have recorded is never changed: a mend rewrites our own config, adds the end that a
dead process owed, or removes what nobody needs. The rest says what to type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.doctor.checks import folders, installation, values
from hparams_lab.doctor.checks.installation import Installation
from hparams_lab.doctor.finding import Fault
from hparams_lab.doctor.survey import Survey, survey
from hparams_lab.errors import HParamsLabError
from hparams_lab.logdir.layout import ExperimentDir, is_event_file

Check = Callable[[Survey], Iterator[Fault]]

# Mended in this order: the config last, as other mends may change what it must say.
CHECKS: Sequence[Check] = (
    folders.find_broken_sweeps,
    values.find_unended_runs,
    values.find_damage,
    values.find_several_files,
    values.find_bad_steps,
    values.find_infinite_hparams,
    values.find_mixed_types,
    values.find_shared_trial_ids,
    values.find_inherited_hparams,
    folders.find_unwritten_metrics,
    folders.find_unknown_hparams,
    folders.find_other_configs,
    folders.find_leftovers,
    folders.find_stale_config,
)


@dataclass(frozen=True)
class Cure:
    """What came of mending a finding."""

    finding: Fault  # that was to be mended
    done: str = ""  # what was done; empty if it could not be mended
    problem: str = ""  # why it could not be


def examine_installation(installed: Installation) -> list[Fault]:
    """Return what is wrong with the installation."""
    return [
        *installation.find_wrong_python(installed.python),
        *installation.find_wrong_versions(),
        *installation.find_lost_pkg_resources(),
        *installation.find_missing_data_server(installed.has_data_server),
    ]


def examine_experiment(home: ExperimentDir, file_limit: int | None = None) -> list[Fault]:
    """Return what is wrong with what is logged of an experiment; nothing is changed.

    Args:
        home: directory of the experiment.
        file_limit: how many files a process may have open; None for any number.
    """
    found = survey(home)
    return [
        *(finding for check in CHECKS for finding in check(found)),
        *folders.find_too_many_files(found, file_limit),
        *folders.find_foreign_runs(home.path, home),
    ]


def list_homes(logdir: Path) -> list[ExperimentDir]:
    """Return the directories that are, or were to be, those of experiments, by name."""
    homes = (ExperimentDir(path) for path in _list_folders(logdir))
    return [home for home in homes if home.sweep_dirs or home.config_file.exists()]


def examine_others(logdir: Path) -> list[Fault]:
    """Return what is to be said of what is in a log directory and is no experiment."""
    homes = {home.path for home in list_homes(logdir)}
    others = [path for path in _list_folders(logdir) if path not in homes]
    if not homes and logdir.is_dir() and any(is_event_file(p.name) for p in logdir.iterdir()):
        others = [logdir]  # a run, or one of another tool's experiments, itself
    return [finding for path in others for finding in folders.find_foreign_runs(path)]


def mend(findings: Iterable[Fault]) -> list[Cure]:
    """Mend what can be mended, in order, and return what came of it; the rest is left out."""
    return [_mend_one(finding) for finding in findings if finding.mend is not None]


def _mend_one(finding: Fault) -> Cure:
    assert finding.mend is not None
    try:
        return Cure(finding, done=finding.mend())
    except (HParamsLabError, OSError) as error:
        return Cure(finding, problem=str(error))


def _list_folders(logdir: Path) -> list[Path]:
    if not logdir.is_dir():
        return []
    folders_there = (path for path in logdir.iterdir() if not path.name.startswith("."))
    return sorted(path for path in folders_there if path.is_dir())
