"""How an experiment's module is read and imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource, Outline, format_error
from hparams_lab.errors import DeclarationError, ExperimentLoadError

MODULE = '''"""Which width is best?

More of it.
"""

import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

EXPERIMENT = lab.Experiment(
    name="digits",
    hparams=[HParam("units", Discrete([16, 32])), HParam("kind", Discrete(["a", "b", "c"]))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=lambda run: {"loss": 0.0},
)
'''

PRINT_DECLARATION = """
import json, sys
from pathlib import Path
from hparams_lab.declare.metric import encode_metric
from hparams_lab.declare.source import ExperimentSource
experiment = ExperimentSource(Path(sys.argv[1])).load()
print(json.dumps([
    experiment.name, experiment.description, experiment.space.encode_json(),
    [encode_metric(metric) for metric in experiment.metrics], str(experiment.objective),
]))
"""


def write_source(path: Path, text: str) -> ExperimentSource:
    """Write a module and return it as a source."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return ExperimentSource(path)


def test_a_module_is_loaded_by_its_file(project: Path) -> None:
    """The declaration of a file is returned."""
    experiment = write_source(project / "digits.py", MODULE).load()

    assert experiment.name == "digits"
    assert experiment.space.size == 6


def test_a_module_is_loaded_by_its_dotted_name(project: Path) -> None:
    """A source with a module name is imported by that name."""
    write_source(project / "questions" / "digits.py", MODULE)
    sys.path.insert(0, str(project))
    source = ExperimentSource(project / "questions" / "digits.py", module="questions.digits")

    assert source.load().name == "digits"
    assert str(source) == "questions.digits"
    assert "questions.digits" in sys.modules


@pytest.mark.parametrize("folder", ["a b", "it's", 'a"b', "größe", "a.b", "100%", "[x]"])
def test_odd_paths_are_loaded(folder: str, project: Path) -> None:
    """Spaces, quotes, dots and any script are fine in the path of a module."""
    source = write_source(project / folder / f"{folder} exp.py", MODULE)

    assert source.load().name == "digits"
    assert source.read_outline().name == "digits"


def test_a_module_finds_what_lies_beside_it(project: Path) -> None:
    """A module imports its neighbours, as `python FILE` lets it."""
    write_source(project / "apart" / "neighbour_of_digits.py", "SIZE = 32")
    text = f"import neighbour_of_digits\n{MODULE.replace('32', 'neighbour_of_digits.SIZE')}"
    experiment = write_source(project / "apart" / "digits.py", text).load()

    assert list(experiment.space["units"].levels) == [16, 32]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nimport no_such_module\n", r"ModuleNotFoundError: .*'no_such_module' \(bad.py:2\)"),
        ("\n1 / 0\n", r"ZeroDivisionError: division by zero \(bad\.py:2\)"),
        ("def f():\n    raise ValueError('a\\nb')\nf()\n", r"ValueError: a b \(bad\.py:2\)"),
        ("x = (\n", r"SyntaxError: .* \(.*bad\.py:1\)"),
        ("raise KeyError('units')", r"KeyError: 'units' \(bad\.py:1\)"),
        (
            "from tensorboard.plugins.hparams.summary_v2 import Discrete\n\nDiscrete([1, 'a'])\n",
            r"TypeError: dtype mismatch: not isinstance\('a', int\) \(bad\.py:3\)",
        ),
    ],
    ids=["import", "arithmetic", "two_lines", "syntax", "key", "tensorboard"],
)
def test_a_module_that_fails_is_told_in_one_line(text: str, message: str, project: Path) -> None:
    """The error names the exception and the line of the user's file."""
    source = write_source(project / "bad.py", text)
    with pytest.raises(ExperimentLoadError, match=message) as caught:
        source.load()

    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.__cause__ is not None
    assert "hparams_lab_experiment_bad" not in sys.modules


