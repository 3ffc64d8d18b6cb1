"""A sweep's intent, kept in its `sweep.json`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.objective import maximize, minimize
from hparams_lab.errors import LogdirError, StorageError
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from hparams_lab.runs.sweep import Resumption, Sweep, find_newest, read_sweeps
from hparams_lab.search.base import Traits
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_sweep
from tests.support.spaces import EXAMPLES


def encode(sweep: Sweep) -> dict[str, Any]:
    """Return all that a sweep says as plain data, to compare sweeps by."""
    fields = {field.name: getattr(sweep, field.name) for field in dataclasses.fields(sweep)}
    return fields | {
        "space": sweep.space.encode_json(),
        "metrics": [metric.as_proto() for metric in sweep.metrics],
        "provenance": json.dumps(sweep.provenance.encode_json()),
        "resumptions": [
            (each.started, json.dumps(each.provenance.encode_json())) for each in sweep.resumptions
        ],
    }


def resume_at(commit: str, digest: str) -> Resumption:
    """Return a resumption with the code of a commit."""
    provenance = make_sweep(commit=commit).provenance
    later = dataclasses.replace(provenance, code_digest=digest)
    return Resumption("2026-11-22T09:00:00+01:00", later)


RESUMPTIONS = (resume_at("0123abcd", "same"), resume_at("4567cdef", "other"))


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Return an experiment's directory without sweeps."""
    return ExperimentDir(tmp_path / "toy")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"max_trials": 12},
        {"objective": minimize("loss", reduction="best")},
        {"space": EXAMPLES["condition_on_condition"]},
        {"space": EXAMPLES["log"]},
        {"metrics": (Metric("loss", group="validation", display_name="Größe"),)},
        {"description": 'two\nlines, "quotes", 数字 and \\'},
        {"source": "questions.digits", "seed": 2**40},
        {"trial_limit": 5, "settings": ("units=8", 'name="a,b"')},
        {"tries": (Assignment({"units": 8, "rate": 0.1}), Assignment({"units": 16, "rate": 0.5}))},
        {"search_options": {"sampler": "tpe", "order": ["rate"]}, "traits": Traits(prunes=True)},
        {"repeats": 3, "folds": 5, "subset": 0.25, "racing": True},
        {"resumptions": RESUMPTIONS},
    ],
    ids=lambda changes: ",".join(changes) or "plain",
)
def test_a_sweep_is_read_back_as_written(changes: dict[str, Any], home: ExperimentDir) -> None:
    """Everything that a sweep says survives its file."""
    sweep = dataclasses.replace(make_sweep(), **changes)
    again = Sweep.read(add_sweep(home, sweep))

    assert encode(sweep) == encode(again)


@pytest.mark.parametrize("git", [None, "same"])
def test_a_sweep_outside_git_is_read_back(git: str | None, home: ExperimentDir) -> None:
    """A sweep with and without a commit keeps its provenance."""
    sweep = make_sweep()
    if git is None:
        provenance = dataclasses.replace(sweep.provenance, git=None)
        sweep = dataclasses.replace(sweep, provenance=provenance)
    again = Sweep.read(add_sweep(home, sweep)).provenance

    assert sweep.provenance.git == again.git
    assert sweep.provenance.commit_label == again.commit_label
    assert list(sweep.provenance.command) == list(again.command)


def test_a_command_that_is_no_text_is_kept(home: ExperimentDir) -> None:
    """A command line with bytes that are no UTF-8, as in a path, does not stop the sweep."""
    sweep = make_sweep()
    provenance = dataclasses.replace(sweep.provenance, command=("run", "logs-\udcff"))
    again = Sweep.read(add_sweep(home, dataclasses.replace(sweep, provenance=provenance)))

    assert ["run", "logs-\udcff"] == list(again.provenance.command)


def test_the_day_is_the_local_date() -> None:
    """Sweep, day and metrics are columns by themselves."""
    assert make_sweep(FRIDAY).day == "2026-11-20"
    assert make_sweep().metric_keys == ("accuracy", "loss")


def test_nothing_else_is_left_in_the_directory(home: ExperimentDir) -> None:
    """The file is written aside and put in place, so there is only the one."""
    sweep_dir = add_sweep(home, make_sweep())
    make_sweep().write(sweep_dir)

    assert [sweep_dir.sweep_file] == list(sweep_dir.path.iterdir())


def test_a_directory_that_is_gone_is_reported(home: ExperimentDir) -> None:
    """A sweep is not written where its directory is gone, and that is said."""
    with pytest.raises(StorageError, match=r"No such file or directory\. Put it back"):
        make_sweep().write(SweepDir(home.path / SATURDAY))


