"""What each reading command says of files that are damaged, and what it reads all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hparams_lab as lab
from hparams_lab.events.schema import Ending
from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.cli.conftest import Program
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run

NUM_RUNS = 8
READING = {
    "show": ("show", "toy"),
    "best": ("best", "toy"),
    "compare": ("compare", "toy"),
    "effects": ("effects", "toy"),
    "export": ("export", "toy"),
    "diff": ("diff", f"{SATURDAY}/0000/r00", f"{SATURDAY}/0001/r00"),
}


@pytest.fixture
def sweep_dir(workplace: Path) -> SweepDir:
    """A sweep of runs that all succeeded, in the default log directory."""
    home = ExperimentDir(workplace / "logs" / "toy")
    sweep_dir = add_sweep(home, make_sweep(SATURDAY))
    for index in range(NUM_RUNS):
        spec = make_spec(sweep_dir, {"units": 8, "rate": (index + 1) / 16}, index=index)
        write_run(spec, {"accuracy": [0.25, index / 16], "loss": [0.5]})
    return sweep_dir


def damage(sweep_dir: SweepDir, *indices: int) -> list[Path]:
    """Flip a bit of the last point of runs, so that their ends are not read; return the files."""
    runs = [*sweep_dir.find_run_dirs()]
    files = [runs[index].event_files[0] for index in indices]
    for file in files:
        content = bytearray(file.read_bytes())
        content[-8] ^= 1
        file.write_bytes(content)
    return files


@pytest.mark.parametrize("words", READING.values(), ids=READING.keys())
def test_a_damaged_file_is_named(
    words: tuple[str, ...],
    sweep_dir: SweepDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line on stderr names the file, the next the command that says more."""
    (file,) = damage(sweep_dir, NUM_RUNS - 1)

    assert 0 == program(*words)
    named, more = capsys.readouterr().err.splitlines()
    assert named.startswith(f"hparams_lab: damaged: {file}: the record at byte ")
    assert "hparams_lab: what is whole was read; for more: hparams_lab doctor" == more


@pytest.mark.parametrize("words", [READING["show"], READING["best"]], ids=["show", "best"])
def test_a_document_is_pure(
    words: tuple[str, ...],
    sweep_dir: SweepDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Standard output holds one JSON document, whatever is damaged."""
    damage(sweep_dir, 1)
    program(*words, "--format=json")

    assert "toy" == json.loads(capsys.readouterr().out)["experiment"]


def test_many_damaged_files_are_counted(
    sweep_dir: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three are named, each once, and of the others is said how many they are."""
    files = damage(sweep_dir, 1, 2, 3, 4, 5)
    program("show", "toy")
    *named, more = capsys.readouterr().err.splitlines()

    assert 3 == len(named)
    assert all(str(file) in line for file, line in zip(files, named, strict=False))
    assert more.startswith("hparams_lab: and 2 more damaged; what is whole was read; for more: ")


def test_what_is_whole_is_read(
    sweep_dir: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose end is damaged keeps its points, and has no end."""
    damage(sweep_dir, 3)
    program("show", "toy", "--format=json", "--sort=trial")
    (run,) = json.loads(capsys.readouterr().out)["trials"][3]["runs"]

    assert ("RUNNING", 3 / 16) == (run["status"], run["metrics"]["accuracy"]["last"])


@pytest.mark.parametrize("ending", [Ending.COMPLETE, None], ids=["ended", "dead"])
def test_a_file_that_is_cut_short_is_damaged(
    ending: Ending | None,
    sweep_dir: SweepDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A last record without its rest is damage where nobody goes on writing it."""
    spec = make_spec(sweep_dir, {"units": 16, "rate": 0.25}, index=NUM_RUNS)
    write_run(spec, {"accuracy": [0.5]}, ending=ending)
    (file,) = spec.dir.event_files
    with file.open("ab") as torn:
        torn.write(file.read_bytes()[:20])
    program("show", "toy")

    assert f"damaged: {file}: its last record is cut short." in capsys.readouterr().err


def test_a_damaged_start_is_reported(
    sweep_dir: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of which nothing can be read is not in the table, and is said to be there."""
    (file,) = next(sweep_dir.find_run_dirs()).event_files
    file.write_bytes(b"x" * 100)
    program("show", "toy")
    told = capsys.readouterr()

    assert f"damaged: {file}: the length of the record at byte 0 is damaged." in told.err
    assert f"{NUM_RUNS - 1} trials" in told.out


@pytest.mark.parametrize("words", [*READING.values(), ("list",)], ids=[*READING, "list"])
def test_a_damaged_sweep_does_not_hide_another(
    words: tuple[str, ...],
    sweep_dir: SweepDir,
    program: Program,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the newest sweep cannot be read it is told, and the one before is the newest."""
    newest = add_sweep(ExperimentDir(sweep_dir.path.parent), make_sweep("2026-11-22_00-00-00"))
    newest.sweep_file.write_text("{")
    code = program(*words)
    told = capsys.readouterr()

    assert (0, words[0] == "diff") == (code, not told.err)
    assert words[0] == "diff" or f"damaged: {newest.sweep_file}: does not describe" in told.err


def test_a_damaged_sweep_that_is_named_is_an_error(
    sweep_dir: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing else was asked for, what is wrong is all that is said."""
    other = add_sweep(ExperimentDir(sweep_dir.path.parent), make_sweep(FRIDAY))
    other.sweep_file.write_text("{")

    assert 2 == program("show", "toy", FRIDAY)
    assert f"hparams_lab: {other.sweep_file} does not describe a sweep" in capsys.readouterr().err


def test_a_damaged_sweep_does_not_keep_another_from_being_launched(
    swept: Program, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The columns are those of the sweeps that can be read."""
    add_sweep(ExperimentDir(workplace / "logs" / "hill"), make_sweep(FRIDAY)).sweep_file.write_text(
        "{"
    )

    assert 0 == swept("run", "hill", "--executor=inline", "--set=kind=good")
    assert f"{FRIDAY}/sweep.json: does not describe a sweep" in capsys.readouterr().err


def test_the_doctor_tells_by_its_findings(
    sweep_dir: SweepDir, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """It points to no doctor, and prints nothing twice."""
    (file,) = damage(sweep_dir, 1)
    code = program("doctor", "toy")
    told = capsys.readouterr()

    assert (1, "") == (code, told.err)
    assert ("damaged file:" in told.out, file.name in told.out) == (True, True)


def test_a_notebook_is_reported(sweep_dir: SweepDir, caplog: pytest.LogCaptureFixture) -> None:
    """`lab.read_runs` logs one warning with the first files, and reads the others."""
    files = damage(sweep_dir, 0, 2, 4, 6)
    runs = lab.read_runs(sweep_dir.path.parent.parent)
    (record,) = caplog.records

    assert NUM_RUNS == len(runs)
    assert ("WARNING", True) == (record.levelname, str(files[0]) in record.getMessage())
    assert "So are 1 more." in record.getMessage()
