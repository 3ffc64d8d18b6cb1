"""Refits that come to nothing: what is refused, and what fails. Without Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.analysis.trials.pick import pick_trial
from hparams_lab.errors import ExperimentLoadError, HParamsLabError, UsageError
from hparams_lab.logdir.layout import ExperimentDir, RefitDir
from hparams_lab.refit.refit import Refit, RefitOptions, refit
from tests.conftest import PARABOLA, InlineLauncher, WriteModule

Again = Callable[..., Refit]


@pytest.fixture
def home(launch_inline: InlineLauncher) -> ExperimentDir:
    """The log directory of a parabola, swept once."""
    return launch_inline(PARABOLA)


@pytest.fixture
def output(tmp_path: Path) -> RefitDir:
    """Where the refits of a test go."""
    return RefitDir(tmp_path / "out" / "model")


@pytest.fixture
def again(home: ExperimentDir, output: RefitDir, write_module: WriteModule) -> Again:
    """Train the best trial again, with another module or other options."""

    def call(text: str = PARABOLA, *, notices: list[str] | None = None, **options: Any) -> Refit:
        pick = options.pop("pick", None) or pick_trial(home)
        told = [] if notices is None else notices
        keywords = {"output": output, "overwrite": False, "seed": 1, **options}
        return refit(write_module(text), pick, RefitOptions(**keywords), on_notice=told.append)

    return call


def edit(old: str, new: str) -> str:
    """Return the parabola's module with something else in it."""
    assert old in PARABOLA
    return PARABOLA.replace(old, new)


RETURN = 'return {"loss": (run.hparams["x"] - 1.0) ** 2}'


def test_a_model_is_needed(again: Again, output: RefitDir) -> None:
    """An experiment that trains no Keras model is told so, and nothing is left behind."""
    with pytest.raises(UsageError, match=r"'parabola' must train a Keras model .* it trained none"):
        again()

    assert [] == list(output.path.parent.iterdir())


def test_a_model_that_diverged_is_not_saved(again: Again, output: RefitDir) -> None:
    """Weights that are no numbers are no product, also where the sweep counts such runs."""
    lines = f"""import types, numpy
        weights = [numpy.array([1.0, math.nan])]
        run.keep_model(types.SimpleNamespace(get_weights=lambda: weights))
        {RETURN}"""
    with pytest.raises(UsageError, match="must leave finite weights to save; it diverged"):
        again(edit(RETURN, lines))

    assert [] == list(output.path.parent.iterdir())


def test_a_refit_stays_out_of_the_results(again: Again, home: ExperimentDir) -> None:
    """No event file is written or changed by a refit."""
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="Keras model"):
        again()

    assert before == {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}


def test_train_gets_the_trial_s_values_and_the_seed(again: Again, tmp_path: Path) -> None:
    """The best trial's values are trained with, and the seed that was asked for."""
    note = tmp_path / "note"
    lines = f"""import pathlib
        pathlib.Path({str(note)!r}).write_text(f"{{run.hparams['x']}} {{run.seed}}")
        {RETURN}"""
    with pytest.raises(UsageError, match="Keras model"):
        again(edit(RETURN, lines), seed=23)

    assert "1.0 23" == note.read_text()


def test_a_run_that_raises_is_no_refit(again: Again, output: RefitDir) -> None:
    """What train raises is the refit's failure, with the traceback in a file beside the output."""
    done = again(edit(RETURN, 'raise ValueError("too steep")'))

    assert "ValueError: too steep (module.py:9)" == done.failure
    assert "raise ValueError" in output.failure_file.read_text()
    assert [output.failure_file] == list(output.path.parent.iterdir())


def test_a_metric_that_is_amiss_is_a_failure(again: Again, output: RefitDir) -> None:
    """A result that breaks a rule fails the refit as it fails a run."""
    done = again(edit(RETURN, 'return {"loss": math.nan}'))

    assert "metric 'loss' must be finite; got nan" in done.failure
    assert f"{done.failure}\n" == output.failure_file.read_text()


