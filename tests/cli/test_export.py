from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import experiment_dir
from tests.cli.conftest import Program
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

FOREIGN = Path(__file__).parent.parent / "events" / "data"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def logged(program: Program) -> Program:
    """The program, beside logs of two sweeps of `toy`; the trial of the newer one failed."""
    home = experiment_dir("logs", "toy")
    older = add_sweep(home, make_sweep(FRIDAY))
    for index, rate in enumerate((0.1, 0.3, 0.5)):
        spec = make_spec(older, {"units": 8, "rate": rate}, index=index)
        write_run(spec, {"accuracy": [rate]})
    newer = add_sweep(home, make_sweep(SATURDAY))
    write_run(make_spec(newer, {"units": 16, "rate": 0.2}), {}, ending=Ending.FAILED)
    return program


def _read(text: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(text, newline=""))]


def test_every_trial_is_exported(logged: Program, capsys: Capture) -> None:
    """Without flags, all trials of all sweeps come as CSV on standard output, best first."""
    assert 0 == logged("export", "toy")

    rows = _read(capsys.readouterr().out)
    assert ["0.5", "0.3", "0.1", ""] == [row["accuracy"][:3] for row in rows]
    assert ["SUCCESS"] * 3 + ["FAILURE"] == [row["status"] for row in rows]


def test_a_sweep_can_be_named(logged: Program, capsys: Capture) -> None:
    """A second word chooses a sweep by the beginning of its id."""
    logged("export", "toy", SATURDAY[:10])

    assert ["16"] == [row["units"] for row in _read(capsys.readouterr().out)]


@pytest.mark.parametrize("rows", ["trials", "runs"])
def test_conditions_choose_what_is_exported(rows: str, logged: Program, capsys: Capture) -> None:
    """`--where` is of trials, whose runs are exported with `--rows=runs`."""
    logged("export", "toy", "--where=accuracy > 0.2", "--where=rate < 0.4", f"--rows={rows}")

    assert ["0.3"] == [row["rate"] for row in _read(capsys.readouterr().out)]


def test_times_choose_sweeps(logged: Program, capsys: Capture) -> None:
    """`--until` leaves the sweeps that began later out."""
    logged("export", "toy", "--until=2026-11-20")

    assert {FRIDAY} == {row["sweep"] for row in _read(capsys.readouterr().out)}


def test_runs_have_their_own_directories(logged: Program, capsys: Capture) -> None:
    """`--rows=runs` gives each run with its directory and its seed."""
    logged("export", "toy", "--rows=runs")
    rows = _read(capsys.readouterr().out)

    assert all(Path(row["path"]).is_dir() and row["run"] == "r00" for row in rows)
    assert ["19", "18", "17", "17"] == [row["seed"] for row in rows]


def test_export_needs_no_module(logged: Program, capsys: Capture) -> None:
    """What is logged is exported from the log directory alone."""
    shutil.rmtree("experiments")

    assert 0 == logged("export", "toy", "--format=json")
    assert 4 == len(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("out.csv", b"experiment,"),
        ("out.JSON", b"[\n"),
        ("out.md", b"| experiment |"),
        ("out.parquet", b"PAR1"),
        ("out", b"experiment,"),
    ],
)
def test_the_files_name_says_the_format(
    name: str, begin: bytes, logged: Program, capsys: Capture
) -> None:
    """The end of the name chooses the format, and what was written is said."""
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")

    assert 0 == logged("export", "toy", f"--out={name}")

    assert Path(name).read_bytes().startswith(begin)
    assert f"{name}: 4 rows of " in capsys.readouterr().out
    assert {"experiments", "logs", name} == {path.name for path in Path().iterdir()}


def test_a_format_that_is_named_counts(logged: Program) -> None:
    """`--format` is obeyed whatever the file is called."""
    logged("export", "toy", "--format=json", "--out=out.csv")

    assert 4 == len(json.loads(Path("out.csv").read_text()))


