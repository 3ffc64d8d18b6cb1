"""`archive`, `restore` and `delete`, as they are typed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hparams_lab.cli.inputs.entries import format_bytes
from hparams_lab.logdir.layout import ExperimentDir, experiment_dir
from tests.cli.conftest import Program
from tests.support.factories import FRIDAY, SATURDAY, add_sweep, make_spec, make_sweep, write_run
from tests.support.oracle import count_configs, read_board

Say = Callable[..., str]


@pytest.fixture
def home(workplace: Path) -> ExperimentDir:
    """Two sweeps with accuracies of 0.1 to 0.4 on Friday, and of 0.5 and 0.6 on Saturday."""
    home = experiment_dir(workplace / "logs", "toy")
    accuracies = {FRIDAY: [0.1, 0.2, 0.3, 0.4], SATURDAY: [0.5, 0.6]}
    for sweep_id, values in accuracies.items():
        sweep_dir = add_sweep(home, make_sweep(sweep_id))
        for index, accuracy in enumerate(values):
            assignment = {"units": 8, "rate": 0.1 + accuracy / 2}
            write_run(make_spec(sweep_dir, assignment, index=index), {"accuracy": [accuracy]})
    return home


@pytest.fixture
def say(program: Program, home: ExperimentDir, capsys: pytest.CaptureFixture[str]) -> Say:
    """Calls the program with words that must succeed and returns what it prints."""

    def call(*words: str) -> str:
        assert 0 == program(*words)
        return capsys.readouterr().out

    return call


def list_trials(home: ExperimentDir) -> list[str]:
    """Return day and index of the trials there are."""
    return [f"{s.id[8:10]}/{path.name[:4]}" for s in home.find_sweeps() for path in s.trial_dirs]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["2026-11-20"], "21/0000 21/0001"),
        (["2026-11-21/0001", "2026-11-20"], "21/0000"),
        (["--older_than=2026-11-21"], "21/0000 21/0001"),
        (["--until=2026-11-20"], "21/0000 21/0001"),
        (["--keep_best=1"], "21/0001"),
        (["--keep_best=3"], "20/0003 21/0000 21/0001"),
        (["2026-11-20", "--keep_best=1"], "20/0003 21/0000 21/0001"),
        (["--where=accuracy < 0.25"], "20/0002 20/0003 21/0000 21/0001"),
        (["--where=accuracy < 0.45"], "21/0000 21/0001"),
        (
            ["--where=accuracy < 0.35", "--keep_best=1"],
            "20/0002 20/0003 21/0000 21/0001",
        ),
        (
            ["2026-11-20/0001", "--where=accuracy > 0.5"],
            "20/0000 20/0001 20/0002 20/0003 21/0000 21/0001",
        ),
        (["all", "--where=accuracy < 0.55", "--older_than=2026-11-21"], "21/0000 21/0001"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.parametrize("command", ["archive", "delete"])
def test_ids_and_criteria_choose_together(
    command: str, words: list[str], left: str, say: Say, home: ExperimentDir
) -> None:
    """What all ids and criteria agree on goes; a sweep whose trials all go, goes whole."""
    say(command, "toy", *words, *(["--yes"] if command == "delete" else []))

    assert left.split() == list_trials(home)
    assert len({trial[:2] for trial in left.split()}) == len(home.sweep_dirs)


def test_the_dashboard_forgets_archived_columns(say: Say, home: ExperimentDir) -> None:
    """TensorBoard shows no row and no column of an archived sweep, and all once it is back."""
    from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

    wide = make_sweep(
        "2026-11-22_00-00-00", hparams=[*make_sweep().space, HParam("depth", Discrete([1, 2]))]
    )
    sweep_dir = add_sweep(home, wide)
    write_run(make_spec(sweep_dir, {"units": 8, "rate": 0.2, "depth": 1}), {"accuracy": [0.9]})
    say("archive", "toy", "2026-11-22")
    without = read_board(home.path)
    say("restore", "toy", "2026-11-22")

    assert (6, False) == (len(without.trial_ids), "depth" in without.hparams)
    board = read_board(home.path)
    assert (7, True) == (len(board.trial_ids), "depth" in board.hparams)
    assert count_configs(home.path) == 1


def test_the_archive_is_a_log_directory(say: Say) -> None:
    """What is archived is shown by naming the archive as the log directory."""
    say("archive", "toy", "2026-11-20")

    assert "4 trials, 4 SUCCESS" in say("show", "toy", "--logdir=logs/.archive")


def test_restore_lists_what_is_archived(say: Say) -> None:
    """Without an id, `restore` says what could come back."""
    say("archive", "toy", "2026-11-20/0001")
    printed = say("restore", "toy")

    assert "toy: 1 run, " in printed
    assert FRIDAY in printed
    assert list(json.loads(say("restore", "toy", "--format=json"))) == ["experiment", "archived"]


def test_an_experiment_can_go_and_come_back_whole(say: Say, home: ExperimentDir) -> None:
    """Archived to the last sweep nothing is left in its place; `all` brings it back."""
    before = list_trials(home)
    say("archive", "toy", "all")
    assert not home.path.exists()
    say("restore", "toy", "all")

    assert before == list_trials(home)
    assert ["logs"] == [path.name for path in Path().iterdir() if path.name != "experiments"]
    assert [home.path] == [*home.path.parent.iterdir()]


@pytest.mark.parametrize("command", ["archive", "delete"])
def test_a_dry_run_changes_nothing(command: str, say: Say, home: ExperimentDir) -> None:
    """`--dry_run` says what would go, with its size, and asks nothing."""
    before = list_trials(home)
    printed = say(command, "toy", "all", "--dry_run")

    assert f"would {command} 6 runs, " in printed
    assert before == list_trials(home)
    assert [home.path] == [*home.path.parent.iterdir()]


def test_json_says_what_was_done(say: Say, home: ExperimentDir) -> None:
    """`--format=json` prints one document with ids, paths, targets and sizes."""
    printed = json.loads(say("archive", "toy", "2026-11-20/0001", "--format=json"))

    (entry,) = printed["entries"]
    assert ("archive", False, 1) == (printed["command"], printed["dry_run"], entry["num_runs"])
    assert Path(entry["target"]).is_dir()
    assert str(home.path) in entry["path"]


def test_delete_needs_a_yes(
    program: Program, home: ExperimentDir, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal nothing is deleted unless `--yes` says so."""
    before = list_trials(home)

    assert 2 == program("delete", "toy", "2026-11-20")
    assert "Add --yes" in capsys.readouterr().err
    assert before == list_trials(home)