def test_interrupting_leaves_nothing(again: Again, output: RefitDir) -> None:
    """Ctrl-C while training ends the refit, and no half of it is there."""
    with pytest.raises(KeyboardInterrupt):
        again(edit(RETURN, "raise KeyboardInterrupt"))

    assert [] == list(output.path.parent.iterdir())


def test_other_code_is_said(again: Again) -> None:
    """Code that has changed since the sweep is told in one line, the same code is not."""
    told: list[str] = []
    again(edit(RETURN, "1 / 0"), notices=told)
    assert ["the code has changed since the sweep: the model is of the new"] == told
    with pytest.raises(UsageError, match="Keras model"):
        again(notices=told)

    assert 1 == len(told)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_have_a_range(again: Again, seed: int) -> None:
    """A seed that not every generator takes is refused."""
    with pytest.raises(UsageError, match=rf"--seed must lie in \[0, 2\*\*31\); got {seed}"):
        again(seed=seed)


def test_an_earlier_refit_is_not_replaced(again: Again, output: RefitDir) -> None:
    """Where a refit is there, another one is refused before anything is trained."""
    output.path.mkdir(parents=True)
    output.model_file.write_text("model")
    output.card_file.write_text("card")
    with pytest.raises(UsageError, match=r"there is a refit in .*/model. Add --overwrite"):
        again()

    assert "model" == output.model_file.read_text()


def test_an_earlier_refit_outlives_a_failure(again: Again, output: RefitDir) -> None:
    """With --overwrite the earlier one is replaced by a whole one or not at all."""
    output.path.mkdir(parents=True)
    output.model_file.write_text("model")
    output.card_file.write_text("card")
    again(edit(RETURN, "1 / 0"), overwrite=True)

    assert "card" == output.card_file.read_text()


@pytest.mark.parametrize("overwrite", [False, True])
def test_nobody_s_folder_is_replaced(again: Again, output: RefitDir, overwrite: bool) -> None:
    """A folder with other files in it is not taken, whatever the flag."""
    output.path.mkdir(parents=True)
    (output.path / "thesis.tex").write_text("years")
    with pytest.raises(UsageError, match=r"must be a folder for the model alone; got .*/model"):
        again(overwrite=overwrite)

    assert "years" == (output.path / "thesis.tex").read_text()


def test_a_sweep_of_another_tool_is_refused(again: Again, home: ExperimentDir) -> None:
    """A sweep that was imported has no train function to call."""
    pick = pick_trial(home)
    with pytest.raises(UsageError, match="'parabola' was not run from an experiment's file"):
        again(pick=replace(pick, sweep=replace(pick.sweep, source="")))


def test_the_experiment_must_be_the_sweep_s(again: Again) -> None:
    """A file that declares another experiment is not trained in its place."""
    with pytest.raises(UsageError, match=r"must be the sweep's experiment 'parabola'; .* 'other'"):
        again(edit('name="parabola"', 'name="other"'))


def test_data_that_cannot_be_loaded_is_one_sentence(again: Again) -> None:
    """What load_data raises is told in one line, as for a sweep."""
    with pytest.raises(ExperimentLoadError, match="cannot load the data of experiment 'parabola'"):
        again(edit("train=train,", "train=train, load_data=lambda: 1 / 0,"))


def test_a_log_directory_that_cannot_be_written_is_one_sentence(
    home: ExperimentDir, write_module: WriteModule, tmp_path: Path
) -> None:
    """An output below a file is told in one line."""
    (tmp_path / "file").touch()
    options = RefitOptions(output=RefitDir(tmp_path / "file" / "model"), overwrite=False, seed=1)
    with pytest.raises(HParamsLabError, match=r"cannot write to .*/file"):
        refit(write_module(PARABOLA), pick_trial(home), options, on_notice=print)
