"""The real program trains the best trial again and saves its model; TensorBoard sees nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import json_format

from hparams_lab.logdir.layout import RefitDir, SweepDir
from tests.support.oracle import Board, read_board
from tests.support.program import TIMEOUT_SECS, find_sweep, read_sweep
from tests.support.resumption import words_for

pytestmark = pytest.mark.slow

MODULE = '''"""Which width suits a net that tells large sums?"""
import keras
import numpy as np
from tensorboard.plugins.hparams import api as hp
import hparams_lab as lab

HP_UNITS = hp.HParam("units", hp.Discrete([4, 8]))

def load_data():
    x = np.random.default_rng(0).random((300, 4)).astype("float32")
    return x, (x.sum(axis=1) > 2).astype("int32")

def train(run):
    x, y, *held_out = run.split(*run.data)
    layers = [keras.Input((4,)), keras.layers.Dense(run.hparams[HP_UNITS], "relu")]
    layers += [keras.layers.Dropout(0.1), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=3, callbacks=run.callbacks(), verbose=0)
    np.savez(run.dir / "last.npz", x=x, p=model.predict(x, verbose=0))
    loss, accuracy = model.evaluate(*held_out, verbose=0)
    return {"accuracy": accuracy, "loss": loss}

EXPERIMENT = lab.Experiment(
    name="toy",
    hparams=[HP_UNITS],
    metrics=[hp.Metric("accuracy"), hp.Metric("loss")],
    objective=lab.maximize("accuracy"),
    load_data=load_data,
    train=train,
)
'''


@dataclass(frozen=True)
class Told:
    """A refit, and what the program and TensorBoard had to say."""

    done: subprocess.CompletedProcess[str]
    refit: RefitDir
    sweep_dir: SweepDir
    before: Board
    path: Path
    logdir: Path


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder to its end."""
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECS, check=False
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Two trials of two folds, and the better of them trained again."""
    folder = tmp_path_factory.mktemp("refit")
    path, logdir = folder / "toy.py", folder / "logs"
    path.write_text(MODULE)
    swept = run(words_for("run", path, logdir, "--folds=2", "--workers=2"), folder)
    assert 0 == swept.returncode, swept.stderr
    before = read_board(logdir / "toy")
    done = run(words_for("refit", path, logdir), folder)
    assert 0 == done.returncode, done.stderr
    sweep_dir = find_sweep(logdir)
    assert sweep_dir is not None
    (card,) = sweep_dir.path.glob("*/refit/model_card.md")
    return Told(done, RefitDir(card.parent), sweep_dir, before, path, logdir)


def test_the_files_are_there(told: Told) -> None:
    """The refit holds both forms and the card, beside what train kept, and no half is left."""
    names = sorted(path.name for path in told.refit.path.iterdir())

    assert ["last.npz", "model.json", "model.keras", "model.weights.h5", "model_card.md"] == names
    assert [] == [path for path in told.logdir.rglob(".*") if path.name.startswith(".refit")]


def test_the_program_says_where(told: Told) -> None:
    """The program prints the directory and that the model comes back, and stderr stays empty."""
    assert str(told.refit.path) in told.done.stdout
    assert (
        "it predicts the same for 256 rows of the data: equal to the last bit" in told.done.stdout
    )
    assert "" == told.done.stderr


def test_tensorboard_shows_the_trial_as_before(told: Told) -> None:
    """A refit changes no row, no mean and no status."""
    now = read_board(told.logdir / "toy")

    rows = [
        sorted(map(json_format.MessageToJson, board.session_groups)) for board in (told.before, now)
    ]
    assert rows[0] == rows[1]
    assert 4 == len(now.statuses) == len(read_sweep(told.logdir))


def test_a_new_process_predicts_the_same(told: Told, tmp_path: Path) -> None:
    """Both forms, loaded elsewhere, predict to the last bit what the trained model predicted."""
    program = f"""import keras, numpy
whole = keras.models.load_model("model.keras")
parts = keras.models.model_from_json(open("model.json").read())
parts.load_weights("model.weights.h5")
x = numpy.load("last.npz")["x"]
numpy.save({str(tmp_path / "p.npy")!r}, [m.predict(x, verbose=0) for m in (whole, parts)])"""
    done = run([sys.executable, "-c", program], told.refit.path)
    assert 0 == done.returncode, done.stderr

    whole, parts = np.load(tmp_path / "p.npy")
    expected = np.load(told.refit.path / "last.npz")["p"]
    np.testing.assert_array_equal(expected, whole)
    np.testing.assert_array_equal(expected, parts)


def test_the_card_loads_the_model(told: Told) -> None:
    """The Python lines of the card are a program that loads the model."""
    card = told.refit.card_file.read_text()
    program = card.partition("```python\n")[2].partition("```")[0]
    done = run([sys.executable, "-c", f"{program}\nprint(model.count_params())"], told.refit.path)

    assert (0, True) == (done.returncode, int(done.stdout) > 20)


def test_the_card_says_what_it_was_trained_on(told: Told) -> None:
    """All rows were trained on, and the card has question, trial, seed and measurements."""
    card = told.refit.card_file.read_text()
    (trial_id,) = {told.refit.path.parent.name}
    first = next(record for record in read_sweep(told.logdir) if record.dir.trial_id == trial_id)

    assert "Which width suits a net that tells large sums?" in card
    assert "(300, 4) float32" in card
    assert f"| seed | {first.seed} |" in card
    assert f"| trial | {trial_id} of sweep {told.sweep_dir.id} |" in card
    assert " (2) |" in card  # mean ± std of two folds


@pytest.fixture(scope="module")
def again(told: Told, tmp_path_factory: pytest.TempPathFactory) -> RefitDir:
    """The same refit, in the place of an earlier one of somewhere else."""
    output = RefitDir(tmp_path_factory.mktemp("again") / "model")
    output.path.mkdir()
    for path in (output.card_file, output.model_file, output.path / "old"):
        path.touch()
    flags = [told.refit.path.parent.name, f"--output={output.path}", "--overwrite"]
    done = run(words_for("refit", told.path, told.logdir, *flags), told.path.parent)
    assert 0 == done.returncode, done.stderr
    return output


def test_the_same_refit_comes_out_the_same(told: Told, again: RefitDir) -> None:
    """The trial, named, is trained with the same seed to the same predictions."""
    one, other = (np.load(each.path / "last.npz")["p"] for each in (told.refit, again))

    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_overwriting_replaces_it_whole(again: RefitDir) -> None:
    """With --overwrite a new refit stands there, and nothing of the old or of the way."""
    assert again.card_file.read_text().startswith("# toy, trial 000")
    assert not (again.path / "old").exists()
    assert [again.path] == list(again.path.parent.iterdir())


def test_a_second_refit_is_refused_unless_asked_for(told: Told) -> None:
    """Exit code 2 and one line, and the first refit is untouched."""
    before = {path.name: path.stat().st_mtime_ns for path in told.refit.path.iterdir()}
    done = run(words_for("refit", told.path, told.logdir), told.path.parent)

    assert (2, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
    assert "there is a refit in" in done.stderr
    assert before == {path.name: path.stat().st_mtime_ns for path in told.refit.path.iterdir()}
