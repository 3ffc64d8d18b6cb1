"""Reading what may not be written, and what may not be read: the real program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.logdir.layout import ExperimentDir, SweepDir
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run
from tests.support.program import run_program
from tests.support.servers import read_url, running
from tests.support.storage_faults import on_read_only, without_rights

pytestmark = pytest.mark.slow

READING = {
    "list": ["list"],
    "show": ["show", "toy"],
    "best": ["best", "toy"],
    "compare": ["compare", "toy"],
    "effects": ["effects", "toy"],
    "export": ["export", "toy"],
    "diff": ["diff", f"{SATURDAY}/0000/r00", f"{SATURDAY}/0001/r00"],
}


@pytest.fixture
def home(tmp_path: Path) -> ExperimentDir:
    """Two sweeps of runs that all succeeded."""
    home = ExperimentDir(tmp_path / "logs" / "toy")
    for sweep_id in (FRIDAY, SATURDAY):
        sweep_dir = add_sweep(home, make_sweep(sweep_id))
        for index in range(8):
            spec = make_spec(sweep_dir, {"units": 8, "rate": (index + 1) / 16}, index=index)
            write_run(spec, {"accuracy": [0.25, index / 16], "loss": [0.5]})
    return home


def words_of(home: ExperimentDir, *words: str) -> list[str]:
    """Return a command line of the real program."""
    return [sys.executable, "-m", "hparams_lab", *words, f"--logdir={home.path.parent}"]


@pytest.mark.parametrize("words", READING.values(), ids=READING.keys())
def test_reading_writes_nothing(words: list[str], home: ExperimentDir) -> None:
    """Every reading command works on a read-only disk, in silence on stderr."""
    done = on_read_only(words_of(home, *words), home.path.parent)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("command", "flag"), [("plot", "--out="), ("report", "--html=")], ids=["plot", "report"]
)
def test_what_is_drawn_goes_elsewhere(
    command: str, flag: str, home: ExperimentDir, tmp_path: Path
) -> None:
    """Pictures and reports of what lies on a read-only disk are written where one says."""
    words = words_of(home, command, "toy", f"{flag}{tmp_path}/out.html")
    done = on_read_only(words, home.path.parent)

    assert (0, "") == (done.returncode, done.stderr)
    assert (tmp_path / "out.html").exists()


def test_a_board_is_refused_on_a_read_only_disk(home: ExperimentDir, tmp_path: Path) -> None:
    """What goes into the log directory itself is refused in one line."""
    words = words_of(home, "report", "toy", "--to_tensorboard", f"--html={tmp_path}/out.html")
    done = on_read_only(words, home.path.parent)

    assert (2, 1) == (done.returncode, done.stderr.count("\n"))
    assert "Read-only file system" in done.stderr


def test_the_doctor_examines_a_read_only_disk(home: ExperimentDir) -> None:
    """It finds what it would find otherwise, and says what it cannot mend."""
    done = on_read_only(words_of(home, "doctor", "--fix"), home.path.parent)

    assert (1, "") == (done.returncode, done.stderr)
    assert "not mended: " in done.stdout
    assert "Read-only file system" in done.stdout


def test_a_sweep_is_refused_on_a_read_only_disk(home: ExperimentDir, tmp_path: Path) -> None:
    """One line says why, before anything is loaded."""
    module = tmp_path / "broken.py"
    module.write_text('"""Never imported."""\nraise AssertionError\n')
    done = on_read_only(words_of(home, "run", str(module)), home.path.parent)

    assert (2, 1) == (done.returncode, done.stderr.count("\n"))
    assert f"{home.path.parent}: Read-only file system. Make it writable, or" in done.stderr


@pytest.mark.parametrize("words", [*READING.values(), ["doctor"]], ids=[*READING, "doctor"])
def test_directories_of_others_are_passed_over(words: list[str], home: ExperimentDir) -> None:
    """A trial and a sweep that may not be read hide nothing else, and are named."""
    friday, saturday = (SweepDir(home.path / sweep_id) for sweep_id in (FRIDAY, SATURDAY))
    friday.path.chmod(0)
    saturday.trial_dirs[-1].chmod(0)
    done = run_without_rights(words_of(home, *words))
    friday.path.chmod(0o755)
    hidden = saturday.trial_dirs[-1]
    hidden.chmod(0o755)

    assert (1 if words == ["doctor"] else 0) == done.returncode, done.stderr
    told = (done.stdout if words == ["doctor"] else done.stderr).replace("\n  ", " ")
    assert hidden.name in told or words == ["list"]
    assert "cannot be read: Permission denied." in told


def run_without_rights(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program that permissions bind, without a cache that knows more than it may read."""
    return run_program(without_rights(["env", "HPARAMS_LAB_CACHE_DIR=", *words]))


def test_an_event_file_of_others_is_named(home: ExperimentDir) -> None:
    """A file that may not be read is like a damaged one."""
    (file,) = next(SweepDir(home.path / SATURDAY).find_run_dirs()).event_files
    file.chmod(0)
    done = run_without_rights(words_of(home, "show", "toy"))

    assert 0 == done.returncode
    assert f"damaged: {file}: cannot be read: Permission denied." in done.stderr


def test_the_dashboard_names_damaged_files(home: ExperimentDir) -> None:
    """While it serves what is whole, it says which file is not."""
    (file,) = next(SweepDir(home.path / SATURDAY).find_run_dirs()).event_files
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(content)
    with running(words_of(home, "dashboard", "toy")) as process:
        read_url(process)
        assert process.stdout is not None
        told = next(line for line in process.stdout if "damaged" in line)

    assert f"damaged: {file}: the record at byte" in told
