"""How a sweep looks while it runs: a bar on a real terminal, plain lines elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pexpect
import pytest

from hparams_lab.events.schema import Status
from tests.support.program import KILL_EXPERIMENTS, TIMEOUT_SECS, read_sweep, run_program, words_of

pytestmark = pytest.mark.slow

QUADRATIC = Path(__file__).parent.parent / "experiments" / "quadratic.py"


def run_on_terminal(words: list[str]) -> tuple[int | None, str]:
    """Run the program on a terminal of 120 columns; return its exit code and the screen's text."""
    terminal = pexpect.spawn(
        words[0], words[1:], encoding="utf-8", dimensions=(40, 120), timeout=TIMEOUT_SECS
    )
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.before)


@pytest.fixture(scope="module")
def quadratic(tmp_path_factory: pytest.TempPathFactory) -> tuple[int | None, str]:
    """A whole sweep on a terminal."""
    return run_on_terminal(words_of(QUADRATIC, tmp_path_factory.mktemp("logs")))


def test_terminal_has_a_bar_with_counts(quadratic: tuple[int | None, str]) -> None:
    """The bar counts the trials that have ended, up to all of them."""
    exit_code, text = quadratic

    assert 0 == exit_code
    assert re.search(r"━+ 18/18 ", text)


def test_bar_tells_the_best_so_far(quadratic: tuple[int | None, str]) -> None:
    """The bar ends with the best value of the sweep, which is not the last trial's."""
    assert "0" == re.findall(r"best loss (\S+)", quadratic[1])[-1]


def test_terminal_shows_the_table(quadratic: tuple[int | None, str]) -> None:
    """Below the bar stands the table of trials, and no traceback."""
    assert re.search(r"trial +loss +x +y +shape", quadratic[1])
    assert "Traceback" not in quadratic[1]


def test_bar_leaves_room_for_failures(tmp_path: Path) -> None:
    """A failed run is printed above the bar, which counts it."""
    settings = ["behaviour=fine_1,killed,fine_2"]
    words = words_of(KILL_EXPERIMENTS / "misbehaving.py", tmp_path, settings)
    exit_code, text = run_on_terminal(words)

    assert 1 == exit_code
    assert re.search(r"FAILURE 0001-\w+: the run was killed by SIGKILL", text)
    assert re.search(r"3/3 best loss 0\.5, 1 failed", text)


def test_bar_fits_a_narrow_terminal(tmp_path: Path) -> None:
    """On forty columns the sweep still runs to its end."""
    words = words_of(QUADRATIC, tmp_path)
    terminal = pexpect.spawn(words[0], words[1:], dimensions=(10, 40), timeout=TIMEOUT_SECS)
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert 0 == terminal.exitstatus


def test_pipe_has_a_plain_line_a_run(tmp_path: Path) -> None:
    """Where stdout is no terminal, each run is a line, without control characters."""
    done = run_program(words_of(QUADRATIC, tmp_path))

    assert "" == done.stderr
    assert "\x1b" not in done.stdout
    assert [f"{count:>2}" for count in range(1, 19)] == re.findall(
        r"^\[([ \d]+)/18\]", done.stdout, re.M
    )


def test_a_sweep_needs_no_streams(tmp_path: Path) -> None:
    """With stdin, stdout and stderr closed, as a daemon starts programs, a sweep runs as ever."""
    words = words_of(QUADRATIC, tmp_path)
    done = run_program(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *words])

    assert 0 == done.returncode
    assert {Status.SUCCESS} == {run.status for run in read_sweep(tmp_path)}


def test_a_sweep_goes_on_where_nothing_can_be_printed(tmp_path: Path) -> None:
    """A full disk behind stdout ends no sweep, and is told when that is over."""
    words = words_of(QUADRATIC, tmp_path)
    done = run_program(["sh", "-c", '"$@" > /dev/full', "sh", *words])

    assert (2, "hparams_lab: No space left on device. Make room.\n") == (
        done.returncode,
        done.stderr,
    )
    assert {Status.SUCCESS} == {run.status for run in read_sweep(tmp_path)}
