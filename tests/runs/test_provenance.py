"""Where results come from: git, the code as it ran, versions and machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.provenance import (
    GitState,
    Provenance,
    collect_provenance,
    find_root,
    save_sources,
)
from hparams_lab.runs.sources import find_sources

EXPERIMENT = """import provenance_neighbour
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric
EXPERIMENT = lab.Experiment(
    name="toy", hparams=[HParam("x", Discrete([1]))], metrics=[Metric("loss")],
    objective=lab.minimize("loss"), train=len,
)
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git as a user of no configuration and return what it prints."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", *identity, "-c", "commit.gpgsign=false", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder outside any checkout, with an experiment and its neighbour."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "project of mine" / "experiments"
    folder.mkdir(parents=True)
    (folder / "toy.py").write_text(EXPERIMENT)
    (folder / "provenance_neighbour.py").write_text("SIZE = 3\n")
    return folder


@pytest.fixture
def checkout(outside: Path) -> Path:
    """Return the same folder, committed to a git checkout that begins above it."""
    git(outside.parent, "init", "-q", "-b", "main")
    git(outside.parent, "add", ".")
    git(outside.parent, "commit", "-q", "-m", "Add an experiment")
    return outside


@pytest.fixture
def sweep_dir(tmp_path: Path) -> SweepDir:
    """Return the empty directory of a sweep."""
    sweep_dir = SweepDir(tmp_path / "logs" / "toy" / "2026-11-21_07-34-05")
    sweep_dir.path.mkdir(parents=True)
    return sweep_dir


def read_git(folder: Path) -> GitState | None:
    """Return the git state of the two sources in a folder."""
    return collect_provenance([], [folder / "toy.py", folder / "provenance_neighbour.py"]).git


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    """Commit, branch and top folder are recorded, and nothing is marked."""
    state = read_git(checkout)
    commit = git(checkout, "rev-parse", "HEAD")

    assert GitState(str(checkout.parent), commit, "main", dirty=False) == state
    assert state is not None
    assert commit[:8] == state.label


@pytest.mark.parametrize("file", ["toy.py", "data.txt"], ids=["changed", "added"])
def test_a_changed_checkout_is_marked(file: str, checkout: Path) -> None:
    """A change that is not committed gives the label a plus."""
    (checkout / file).write_text("changed = True")
    git(checkout, "add", "-N", ".")
    state = read_git(checkout)

    assert state is not None
    assert state.dirty
    assert state.label == f"{state.commit[:8]}+"


def test_a_deleted_file_is_a_change(checkout: Path) -> None:
    """A tracked file that is gone marks the commit."""
    (checkout.parent / "notes.txt").write_text("")
    git(checkout.parent, "add", ".")
    git(checkout.parent, "commit", "-q", "-m", "Add notes")
    (checkout.parent / "notes.txt").unlink()
    state = read_git(checkout)

    assert state is not None
    assert state.dirty


@pytest.mark.parametrize("ignored", [False, True], ids=["untracked", "ignored"])
def test_a_source_that_git_does_not_track_is_a_change(ignored: bool, checkout: Path) -> None:
    """A commit does not tell the code of a source outside of it."""
    git(checkout, "rm", "-q", "--cached", "provenance_neighbour.py")
    git(checkout, "commit", "-q", "-m", "Forget a file")
    if ignored:
        (checkout.parent / ".git" / "info" / "exclude").write_text("provenance_neighbour.py\n")
    state = read_git(checkout)

    assert state is not None
    assert state.dirty


def test_other_untracked_files_are_no_change(checkout: Path) -> None:
    """Logs, notes and data beside the code do not mark the commit."""
    (checkout / "notes.txt").write_text("")
    state = read_git(checkout)

    assert state is not None
    assert not state.dirty


def test_a_detached_head_has_its_commit(checkout: Path) -> None:
    """Without a branch, the branch is HEAD."""
    git(checkout, "checkout", "-q", "--detach")
    state = read_git(checkout)

    assert state is not None
    assert (state.branch, state.dirty) == ("HEAD", False)


def test_outside_git_there_is_no_commit(outside: Path) -> None:
    """A folder that is no checkout has no git state, and its label says so."""
    provenance = collect_provenance([], [outside / "toy.py"])

    assert provenance.git is None
    assert provenance.commit_label == "none"