def test_an_error_with_a_note_is_still_named() -> None:
    """Notes that libraries add to an exception do not hide it."""
    error = ValueError("bad shape")
    error.__notes__ = ["while building layer 3"]

    assert "ValueError: bad shape" in format_error(error)


def test_a_long_message_is_cut() -> None:
    """Of megabytes in a message a line is told, the error's name and place included."""
    try:
        raise ValueError("shape " * 1_000_000)
    except ValueError as error:
        told = format_error(error)

    assert 1100 > len(told)
    assert re.fullmatch(r"ValueError: shape .*\.\.\. \(test_source\.py:\d+\)", told)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"must declare EXPERIMENT = lab\.Experiment\(\.\.\.\); it has none"),
        ("EXPERIMENT = 3", "it has 3"),
        ("EXPERIMENTS = []", "it has none"),
    ],
    ids=["empty", "other", "misspelt"],
)
def test_a_module_must_declare_an_experiment(text: str, message: str, project: Path) -> None:
    """A module without EXPERIMENT is told what to add."""
    with pytest.raises(ExperimentLoadError, match=f"{message}.*Add it at its end"):
        write_source(project / "empty.py", text).load()


def test_a_bad_declaration_keeps_its_problems(project: Path) -> None:
    """A DeclarationError passes through as it is, with all its problems."""
    source = write_source(
        project / "digits.py", MODULE.replace('minimize("loss")', 'minimize("x")')
    )
    with pytest.raises(DeclarationError, match=r"must be a declared metric \(loss\); got 'x'"):
        source.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MODULE, Outline("digits", "Which width is best?")),
        ("raise SystemExit('imported')\n", Outline("file", "")),
        ('"""Only a question?"""\n', Outline("file", "Only a question?")),
        ("from hparams_lab import Experiment\nE = Experiment(name='x')", Outline("x", "")),
        ("import lab\nNAME = 'y'\nE = lab.Experiment(name=NAME)", Outline("y", "")),
        ("import lab\nE = lab.Experiment(name=f())", Outline("file", "")),
        ("# -*- coding: latin-1 -*-\n", Outline("file", "")),
    ],
    ids=["module", "raises", "docstring", "direct", "constant", "computed_name", "coding"],
)
def test_an_outline_needs_no_import(text: str, expected: Outline, project: Path) -> None:
    """Name and question are read from the text; a name that is computed gives the file's."""
    source = write_source(project / "file.py", text)

    assert expected == source.read_outline()


@pytest.mark.parametrize("content", [b"x = (", b"\xff\xfe\x00", b"x = '\0'"], ids=repr)
def test_a_file_that_is_no_python_has_no_outline(content: bytes, project: Path) -> None:
    """A damaged file is one line of error."""
    path = project / "bad.py"
    path.write_bytes(content)
    with pytest.raises(ExperimentLoadError, match=r"cannot read .*bad\.py: .*\. Mend the file"):
        ExperimentSource(path).read_outline()


def test_a_missing_file_is_reported(project: Path) -> None:
    """A file that went away is an error of ours."""
    source = ExperimentSource(project / "gone.py")

    with pytest.raises(ExperimentLoadError, match=r"cannot read .*gone\.py"):
        source.read_outline()
    with pytest.raises(ExperimentLoadError, match=r"cannot import .*gone\.py"):
        source.load()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        'HParam("kind", Discrete({"a", "b", "c"}))',
        'lab.Axis(HParam("kind", Discrete(["a", "b", "c"])), grid={"a", "b", "c"})',
        'lab.Axis(HParam("k", Discrete([1])), when={"units": {16, 32}})',
    ],
    ids=["discrete_set", "grid_set", "condition_set"],
)
def test_a_module_is_equal_in_any_process(kind: str, project: Path) -> None:
    """Processes with other hash seeds read equal bytes from one declaration."""
    text = MODULE.replace('HParam("kind", Discrete(["a", "b", "c"]))', kind)
    path = write_source(project / "digits.py", text).path
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DECLARATION, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert kind in text
    assert len(outputs) == 1
