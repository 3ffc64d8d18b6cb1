"""`hparams_lab effects`: what people and programs are told of what mattered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.declare.space import SearchSpace
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir
from tests.cli.conftest import Program
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

QUICK = "--evaluator=mdi"
AXES = (
    HParam("units", Discrete([8, 16, 32])),
    HParam("an_axis_with_quite_a_long_name", Discrete(["a long word", "b", "c"])),
    HParam("flag", Discrete([False, True])),
)

Tell = Callable[..., tuple[int, str]]


def log_sweep(
    logdir: Path, sweep_id: str, endings: dict[int, Ending] | None = None, *, shift: float = 0.0
) -> None:
    """Log a grid of 18 trials, of which the accuracy follows `units` and is best with 16."""
    sweep_dir = add_sweep(ExperimentDir(logdir / "toy"), make_sweep(sweep_id, hparams=AXES))
    space = SearchSpace(AXES)
    for index in range(space.size):
        point = space.at(index)
        accuracy = {8: 0.1, 16: 0.9, 32: 0.5}[point["units"]] + 0.001 * (index * 7 % 5) + shift
        write_run(
            make_spec(sweep_dir, point, index=index),
            {"accuracy": [accuracy], "loss": [float(point["units"])]},
            ending=(endings or {}).get(index, Ending.COMPLETE),
        )


@pytest.fixture
def tell(
    program: Program,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Tell:
    """Calls `effects toy` on 80 columns with more words; returns exit code and all it printed."""
    log_sweep(tmp_path / "logs", SATURDAY, {0: Ending.FAILED})
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = program("effects", "toy", *words)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def load(printed: tuple[int, str]) -> Any:
    """Return the document that a successful command printed."""
    code, text = printed

    assert 0 == code
    return json.loads(text)


def test_the_answer_comes_first(tell: Tell) -> None:
    """The first lines say what mattered, what did not, and which trial is best."""
    code, text = tell(QUICK)
    lines = text.splitlines()

    assert 0 == code
    assert "toy, 1 sweep: 17 trials, accuracy (maximize)" == lines[0]
    assert "left out: 1 FAILURE" == lines[1]
    assert "mattered, most first: units" == lines[2]
    assert "no evidence for: " in lines[3]
    assert "units=16" in text


def test_each_axis_has_its_levels(tell: Tell) -> None:
    """Below the answer stands a table of each axis, with a line a level."""
    lines = tell(QUICK)[1].splitlines()
    start = next(
        number for number, line in enumerate(lines) if line.split()[:2] == ["units", "trials"]
    )

    assert ["8", "16", "32"] == [line.split()[0] for line in lines[start + 1 : start + 4]]
    assert ["5", "6", "6"] == [line.split()[1] for line in lines[start + 1 : start + 4]]


@pytest.mark.parametrize(
    "words", [[QUICK], ["--pareto=accuracy,loss:min"]], ids=["effects", "pareto"]
)
def test_lines_fit_the_terminal(tell: Tell, words: list[str]) -> None:
    """No line is wider than 80 columns, long names or not."""
    assert 80 >= max(map(len, tell(*words)[1].splitlines()))


def test_json_has_everything(tell: Tell) -> None:
    """The document has full ids and paths, each axis with each level, and the notes."""
    document = load(tell(QUICK, "--format=json"))

    assert "accuracy" == document["metric"]["name"]
    assert [SATURDAY] == document["sweeps"]
    assert {"FAILURE": 1} == document["left_out"]
    assert "units" == document["axes"][0]["name"]
    assert [5, 6, 6] == [level["count"] for level in document["axes"][0]["levels"]]
    assert Path(document["winner"]["path"]).is_dir()
    assert document["axes"][0]["is_evident"]


def test_all_sweeps_count(tell: Tell, tmp_path: Path) -> None:
    """Without a word all sweeps of the experiment are judged together, with one that one."""
    log_sweep(tmp_path / "logs", FRIDAY, shift=0.001)

    assert 35 == load(tell(QUICK, "--format=json"))["num_trials"]
    assert 18 == load(tell(FRIDAY, QUICK, "--format=json"))["num_trials"]
    assert 17 == load(tell("--since=2026-11-21", QUICK, "--format=json"))["num_trials"]


def test_a_condition_chooses_trials(tell: Tell) -> None:
    """With `--where` only the trials of which it is true are judged."""
    document = load(tell("--where=units > 8", QUICK, "--format=json"))

    assert 12 == document["num_trials"]
    assert ["16", "32"] == [level["label"] for level in document["axes"][0]["levels"]]


def test_another_metric_can_be_judged(tell: Tell) -> None:
    """`--metric=loss:min` tells what lowers the loss."""
    document = load(tell("--metric=loss:min", QUICK, "--format=json"))

    assert {"name": "loss", "goal": "minimize"} == document["metric"]
    assert "8" == document["axes"][0]["best_mean_level"]


def test_the_front_is_listed_best_first(tell: Tell) -> None:
    """`--pareto` lists what none beats in both metrics, best first by the first one."""
    document = load(tell("--pareto=accuracy,loss:min", "--format=json"))
    accuracies = [trial["metrics"]["accuracy"] for trial in document["front"]]

    assert [16, 8] == list(dict.fromkeys(t["hparams"]["units"] for t in document["front"]))
    assert all(one >= other for one, other in pairwise(accuracies))
    assert (17, 1) == (document["num_compared"], document["num_left_out"])


def test_the_front_tells_of_ties(tell: Tell) -> None:
    """Trials that are equal in both metrics are all listed, and their number is reported."""
    text = tell("--pareto=loss:min,units:min")[1]

    assert "5 of 17 trials are beaten by none" in text
    assert "5 of them are equal in both metrics to another" in text
    assert "left out: 1 trial not run to the end" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pareto=accuracy"], "--pareto must name two metrics; got 'accuracy'"),
        (["--pareto=accuracy,loss:min,units:max"], "--pareto must name two metrics"),
        (["--pareto=loss:min,loss:max"], "two different metrics; got 'loss' twice"),
        (["--pareto=accuracy,loss"], "Write loss:min or loss:max"),
        (["--metric=los:min"], "Did you mean 'loss'"),
        (["--evaluator=mdl"], "Did you mean 'mdi'"),
        (["--format=csv"], "--format must name a format"),
        (["--where=unit == 8"], "units"),
        (["--where=units == 9"], "got none"),
        (["--pareto=accuracy,loss:min", "--metric=loss:min"], "not be given with --pareto"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, list) else "",
)
def test_bad_words_are_one_sentence(tell: Tell, words: list[str], message: str) -> None:
    """What cannot be obeyed ends with code 2 and one line that says what to do."""
    code, text = tell(*words)

    assert (2, 1) == (code, len(text.splitlines()))
    assert message in text


def test_few_trials_are_reported(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Three trials say nothing of what mattered, but which was best."""
    assert 0 == swept("effects", "hill")
    text = capsys.readouterr().out

    assert "3 trials are too few to say" in text
    assert "mattered" not in text.splitlines()[1]
    assert "best trial: " in text


def test_importing_the_command_is_light() -> None:
    """The command is imported without Optuna, scikit-learn, SciPy or TensorFlow."""
    heavy = "optuna sklearn scipy pandas tensorflow"
    code = (
        "import sys, hparams_lab.cli.commands.effects; "
        f"sys.exit(bool(set({heavy!r}.split()) & set(sys.modules)))"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
