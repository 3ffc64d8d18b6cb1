"""`dashboard`: what it refuses, each in one sentence, before anything is served."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Program


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["hil"], "there is no experiment 'hil'"),
        (["hill", "hil"], "Did you mean 'hill'?"),
        (["hill", "--top=0"], "--top must be at least 1; got 0"),
        (["hill", "--max_runs=-1"], "--max_runs must be at least 0; got -1"),
        (["hill", "--since=yesteryear"], "got 'yesteryear'"),
        (["hill", "--where=height >"], "height >"),
        (["hill", "--where=hight > 1"], "Did you mean 'height'?"),
        (["hill", "--since=2100-01-01"], "--since=2100-01-01"),
        (["hill", "--port=70000"], "got 70000"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_impossible_dashboard_is_one_sentence(
    words: list[str], sentence: str, swept: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be shown is told in one line, with exit code 2."""
    assert 2 == swept("dashboard", *words)
    (line,) = capsys.readouterr().err.splitlines()

    assert sentence in line


def test_empty_logdir_is_one_sentence(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing is logged, the next thing to do is said."""
    assert 2 == program("dashboard")
    assert "Run: hparams_lab run NAME" in capsys.readouterr().err


def test_help_says_that_names_may_be_many(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any number of experiments may be named, also none."""
    assert 0 == program("dashboard", "--help")
    assert capsys.readouterr().out.startswith("hparams_lab dashboard [NAME ...] [flags]")
