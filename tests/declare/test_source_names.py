"""How an experiment is found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource, find_source, list_sources
from hparams_lab.errors import HParamsLabError, UnknownExperimentError


@pytest.fixture
def folder(project: Path) -> Path:
    """Return `experiments/` with two experiments, one of which goes by another name."""
    folder = project / "experiments"
    folder.mkdir()
    (folder / "digits.py").write_text("EXPERIMENT = Experiment(name='digits')")
    (folder / "mnist.py").write_text("EXPERIMENT = lab.Experiment(name='mnist dense')")
    (folder / "_shared.py").write_text("")
    (folder / ".hidden.py").write_text("")
    (folder / "notes.txt").write_text("")
    return folder


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("digits", "digits.py"),
        ("mnist", "mnist.py"),
        ("mnist dense", "mnist.py"),
        ("experiments/digits.py", "digits.py"),
        ("./experiments/mnist.py", "mnist.py"),
    ],
)
def test_an_experiment_is_found(name: str, file: str, folder: Path) -> None:
    """An experiment goes by its file's name, its own name, or a path."""
    source = find_source(name)

    assert (folder / file).samefile(source.path)
    assert source.module is None


def test_an_experiment_is_found_by_an_absolute_path(folder: Path) -> None:
    """A full path is taken as it is."""
    assert ExperimentSource(folder / "digits.py") == find_source(str(folder / "digits.py"))


def test_an_experiment_is_found_by_a_dotted_name(project: Path) -> None:
    """A dotted name is a module below the working directory or installed."""
    (project / "questions").mkdir()
    (project / "questions" / "width.py").write_text("")
    expected = ExperimentSource(project / "questions" / "width.py", "questions.width")

    assert expected == find_source("questions.width")


def test_a_file_name_goes_before_a_declared_name(folder: Path) -> None:
    """A file that declares another file's name does not take its place."""
    (folder / "aaa.py").write_text("EXPERIMENT = Experiment(name='digits')")

    assert find_source("digits").path.name == "digits.py"


def test_a_file_that_cannot_be_read_hides_no_other(folder: Path) -> None:
    """A damaged module in the folder does not keep the others from being found."""
    (folder / "aaa.py").write_text("x = (")

    assert find_source("mnist dense").path.name == "mnist.py"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", r"no experiment 'digit' in .*experiments\. Did you mean 'digits'\?"),
        ("zzz", r"no experiment 'zzz' in .*experiments\. There are digits, mnist\."),
        ("experiments.zzz", r"no experiment 'experiments\.zzz'"),
        ("no_such_package.zzz", r"no experiment 'no_such_package\.zzz'"),
        ("..", r"no experiment '\.\.'"),
        ("experiments/zzz.py", r"there is no file .*zzz\.py\. Check the path"),
        ("_shared", "no experiment '_shared'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_an_unknown_name_is_told_what_there_is(name: str, message: str) -> None:
    """A name that is not found is answered with the closest, or with all."""
    with pytest.raises(UnknownExperimentError, match=message):
        find_source(name)


def test_without_a_folder_it_is_said_where_to_start(project: Path) -> None:
    """Outside a project, the error says which folder was looked for."""
    with pytest.raises(UnknownExperimentError, match="Start in the folder above experiments/"):
        find_source("digits", project)


def test_a_package_that_cannot_be_imported_is_reported(project: Path) -> None:
    """A package that raises when it is imported is an error of ours, not a traceback."""
    (project / "broken").mkdir()
    (project / "broken" / "__init__.py").write_text("1 / 0")
    (project / "broken" / "exp.py").write_text("")
    with pytest.raises(HParamsLabError, match="broken"):
        find_source("broken.exp")


def test_the_sources_are_listed_by_file_name(folder: Path) -> None:
    """Hidden and shared modules and other files are no experiments."""
    assert [folder / "digits.py", folder / "mnist.py"] == [
        source.path for source in list_sources(folder.parent)
    ]
    assert list_sources(folder) == []
