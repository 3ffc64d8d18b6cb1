from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.logdir.layout import ExperimentDir
from tests.cli.conftest import Program
from tests.support.oracle import read_board
from tests.support.plot_trials import GRID, log_points

FAST = "--kind=best_so_far"  # no effects to estimate


@pytest.fixture
def home(workplace: Path) -> ExperimentDir:
    """Return an experiment of one sweep, logged where the program looks."""
    return log_points(workplace / "logs", curve=(0.1, 0.2))


@pytest.mark.slow
def test_plot_writes_what_the_trials_allow(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --kind all pictures that make sense are written, and the others are reported."""
    assert 0 == program("plot", "toy")

    lines = capsys.readouterr().out.splitlines()
    kinds = ["heatmap", "effects", "best_so_far", "curves"]
    assert [f"wrote {Path.cwd()}/plots/toy/{kind}.png" for kind in kinds] == lines[:4]
    assert lines[4].startswith("skipped days: ")
    assert all(Path(line.removeprefix("wrote ")).is_file() for line in lines[:4])


def test_plot_writes_svg_where_it_is_told_to(home: ExperimentDir, program: Program) -> None:
    """--out names the folder, --format the format, --kind the pictures: nothing else is made."""
    assert 0 == program("plot", "toy", FAST, "--format=svg", "--out=here")

    assert ["best_so_far.svg"] == [path.name for path in Path("here").iterdir()]
    assert not Path("plots").exists()


def test_plot_shows_the_trials_that_are_meant(home: ExperimentDir, program: Program) -> None:
    """--where and --fix leave the other trials out, and the picture says how many it shows."""
    program("plot", "toy", FAST, "--format=svg", "--where=units == 8", "--out=some")
    words = ("--kind=heatmap", "--x=rate", "--y=units", "--fix=kind=plain", "--format=svg")
    program("plot", "toy", *words, "--out=some")

    assert "6 trials of 1 sweep" in Path("some/best_so_far.svg").read_text()
    assert "Fixed: kind plain" in Path("some/heatmap.svg").read_text()


def test_plot_shows_another_metric(home: ExperimentDir, program: Program) -> None:
    """--metric names what is shown and which way it is better."""
    assert 0 == program("plot", "toy", FAST, "--metric=loss:min", "--format=svg")

    written = Path("plots/toy/best_so_far.svg").read_text()
    assert "toy: best loss so far" in written
    assert "(lower is better)" in written


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kind=heatmaps",), "got 'heatmaps'. Did you mean 'heatmap'"),
        (("--kind=",), "--kind must name pictures"),
        (("--format=gif",), "--format must name a format; got 'gif'"),
        (("--top=0",), "--top must be at least 1; got 0"),
        ((FAST, "--x=rate"), "--x=rate needs --kind=heatmap; got --kind=best_so_far"),
        ((FAST, "--top=3"), "--top=3 needs --kind=curves; got --kind=best_so_far"),
        (("--fix=rate",), "--fix must be AXIS=VALUE; got 'rate'"),
        (("--x=rate", "--fix=rate=0.1"), "cannot be fixed; got 'rate'"),
        (("--kind=days",), "needs trials of two of them"),
        (("--metric=loss", FAST), "loss:min or loss:max"),
        (("--where=units > 100", FAST), "no trial to show of 12"),
        ((FAST, "--out=logs/toy"), "--out must lie outside of the log directory"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, tuple) else "",
)
def test_what_cannot_be_drawn_is_refused(
    home: ExperimentDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    """A command that cannot be obeyed is answered in a sentence, and nothing is written."""
    assert 2 == program("plot", "toy", *words)

    assert message in capsys.readouterr().err
    assert not Path("plots").exists()


def test_nothing_to_draw_is_told_with_all_reasons(
    workplace: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no picture makes sense the program says why, and fails."""
    log_points(workplace / "logs", GRID[:1])

    assert 2 == program("plot", "toy")
    assert "allow no picture: a heat map needs" in capsys.readouterr().err


def test_pictures_go_into_tensorboard_on_request(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """The logdir is left alone, but for --to_tensorboard, which adds no row to the table."""
    before = read_board(home.path).trial_ids
    program("plot", "toy", FAST)
    assert not home.reports_dir.exists()
    program("plot", "toy", FAST, "--to_tensorboard")

    (folder,) = home.reports_dir.iterdir()
    assert f"wrote {folder}, for TensorBoard's" in capsys.readouterr().out
    assert before == read_board(home.path).trial_ids


@pytest.mark.slow
def test_a_report_is_one_file(
    home: ExperimentDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """`report` writes ./NAME.html, with the command that runs the best trial again."""
    before = {*Path.cwd().iterdir()}
    assert 0 == program("report", "toy")

    written = Path("toy.html").absolute()
    assert f"wrote {written}\n" == capsys.readouterr().out
    assert {written} == {*Path.cwd().iterdir()} - before
    assert "hparams_lab run toy --seed=0 --set=units=16" in written.read_text()


@pytest.mark.parametrize(
    ("html", "message"),
    [(".", "must name a file; got the folder"), ("logs/toy.html", "must lie outside")],
    ids=["folder", "logdir"],
)
def test_a_report_needs_a_place(
    home: ExperimentDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
    html: str,
    message: str,
) -> None:
    """A report is not written over a folder, nor among the runs."""
    assert 2 == program("report", "toy", f"--html={html}")

    assert message in capsys.readouterr().err