DAMAGES: dict[str, Any] = {
    "empty": lambda data: "",
    "cut_off": lambda data: json.dumps(data)[:200],
    "not_a_mapping": lambda data: "[]",
    "null": lambda data: "null",
    "later_format": lambda data: json.dumps({**data, "format": 2}),
    "no_format": lambda data: json.dumps({k: v for k, v in data.items() if k != "format"}),
    "missing_field": lambda data: json.dumps({k: v for k, v in data.items() if k != "space"}),
    "bad_goal": lambda data: json.dumps({**data, "objective": {"metric": "a", "goal": "x"}}),
    "bad_space": lambda data: json.dumps({**data, "space": [{"name": "x"}]}),
    "bad_domain": lambda data: json.dumps({**data, "space": [{"name": "x", "domain": None}]}),
    "bad_metrics": lambda data: json.dumps({**data, "metrics": [{"tga": "x"}]}),
    "null_metrics": lambda data: json.dumps({**data, "metrics": None}),
    "bad_git": lambda data: json.dumps({**data, "provenance": {"git": {"commit": "1"}}}),
    "no_text": lambda data: b"\xff\xfe\x00",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_sweep_is_reported(damage: Any, home: ExperimentDir) -> None:
    """A file that no sweep wrote is named, in one line, with what to do."""
    sweep_dir = add_sweep(home, make_sweep())
    damaged = damage(json.loads(sweep_dir.sweep_file.read_text()))
    sweep_dir.sweep_file.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.raises(LogdirError, match=r"sweep\.json does not describe a sweep") as caught:
        Sweep.read(sweep_dir)

    assert "Move its directory out of the log directory." in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_field_of_a_later_version_is_passed_over(home: ExperimentDir) -> None:
    """What a newer version has added to sweep.json does not make it unreadable."""
    sweep_dir = add_sweep(home, make_sweep(FRIDAY))
    data = json.loads(sweep_dir.sweep_file.read_text())
    sweep_dir.sweep_file.write_text(json.dumps({**data, "colour": "red"}))

    assert FRIDAY == Sweep.read(sweep_dir).id


# What a sweep.json of the first version has.
FIRST_FIELDS = (
    *("format", "experiment", "id", "started", "source", "description", "space", "metrics"),
    *("objective", "strategy", "max_trials", "seed", "executor", "workers", "provenance"),
)


def test_a_sweep_of_the_first_version_is_read(home: ExperimentDir) -> None:
    """A file without the fields of today is that of a sweep of one run a trial."""
    sweep_dir = add_sweep(home, make_sweep())
    data = json.loads(sweep_dir.sweep_file.read_text())
    del data["provenance"]["code_digest"]
    first = {key: data[key] for key in FIRST_FIELDS}
    sweep_dir.sweep_file.write_text(json.dumps(first))

    assert encode(make_sweep()) == encode(Sweep.read(sweep_dir))


def test_a_resumed_sweep_has_the_code_of_each_time() -> None:
    """The newest commit is the label of further runs; all of them are the sweep's."""
    sweep = make_sweep(resumptions=RESUMPTIONS)

    assert "4567cde" == sweep.commit_label[:7]
    assert {"0123abc", "4567cde"} == {label[:7] for label in sweep.commit_labels}
    assert {"", "same", "other"} == sweep.code_digests


def test_sweeps_are_read_oldest_first(home: ExperimentDir) -> None:
    """Sweeps are read by id; a directory that has no file yet is passed over."""
    add_sweep(home, make_sweep(SATURDAY, hparams=[HParam("x", Discrete([1]))]))
    add_sweep(home, make_sweep(FRIDAY, objective=maximize("loss")))
    (home.path / "2026-11-22_00-00-00").mkdir()

    assert [FRIDAY, SATURDAY] == [sweep.id for sweep in read_sweeps(home)]


def test_one_damaged_sweep_does_not_hide_the_others(
    home: ExperimentDir, caplog: pytest.LogCaptureFixture
) -> None:
    """An unreadable sweep among others is told with its file, and the others are read."""
    add_sweep(home, make_sweep(FRIDAY))
    add_sweep(home, make_sweep(SATURDAY)).sweep_file.write_text("{")

    assert [FRIDAY] == [sweep.id for sweep in read_sweeps(home)]
    assert f"damaged: {home.path / SATURDAY}/sweep.json: does not describe" in caplog.text


def test_the_newest_sweep_is_one_that_can_be_read(home: ExperimentDir) -> None:
    """A damaged sweep is not the newest as long as an older one can be read."""
    friday = add_sweep(home, make_sweep(FRIDAY))
    saturday = add_sweep(home, make_sweep(SATURDAY))
    saturday.sweep_file.write_text("{")

    assert friday == find_newest(home)
    friday.sweep_file.write_text("{")
    assert saturday == find_newest(home)


def test_an_experiment_without_sweeps_has_none(home: ExperimentDir) -> None:
    """Where nothing was logged, nothing is read."""
    assert read_sweeps(home) == []


def test_a_renamed_directory_is_a_sweep_of_its_own(tmp_path: Path) -> None:
    """The id of a sweep is its directory's name, whatever the file in it says."""
    sweep_dir = add_sweep(ExperimentDir(tmp_path), make_sweep(FRIDAY))
    renamed = SweepDir(sweep_dir.path.rename(tmp_path / SATURDAY))

    assert SATURDAY == Sweep.read(renamed).id
