"""Checks of the dashboard's columns: the one `hparams_config`, and what it says of the runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import metadata

from hparams_lab.doctor.finding import Fault, format_remedy, name_some
from hparams_lab.doctor.survey import Survey
from hparams_lab.errors import LogdirError
from hparams_lab.events import schema
from hparams_lab.events.schema import Ending
from hparams_lab.events.write.config import read_config, write_config
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.text import count


def find_other_configs(survey: Survey) -> Iterator[Fault]:
    """Find experiment tags beside the experiment's own config."""
    folders = [folder for folder in (*survey.loose, *survey.folders) if folder.config is not None]
    if not folders:
        return
    paths = [folder.files[0] if folder in survey.loose else folder.path for folder in folders]
    names = [survey.name(path) for path in paths]
    yield Fault(
        kind="several configs",
        problem=(
            f"{survey.home.name} has {count(len(names), 'hparams_config')} too many: "
            f"{name_some(names)}."
        ),
        effect="TensorBoard takes its columns from any one of them, anew at each start.",
        advice=f"Move each out of sight: {format_remedy(survey.home, 'archive', names[0])}",
        paths=paths,
    )


def find_stale_config(survey: Survey) -> Iterator[Fault]:
    """Find a config that is not there, damaged, or not that of the sweeps there are."""
    if not survey.sweeps or survey.unreadable:
        return  # nothing to say of columns, or nothing sure
    home = survey.home
    try:
        wanted = schema.encode_config(list(survey.sweeps.values()))
    except LogdirError as error:
        yield Fault(
            kind="contradictory sweeps",
            problem=f"The sweeps of {home.name} fit no one set of columns.",
            effect=str(error),
            advice=f"Move one of them away: {format_remedy(home, 'archive', 'SWEEP')}",
            paths=[sweep_dir.path for sweep_dir in survey.sweeps],
        )
        return
    present = read_config(home)
    if present == wanted:
        return
    if present is None:
        state = "is damaged" if home.config_file.exists() else "is missing"
        effect = "TensorBoard guesses the columns: every tag is a metric, in order of the alphabet."
    else:
        state, effect = "is not that of its sweeps", _compare_columns(present, wanted)
    yield Fault(
        kind="stale config",
        problem=f"The hparams_config of {home.name} {state}.",
        effect=effect,
        advice="It is rewritten from the sweep.json files by --fix.",
        paths=[home.config_file],
        mend=partial(_rewrite, home),
    )


def find_unknown_hparams(survey: Survey) -> Iterator[Fault]:
    """Find hparams of runs that no sweep declares."""
    if not survey.sweeps or survey.unreadable:
        return
    try:
        known = set(_list_columns(schema.encode_config(list(survey.sweeps.values()))))
    except LogdirError:
        return  # said by another check
    unknown: dict[str, list[Path]] = {}
    for run in survey.runs:
        for name in run.folder.scan.hparams or ():
            if name not in known:
                unknown.setdefault(name, []).append(run.folder.path)
    for name, paths in sorted(unknown.items()):
        names = [survey.name(path) for path in paths]
        command = format_remedy(survey.home, "archive", names[0])
        yield Fault(
            kind="unknown hparam",
            problem=(
                f"The hparam {name!r} of {count(len(paths), 'run')} is declared by no sweep: "
                f"{name_some(names)}."
            ),
            effect="TensorBoard shows no column for it.",
            advice=f"See which program wrote these, and move them away: {command}",
            paths=paths,
        )


def find_unwritten_metrics(survey: Survey) -> Iterator[Fault]:
    """Find metrics that a sweep declares and none of its complete runs has written."""
    missing: dict[str, list[str]] = {}
    for sweep_dir, sweep in survey.sweeps.items():
        runs = [run for run in survey.runs if run.sweep_dir == sweep_dir]
        written = [run.record.metrics for run in runs if run.record.ending is Ending.COMPLETE]
        if not written or sweep_dir in survey.running:
            continue
        for tag in dict.fromkeys([sweep.objective.tag, *sweep.metric_keys]):
            if not any(tag in metrics for metrics in written):
                missing.setdefault(tag, []).append(sweep_dir.id)
    for tag, sweep_ids in missing.items():
        yield Fault(
            kind="unwritten metric",
            problem=(
                f"The metric {tag!r} is declared, but no complete run has written it, in "
                f"{name_some(sweep_ids)}."
            ),
            effect="Its column is empty.",
            advice="Return it from train, or leave it out of the experiment's metrics.",
            paths=[survey.home.path / sweep_id for sweep_id in sweep_ids],
        )


def _compare_columns(present: summary_pb2.Summary, wanted: summary_pb2.Summary) -> str:
    lacking = sorted({*_list_columns(wanted)} - {*_list_columns(present)})
    surplus = sorted({*_list_columns(present)} - {*_list_columns(wanted)})
    if lacking:
        return f"TensorBoard shows no column for {name_some(lacking)}."
    if surplus:
        return f"TensorBoard shows an empty column for {name_some(surplus)}."
    return "TensorBoard shows its columns with other domains, types or texts."


def _list_columns(config: summary_pb2.Summary) -> list[str]:
    content = config.value[0].metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(content)
    hparams = [info.name for info in experiment.hparam_infos]
    return [*hparams, *(info.name.tag for info in experiment.metric_infos)]


def _rewrite(home: ExperimentDir) -> str:
    write_config(home)
    return f"wrote the hparams_config of {home.name} anew"
