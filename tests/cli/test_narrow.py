"""The reading commands on a real terminal of 80 columns: twelve hparams with long names."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pexpect
import pytest
from rich.cells import cell_len
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

from hparams_lab.logdir.layout import ExperimentDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run
from tests.support.program import TIMEOUT_SECS

pytestmark = pytest.mark.slow

NAMES = [f"number_of_filters_in_layer_{index:02d}" for index in range(11)]
KIND = "weight_initializer"
LONG_VALUE = "variance_scaling_with_a_truncated_normal_of_a_quarter_by_fan_average_漢字"
METRICS = [Metric(f"validation_accuracy_of_task_{index}") for index in range(3)]
HPARAMS = [
    *(HParam(name, Discrete([8, 16])) for name in NAMES),
    HParam(KIND, Discrete(["he", LONG_VALUE])),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with an experiment of two sweeps, and a module of a long question."""
    folder = tmp_path_factory.mktemp("narrow")
    (folder / "experiments").mkdir()
    question = f'"""{"Which of very many filters, " * 6}?"""'
    (folder / "experiments" / "toy.py").write_text(f"{question}\nEXPERIMENT = None\n")
    for sweep_id in (FRIDAY, SATURDAY):
        sweep = make_sweep(sweep_id, hparams=HPARAMS, metrics=METRICS)
        sweep_dir = add_sweep(ExperimentDir(folder / "logs" / "toy"), sweep)
        for index, kind in enumerate(["he", LONG_VALUE]):
            values = {**dict.fromkeys(NAMES, 8 * (index + 1)), KIND: kind}
            scalars = {metric.as_proto().name.tag: [0.123456 + index] for metric in METRICS}
            write_run(make_spec(sweep_dir, values, index=index), scalars)
    return folder


def print_on_terminal(folder: Path, *words: str) -> list[str]:
    """Return the lines that a command prints on a terminal of 80 columns."""
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "hparams_lab", *words],
        cwd=folder,
        encoding="utf-8",
        dimensions=(40, 80),
        timeout=TIMEOUT_SECS,
    )
    terminal.expect(pexpect.EOF)
    terminal.close()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.before)
    assert 0 == terminal.exitstatus, text
    return str(text).splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["show", "toy"],
        ["show", "toy", "all"],
        ["show", "toy", "--where", f"{NAMES[0]} >= 8 and {NAMES[1]} >= 8 and {NAMES[2]} >= 8"],
        ["show", "toy", "--sort", KIND],
        ["list"],
    ],
    ids=["show", "all_sweeps", "where", "sort", "list"],
)
def test_lines_fit_the_terminal(folder: Path, words: list[str]) -> None:
    """No line of a table or beside it is wider than the terminal."""
    lines = print_on_terminal(folder, *words)

    assert [] == [line for line in lines if cell_len(line) > 80]
    assert any("toy" in line for line in lines)


@pytest.mark.parametrize("word", [FRIDAY, "all"])
def test_no_column_is_lost_in_silence(folder: Path, word: str) -> None:
    """Each hparam and metric is a column, or is named below the table."""
    told = " ".join(print_on_terminal(folder, "show", "toy", word)).split()
    names = [*NAMES, KIND, *(metric.as_proto().name.tag for metric in METRICS), "secs"]

    assert [] == [name for name in names if name not in {word.strip(",") for word in told}]


def test_best_prints_everything_in_full(folder: Path) -> None:
    """`best` cuts nothing, so that values, paths and the command can be copied."""
    printed = "".join(print_on_terminal(folder, "best", "toy"))

    assert LONG_VALUE in printed
    assert f"--set={NAMES[10]}=16" in printed
    assert re.search(
        rf"directory +{re.escape(str(folder))}/logs/toy/{SATURDAY}/0001-\w+/r00", printed
    )


def test_wide_value_is_cut_with_an_ellipsis(folder: Path) -> None:
    """A value that would fill the terminal is cut in the table, and whole as JSON."""
    table = "\n".join(print_on_terminal(folder, "show", "toy", "--sort", KIND))
    document = "".join(print_on_terminal(folder, "show", "toy", "--format=json"))

    assert re.search(r"variance_scaling_with_a_truncat\w+…", table)
    assert LONG_VALUE in document