def test_a_file_is_replaced_only_by_force(logged: Program, capsys: Capture) -> None:
    """A file that is there is left alone, unless `--force` says otherwise."""
    Path("out.csv").write_text("precious")

    assert 2 == logged("export", "toy", "--out=out.csv")
    assert "--force" in capsys.readouterr().err
    assert "precious" == Path("out.csv").read_text()
    assert 0 == logged("export", "toy", "--out=out.csv", "--force")
    assert 4 == len(_read(Path("out.csv").read_text()))


def test_a_file_is_written_whole_or_not_at_all(
    logged: Program, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk gives up, nothing is left of the attempt."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)

    assert 2 == logged("export", "toy", "--out=out.csv")
    assert "No space left on device" in capsys.readouterr().err
    assert {"experiments", "logs"} == {path.name for path in Path().iterdir()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["toy", "--format=parquet"], "--out=FILE"),
        (["toy", "--format=xlsx"], "csv"),
        (["toy", "--rows=sweeps"], "trials"),
        (["toy", "--force"], "--force replaces the file"),
        (["toy", "--out=experiments"], "is a directory"),
        (["toy", "--out=none/out.csv"], "Make it first"),
        (["tpy"], "Did you mean 'toy'"),
        (["toy", "--where=acuracy > 1"], "Did you mean 'accuracy'"),
        (["experiments"], "no run of another tool"),
        ([str(FOREIGN / "hp_api"), "2026"], "no sweeps of ours"),
        ([str(FOREIGN / "hp_api"), "--rows=trials"], "--rows=runs"),
        ([str(FOREIGN / "hp_api"), "--where=acuracy > 1"], "Did you mean 'accuracy'"),
    ],
    ids=lambda value: " ".join(map(str, value))[-40:] if isinstance(value, list) else "",
)
def test_mistakes_are_reported(
    words: list[str], message: str, logged: Program, capsys: Capture
) -> None:
    """What cannot be done is one sentence, and exit code 2."""
    assert 2 == logged("export", *words)

    captured = capsys.readouterr()
    assert message in captured.err
    assert "" == captured.out


@pytest.mark.parametrize(
    ("tool", "count"),
    [("hp_api", 2), ("keras_tuner", 2), ("pytorch", 4), ("ray_tune", 2), ("tensorboardx", 2)],
)
def test_directories_of_other_tools_are_exported(
    tool: str, count: int, program: Program, capsys: Capture
) -> None:
    """A directory stands for the runs that other tools wrote below it."""
    assert 0 == program("export", str(FOREIGN / tool), "--format=json")
    assert count == len(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("flag", "count"), [("--since=2001-01-01", 2), ("--until=2001-01-01", 0), ("--where=x > 0", 2)]
)
def test_runs_of_other_tools_are_chosen_by_their_start(
    flag: str, count: int, program: Program, capsys: Capture
) -> None:
    """The time of such a run is its own, as there is no sweep."""
    flag = flag.replace("x >", "num_units >")

    assert 0 == program("export", str(FOREIGN / "hp_api"), flag)
    assert count == len(_read(capsys.readouterr().out))


def test_an_experiments_directory_stands_for_it(logged: Program, capsys: Capture) -> None:
    """`export logs/toy` is `export toy`."""
    logged("export", "toy")
    by_name = capsys.readouterr().out
    logged("export", "logs/toy")

    assert by_name == capsys.readouterr().out


def test_an_experiment_goes_before_a_directory_of_its_name(
    logged: Program, capsys: Capture
) -> None:
    """A folder called as the experiment is, beside the logs, does not hide it."""
    Path("toy").mkdir()

    assert 0 == logged("export", "toy")
    assert 4 == len(_read(capsys.readouterr().out))


def test_a_device_is_not_replaced(program: Program, workplace: Path) -> None:
    """A pipe that --out names is refused, also with --force."""
    home = experiment_dir(workplace / "logs", "toy")
    add_sweep(home, make_sweep())
    pipe = workplace / "pipe.csv"
    os.mkfifo(pipe)

    assert 2 == program("export", "toy", f"--out={pipe}", "--force")
    assert pipe.is_fifo()
