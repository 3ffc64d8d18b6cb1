"""The flags of `run` for searches, repeats and budgets, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.logdir.layout import experiment_dir
from hparams_lab.runs.sweep import Sweep
from tests.cli.conftest import Program

Captured = pytest.CaptureFixture[str]

MISTAKES = {
    "search": ["--search=gird"],
    "endless": ["--search=random"],
    "sampler": ["--search=bayes", "--sampler=tpu", "--trials=2"],
    "no_sampler": ["--sampler=tpe"],
    "pruner": ["--pruner=medium"],
    "order": ["--search=one_at_a_time", "--order=y"],
    "passes": ["--search=one_at_a_time", "--passes=0"],
    "repeats": ["--repeats=0"],
    "folds": ["--folds=1"],
    "subset": ["--subset=2"],
    "racing": ["--racing"],
    "budget": ["--time_budget_secs=0"],
    "failures": ["--max_failures=0"],
    "trials": ["--trials=0"],
    "no_number": ["--repeats=two"],
    "set": ["--set=x=9"],
    "try": ["--try=x=9,kind=good"],
    "short_try": ["--try=x=1"],
    "empty_try": ["--try="],
    "try_form": ["--try=x"],
}


@pytest.mark.parametrize("words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(words: list[str], program: Program, capsys: Captured) -> None:
    """What cannot be obeyed is one line on stderr and exit code 2, and nothing is written."""
    assert 2 == program("run", "hill", "--executor=inline", *words)

    captured = capsys.readouterr()
    assert ("", 1) == (captured.out, captured.err.count("\n"))
    assert captured.err.startswith("hparams_lab: ")
    assert not Path("logs").exists()


def test_options_are_in_the_sweep_file(program: Program) -> None:
    """sweep.json says how the sweep was searched, repeated and begun."""
    program(
        *("run", "hill", "--executor=inline", "--search=random", "--trials=2", "--repeats=2"),
        *("--set=kind=good", "--try=x=1", "--pruner=median", "--min_budget=3"),
    )
    sweep = Sweep.read(experiment_dir("logs", "hill").find_sweeps()[0])

    assert ("random", 2, 2, 2) == (
        sweep.strategy,
        sweep.trial_limit,
        sweep.max_trials,
        sweep.repeats,
    )
    assert {"pruner": "median", "min_budget": 3} == sweep.search_options
    assert [{"x": 1.0, "kind": "good"}] == [dict(point) for point in sweep.tries]
    assert ("kind=good",) == sweep.settings


def test_a_line_names_the_run_of_a_trial(program: Program, capsys: Captured) -> None:
    """With repeats each line says which run it is of, out of all runs."""
    program("run", "hill", "--executor=inline", "--set=kind=good", "--trials=1", "--repeats=2")
    title, *lines = capsys.readouterr().out.splitlines()

    assert "1 trial of 2 runs, grid" in title
    assert ["[1/2]", "[2/2]"] == [line.split()[0] for line in lines[:2]]
    assert ["r00", "r01"] == [line.split()[1].rpartition("/")[2] for line in lines[:2]]


def test_show_has_mean_std_and_number(program: Program, capsys: Captured) -> None:
    """A metric of several runs is shown as mean ± std (n)."""
    words = ["--set=kind=good", "--set=x=1", "--repeats=3"]
    program("run", "hill", "--executor=inline", *words)
    capsys.readouterr()
    program("show", "hill")

    assert "2 ± 0 (3)" in capsys.readouterr().out


def test_a_sweep_that_was_stopped_says_so(program: Program, capsys: Captured) -> None:
    """After too many failures in a row the reason, the rest and `resume` are reported."""
    assert 1 == program("run", "hill", "--executor=inline", "--max_failures=1")

    printed = capsys.readouterr().out
    assert "stopped, as 1 run failed; 1 of 6 trials" in printed
    assert "  hparams_lab resume hill" in printed


def test_a_dry_run_shows_tries_first(program: Program, capsys: Captured) -> None:
    """`--dry_run` prints the points that would be run, each once, tries first."""
    program("run", "hill", "--dry_run", "--set=kind=good", "--try=x=0")

    printed = capsys.readouterr().out
    assert "3 trials, the first of them:" in printed
    assert ["x=0.0", "x=2.0", "x=4.0"] == [
        line.split()[0] for line in printed.splitlines() if line.endswith("kind=good")
    ]


def test_a_dry_run_tells_the_runs_of_a_trial(program: Program, capsys: Captured) -> None:
    """`--dry_run` says how many runs each trial would have."""
    program("run", "hill", "--dry_run", "--repeats=2", "--folds=3")

    assert "6 trials of 6 runs each, the first of them:" in capsys.readouterr().out


def test_reuse_runs_only_what_is_new(program: Program, capsys: Captured) -> None:
    """With `--reuse` a second sweep of the same code takes all of the first one over."""
    words = ("run", "hill", "--executor=inline", "--set=kind=good")
    program(*words)
    assert 0 == program(*words, "--reuse", "--repeats=1")

    capsys.readouterr()
    program("show", "hill", "all")
    assert "6 of 6 trials, 6 SUCCESS" in capsys.readouterr().out
