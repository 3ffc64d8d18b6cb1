from __future__ import annotations

import shutil
from pathlib import Path

import optuna
import pytest

import hparams_lab as lab
from hparams_lab.cli.main import main
from hparams_lab.events.write.config import read_config
from hparams_lab.logdir.layout import experiment_dir
from tests.support.optuna_studies import make_study

EXPERIMENT = '''"""A file that happens to have the study's name."""
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, RealInterval

EXPERIMENT = lab.Experiment(
    name="toy", hparams=[HParam("x", RealInterval(-1.0, 1.0))], metrics=[Metric("value")],
    objective=lab.minimize("value"), train=lambda run: {"value": run.hparams["x"]},
)
'''


@pytest.fixture
def study() -> optuna.Study:
    """A study of one trial."""
    return make_study({"value": 0.25})


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study: optuna.Study) -> Path:
    """A working directory into which the study has been imported."""
    monkeypatch.chdir(tmp_path)
    lab.interop.optuna.import_study(study)
    return tmp_path


def call(*words: str) -> int:
    """Call the program and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(argv=list(words))
    return int(ended.value.code or 0)


def test_show_has_the_imported_trials(capsys: pytest.CaptureFixture[str]) -> None:
    """An imported sweep is shown by its name."""
    assert 0 == call("show", "toy")
    assert "1 of 1 trial, 1 SUCCESS" in capsys.readouterr().out


def test_best_claims_no_seed_and_no_replay(capsys: pytest.CaptureFixture[str]) -> None:
    """The best of an imported sweep says where it is from, and offers no command."""
    assert 0 == call("best", "toy")

    told = capsys.readouterr().out
    assert "imported from  optuna, study" in told
    assert "0.25" in told
    assert "replay:" not in told
    assert "run seed" not in told


@pytest.mark.parametrize("has_file", [False, True], ids=["no file", "a file of its name"])
def test_resume_refuses_an_imported_sweep(
    workplace: Path, capsys: pytest.CaptureFixture[str], has_file: bool
) -> None:
    """What was not run here cannot go on, whatever file bears its name."""
    if has_file:
        (workplace / "experiments").mkdir()
        (workplace / "experiments" / "toy.py").write_text(EXPERIMENT)

    assert 2 == call("resume", "toy")
    told = capsys.readouterr().err
    assert "imported or run from memory (optuna, study)" in told
    assert 1 == len(told.splitlines())


def test_sweeps_of_ours_and_imported_ones_share_a_board(workplace: Path) -> None:
    """A sweep that is run under the name of an imported one joins it, and neither is lost."""
    (workplace / "experiments").mkdir()
    (workplace / "experiments" / "toy.py").write_text(EXPERIMENT)

    assert 0 == call("run", "toy", "--executor=inline")
    home = experiment_dir("logs", "toy")
    assert 2 == len(home.find_sweeps())
    assert read_config(home) is not None


def test_importers_are_found_from_the_root() -> None:
    """`lab.interop` has each tool, and says so where it has not."""
    assert callable(lab.interop.sklearn.log_search)
    assert callable(lab.interop.keras_tuner.import_project)
    with pytest.raises(AttributeError, match="no attribute 'wandb'"):
        lab.interop.wandb  # noqa: B018 - naming it is what raises


def test_the_log_directory_can_be_moved(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was imported is read where it lies."""
    shutil.move(workplace / "logs", workplace / "elsewhere")

    assert 0 == call("best", "toy", "--logdir=elsewhere")
    assert "elsewhere" in capsys.readouterr().out