def test_without_a_commit_there_is_none(outside: Path) -> None:
    """A checkout without any commit is like none."""
    git(outside, "init", "-q")

    assert read_git(outside) is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git runs experiments all the same."""
    monkeypatch.setenv("PATH", "")

    assert read_git(checkout) is None


def test_command_versions_and_machine_are_taken_down(outside: Path) -> None:
    """What is needed to do it again is on the record, and survives JSON."""
    provenance = collect_provenance(["hparams_lab", "run", "toy"], [outside / "toy.py"])
    again = Provenance.decode_json(json.loads(json.dumps(provenance.encode_json())))

    assert provenance.command == ("hparams_lab", "run", "toy")
    assert str(Path.cwd()) == provenance.working_dir
    assert platform.python_version() == provenance.python
    assert {"hparams_lab", "tensorboard", "numpy"} <= {
        name.replace("-", "_") for name in provenance.versions
    }
    assert provenance == again


@pytest.fixture
def sources(outside: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return what is found as sources of the experiment once it is loaded."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("provenance_neighbour", "hparams_lab_experiment_toy"):
        monkeypatch.setitem(sys.modules, name, sys)  # so that it is forgotten afterwards
        del sys.modules[name]
    source = ExperimentSource(outside / "toy.py")
    source.load()
    return find_sources(source.path, find_root(source.path))


def test_the_sources_are_the_users_own(sources: list[Path], outside: Path) -> None:
    """The experiment comes first, then what it imports of its own; no library does."""
    assert [outside / "toy.py", outside / "provenance_neighbour.py"] == sources


def test_sources_outside_git_are_archived(sources: list[Path], sweep_dir: SweepDir) -> None:
    """The archive holds the experiment and its neighbour, bit for bit, and no diff is kept."""
    save_sources(sweep_dir, sources, None)
    with zipfile.ZipFile(sweep_dir.source_file()) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}

    assert {"toy.py", "provenance_neighbour.py"} == set(content)
    assert sources[0].read_bytes() == content["toy.py"]
    assert not sweep_dir.diff_file().exists()


def test_sources_in_git_keep_their_paths(checkout: Path, sweep_dir: SweepDir) -> None:
    """Paths in the archive are those of the checkout; a clean one has no diff."""
    paths = [checkout / "toy.py"]
    save_sources(sweep_dir, paths, read_git(checkout))

    assert ["experiments/toy.py"] == zipfile.ZipFile(sweep_dir.source_file()).namelist()
    assert not sweep_dir.diff_file().exists()


@pytest.mark.parametrize(
    "content",
    [b"SIZE = 4\n", b"# caf\xe9\nSIZE = 4\n", b"SIZE = 4\r\n", b"\0\1\2", "# größe\n".encode()],
    ids=["text", "latin-1", "crlf", "binary", "unicode"],
)
def test_the_diff_makes_the_commit_the_code(
    content: bytes, checkout: Path, sweep_dir: SweepDir
) -> None:
    """The kept diff, applied to the commit, gives back the files as they ran."""
    changed = checkout / "provenance_neighbour.py"
    changed.write_bytes(content)
    save_sources(sweep_dir, [changed], read_git(checkout))
    git(checkout, "checkout", "-q", "--", ".")
    assert content != changed.read_bytes()
    git(checkout.parent, "apply", "--whitespace=nowarn", str(sweep_dir.diff_file()))

    assert content == changed.read_bytes()


@pytest.mark.parametrize("setting", [("color.ui", "always"), ("diff.noprefix", "true")], ids=str)
def test_the_diff_does_not_depend_on_the_users_settings(
    setting: tuple[str, str], checkout: Path, sweep_dir: SweepDir
) -> None:
    """Colours and other tastes in the user's configuration stay out of the diff."""
    git(checkout, "config", *setting)
    (checkout / "toy.py").write_text("changed = True\n")
    save_sources(sweep_dir, [checkout / "toy.py"], read_git(checkout))
    lines = sweep_dir.diff_file().read_text().splitlines()

    assert "diff --git a/experiments/toy.py b/experiments/toy.py" == lines[0]
    assert "+changed = True" in lines
