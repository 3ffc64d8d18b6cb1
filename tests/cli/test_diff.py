from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.cli.conftest import Program
from tests.support.changed_sweeps import write_sources
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

MODULE = 'def train(run):\n    return {{"height": run.hparams["x"][:key:] * {}}}\n'
X_AXIS = HParam("x", Discrete([1.0, 2.0]))


@pytest.fixture
def sweeps(workplace: Path) -> list[str]:
    """The ids of two sweeps of `hill`, of which the second has a line of other code."""
    home = ExperimentDir(workplace / "logs" / "hill")
    for seed, sweep_id in enumerate((FRIDAY, SATURDAY)):
        sweep = make_sweep(
            sweep_id, experiment="hill", hparams=[X_AXIS], metrics=[Metric("height")], seed=seed
        )
        sweep_dir = add_sweep(home, sweep)
        write_sources(sweep_dir.source_file(), {"hill.py": MODULE.format(seed + 2)})
        for index, x in enumerate((1.0, 2.0)):
            spec = make_spec(sweep_dir, {"x": x}, index=index)
            curve = [x * (seed + 2) * share for share in (0.5, 1.0)]
            write_run(replace(spec, seed=index + 10 * seed), {"height": curve, "cost": [1.0]})
    return [FRIDAY, SATURDAY]


def test_diff_answers_first(
    program: Program, sweeps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Which runs, which is better, in what they differ and are identical: in five lines."""
    assert 0 == program("diff", f"{sweeps[0]}/0001", f"{sweeps[1]}/0001")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"first   hill/{sweeps[0]}/0001-")
    assert lines[1].startswith(f"second  hill/{sweeps[1]}/0001-")
    assert [
        "height: 4 -> 6, better by 2 (one run each)",
        "the runs differ in seed, metrics, curves, code and settings",
        "the runs are identical in values, status",
    ] == lines[2:5]


def test_diff_shows_the_changed_line(
    program: Program, sweeps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The line of code that differs between the sweeps is printed with its blanks."""
    program("diff", f"{sweeps[0]}/0001", f"{sweeps[1]}/0001")

    printed = capsys.readouterr().out
    assert "hill.py: 1 line added, 1 removed\n" in printed
    assert '\n      -    return {"height": run.hparams["x"][:key:] * 2}\n' in printed
    assert "\n  seed: 0 -> 1\n" in printed


def test_diff_needs_no_module(
    program: Program, sweeps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs are compared by what is logged alone."""
    shutil.rmtree("experiments")
    assert 0 == program("diff", f"{sweeps[0]}/0000", f"{sweeps[1]}/0001")

    lines = capsys.readouterr().out.splitlines()
    assert ["x", "1.0", "2.0"] in [line.split() for line in lines]


def test_diff_within_a_sweep_is_silent_about_it(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs of one real sweep have the same code and settings."""
    (sweep_dir,) = experiment_dir("logs", "hill").find_sweeps()
    swept("diff", f"{sweep_dir.id}/0000", f"hill/{sweep_dir.id}/0002/r00")

    printed = capsys.readouterr().out
    assert "the runs are identical in status, code and settings" in printed
    assert "between their sweeps" not in printed


def test_diff_fits_the_terminal(
    program: Program,
    sweeps: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No line is wider than eighty columns, not even that of a long reason."""
    monkeypatch.setenv("COLUMNS", "80")
    failure = next(Path(f"logs/hill/{sweeps[1]}").glob("0001-*/r00")) / "failure.txt"
    failure.write_text(f"ValueError: {'much too wide ' * 20}\n")
    program("diff", f"{sweeps[0]}/0000", f"{sweeps[1]}/0001")

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("failure: - -> ValueError: much") for line in lines)


def test_diff_says_which_run_of_a_trial_it_takes(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trial of several runs stands for its first one, and the others are named."""
    program("run", "hill", "--executor=inline", "--set=kind=good", "--repeats=3")
    capsys.readouterr()
    (sweep_dir,) = experiment_dir("logs", "hill").find_sweeps()
    program("diff", f"{sweep_dir.id}/0000", f"{sweep_dir.id}/0001/r02")

    lines = capsys.readouterr().out.splitlines()
    assert "        the trial has 2 more: r01, r02" == lines[1]
    assert lines[2].endswith("/r02")


def test_diff_is_one_json_document(
    program: Program, sweeps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--format=json` has both runs with their paths, every metric, and the changes."""
    program("diff", f"{sweeps[0]}/0001", f"{sweeps[1]}/0001", "--format=json")

    data = json.loads(capsys.readouterr().out)
    height = next(metric for metric in data["metrics"] if metric["tag"] == "height")
    assert Path(data["first"]["path"]).is_dir()
    assert {"last": 2.0, "min": 1.0, "max": 2.0} == height["differences"]
    assert [("height", 0, 2.0, 1), ("cost", None, None, None)] == [
        (each["tag"], each["parts_at"], each["largest"], each["largest_at"])
        for each in data["curves"]
    ]
    assert ["hill.py"] == [file["path"] for file in data["changes"]["code"]["files"]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["2026"], "diff takes RUN RUN; got 2026"),
        (["hill", "hill"], "a run is named by the path of its directory, or as [EXPERIMENT/]"),
        (["20/0000/r00", "20/0000/r00"], "is ambiguous: hill/20"),
        (["{0}/0000", "{0}/0000/r00"], "diff takes two runs; got hill/20"),
        (["{0}/0000", "{0}/0001", "--format=yaml"], "--format must name a format; got 'yaml'"),
        (["{0}/0000", "{0}/0001", "--logdir=elsewhere"], "nothing is logged in "),
    ],
    ids=["one word", "no run", "ambiguous", "twice", "format", "logdir"],
)
def test_diff_refuses_in_one_sentence(
    program: Program,
    sweeps: list[str],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    """What cannot be compared is said in one line."""
    assert 2 == program("diff", *(word.format(*sweeps) for word in words))

    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