class Terminal(io.StringIO):
    """A user who types."""

    def isatty(self) -> bool:
        """Say that somebody can be asked."""
        return True


@pytest.mark.parametrize(("typed", "num_left"), [("y\n", 2), ("yes\n", 2), ("\n", 6), ("no", 6)])
def test_delete_asks_on_a_terminal(
    typed: str,
    num_left: int,
    say: Say,
    home: ExperimentDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What would go is listed, and goes only if the user says yes."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    printed = say("delete", "toy", "2026-11-20")

    assert FRIDAY in printed
    assert num_left == len(list_trials(home))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["delete", "toy", "--yes"], "what is to go must be named"),
        (["archive", "toy", "../../etc"], "'toy' has no sweep '..'"),
        (["archive", "..", "all"], "no experiment begins with a dot"),
        (["archive", "toy", "--keep_best=0"], "--keep_best must be at least 1; got 0"),
        (["archive", "toy", "--older_than=soon"], "a time must be like 7d"),
        (["archive", "toy", "--where=acuracy > 1"], "Did you mean 'accuracy'"),
        (["restore", "toy"], "nothing of experiment 'toy' is archived"),
        (
            ["delete", "toy", "all", "--archived", "--yes"],
            "nothing of experiment 'toy' is archived",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_mistakes_are_reported(
    words: list[str],
    message: str,
    program: Program,
    home: ExperimentDir,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be obeyed is one sentence, and nothing is moved."""
    before = list_trials(home)

    assert 2 == program(*words)
    assert message in capsys.readouterr().err
    assert before == list_trials(home)


def test_nothing_old_enough_is_no_mistake(say: Say) -> None:
    """A criterion that nothing meets is answered, and the exit code is 0, as cron wants it."""
    assert say("archive", "toy", "--where=accuracy > 7") == (
        "nothing to archive: nothing matches\n"
    )


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (10**13, "10.0 TB")],
)
def test_sizes_are_short(num_bytes: int, text: str) -> None:
    """A size has at most one digit behind the point, and a unit."""
    assert text == format_bytes(num_bytes)
