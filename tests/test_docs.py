"""The documents say what is so: links lead somewhere, examples run, commands exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hparams_lab.cli.command import COMMANDS
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.schema import Ending
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.options import LaunchOptions

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_COMMAND = re.compile(r"(?:^\$ |`)(hparams_lab [a-z][^`\n]*)", re.MULTILINE)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link of a document names a file or folder that exists."""
    links = [link for link in _LINK.findall(document.read_text()) if "://" not in link]

    assert [] == [link for link in links if not (document.parent / link).exists()]


def _commands() -> Iterator[str]:
    for document in DOCUMENTS:
        for command in _COMMAND.findall(document.read_text()):
            words = command.split()
            if words[1] in COMMANDS and (len(words) > 2 or words[1] == "list"):
                yield command


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_commands_are_understood(command: str) -> None:
    """Every command that a document shows has the words and flags that it shows."""
    _, name, *words = shlex.split(command)

    flags, _ = COMMANDS[name].parse(words)

    assert flags.is_parsed()


def test_the_readme_example_runs(tmp_path: Path) -> None:
    """The README's experiment runs as it stands: nine trials, none failed."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "bowl.py"
    path.write_text(block)
    options = LaunchOptions(logdir=tmp_path / "logs", executor="inline")

    result = launch(
        ExperimentSource(path),
        options,
    )

    assert {Ending.COMPLETE: 9} == result.endings


def test_ci_runs_the_readme_command() -> None:
    """CI finds the README's test command behind its mark."""
    mark = "<!-- test -->\n```\n"
    _, _, after = (ROOT / "README.md").read_text().partition(mark)

    assert after.startswith("pip install -e '.[test]' && pytest -n 2 --dist worksteal\n```")
    assert "<!-- test -->" in (ROOT / ".ci" / "run").read_text()
