from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from hparams_lab.cli.tables import Column, format_number, make_console, print_table
from hparams_lab.runs.logdir import experiment_dir
from tests.cli.conftest import Program


def test_show_ranks_the_trials(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """The best trial comes first, with its values."""
    assert 0 == swept("show", "hill")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("3 of 3 trials, 3 SUCCESS")
    assert ["8", "4", "0"] == [line.split()[1] for line in lines[3:]]


def test_show_needs_no_module(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading what is logged needs the log directory alone."""
    shutil.rmtree("experiments")

    assert 0 == swept("show", "hill")
    assert "3 SUCCESS" in capsys.readouterr().out


def test_failed_trials_come_last(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials that failed stand behind those that did not, and a column says so."""
    program("run", "hill", "--executor=inline")
    capsys.readouterr()
    program("show", "hill")

    lines = capsys.readouterr().out.splitlines()
    assert "3 SUCCESS, 3 FAILURE" in lines[0]
    assert ["SUCCESS"] * 3 + ["FAILURE"] * 3 == [line.split()[1] for line in lines[3:]]


def test_top_limits_the_rows(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`--top=1` shows one row and says how many it leaves out."""
    swept("show", "hill", "--top=1")

    lines = capsys.readouterr().out.splitlines()
    assert 5 == len(lines)
    assert "2 more trials" == lines[-1]


def test_all_sweeps_can_be_shown_together(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """`all` ranks the trials of every sweep, each under its sweep's id."""
    swept("run", "hill", "--executor=inline", "--set=kind=good")
    capsys.readouterr()
    swept("show", "hill", "all")

    lines = capsys.readouterr().out.splitlines()
    ids = [sweep.id for sweep in experiment_dir("logs", "hill").find_sweeps()]
    assert lines[0].endswith("6 of 6 trials, 6 SUCCESS")
    assert set(ids) == {line.split("/")[0] for line in lines[3:]}


def test_best_prints_the_whole_trial(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`best` prints values, metrics, seed, directory and the command that runs it again."""
    assert 0 == swept("best", "hill")

    printed = capsys.readouterr().out
    facts = dict(line.split(maxsplit=1) for line in printed.splitlines()[1:-1])
    assert (facts["x"], facts["kind"], facts["height"]) == ("4.0", "good", "8")
    assert Path(facts["directory"]).is_dir()


def test_the_replayed_run_has_the_same_seed(
    swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that `best` prints runs the same values with the same run seed."""
    swept("best", "hill")
    before = capsys.readouterr().out.splitlines()
    replay = shlex.split(before[-1].removeprefix("replay: hparams_lab "))
    assert 0 == swept(*replay, "--executor=inline")
    capsys.readouterr()
    swept("best", "hill")

    after = capsys.readouterr().out.splitlines()
    assert next(line for line in before if "run seed" in line) in after


def test_best_needs_a_success(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every trial failed, `best` says so and names the command that shows them."""
    program("run", "hill", "--executor=inline", "--set=kind=bad")
    capsys.readouterr()

    assert 2 == program("best", "hill")
    assert "has no successful trial" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["2020", "20"], ids=["none", "several"])
def test_a_sweep_must_be_named_without_doubt(
    swept: Program, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """A sweep's id may be cut short as long as it says which one is meant."""
    swept("run", "hill", "--executor=inline", "--set=kind=good")
    capsys.readouterr()

    assert 2 == swept("show", "hill", word)
    assert word in capsys.readouterr().err


def test_list_reads_without_importing(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` shows name, sweeps and question, also of a module that cannot be imported."""
    module = '"""Does it matter?"""\nimport no_such_module\nEXPERIMENT = no_such_module.x\n'
    Path("experiments/broken.py").write_text(module)
    Path("experiments/shared.py").write_text("SHARED = 1\n")

    assert 0 == program("list")
    lines = capsys.readouterr().out.splitlines()
    assert [
        "broken  0 sweeps  Does it matter?",
        "hill    0 sweeps  How high is the hill?",
    ] == lines


def test_list_counts_sweeps(swept: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` counts what is logged, also for experiments whose module is gone."""
    swept("list")
    assert "1 sweep   How high" in capsys.readouterr().out.replace("1 sweep ", "1 sweep  ")
    shutil.rmtree("experiments")
    swept("list")

    assert "hill  1 sweep  (logged; no module" in capsys.readouterr().out


def test_list_spaces_imports(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """`list --spaces` adds each axis and the size of the grid."""
    program("list", "--spaces")

    printed = capsys.readouterr().out
    assert "x: a number in [0.0, 4.0]; grid 0.0, 2.0, 4.0" in printed
    assert "grid of 6 points" in printed


def test_a_wide_table_says_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns that do not fit are named below the table."""
    monkeypatch.setenv("COLUMNS", "80")
    columns = [Column(f"column_{i}", [f"{'x' * 20}"]) for i in range(6)]
    print_table(make_console(), columns)

    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert "left out for want of room: column_3, column_4, column_5" == lines[-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (float("nan"), "nan"), (0.123456789, "0.12346"), (3.0, "3"), (1e-9, "1e-09")],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    """A metric is printed with five significant digits."""
    assert text == format_number(value)
