from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam

from hparams_lab.analysis.trials.pick import pick_trial
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.refit.model_card import ModelCard, format_card
from hparams_lab.runs.provenance import GitState, Provenance
from tests.conftest import CheckGolden
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run

THEN = {"tensorflow": "2.20.0", "keras": "3.15.0", "numpy": "2.1.0"}
NOW = {**THEN, "tensorflow": "2.21.0", "other": "1"}


def make_card(folder: Path, *, values: dict[str, Any] | None = None, **changes: Any) -> ModelCard:
    """Return the card of a trial of two repeats."""
    values = values or {"units": 8, "rate": 0.25}
    hparams = [HParam(name, Discrete([value])) for name, value in values.items()]
    sweep = make_sweep(hparams=hparams, repeats=2)
    sweep = replace(sweep, provenance=replace(sweep.provenance, versions=THEN))
    home = ExperimentDir(folder / "toy")
    sweep_dir = add_sweep(home, sweep)
    spec = make_spec(sweep_dir, values)
    for repeat, accuracy in enumerate((0.5, 0.75)):
        run_dir = sweep_dir.run_dir(spec.dir.trial_id, repeat=repeat)
        write_run(replace(spec, dir=run_dir), {"accuracy": [accuracy], "loss": [0.5]})
    git = GitState(root="/somewhere", commit="89abcdef01", branch="main", dirty=True)
    card = ModelCard(
        question="How wide?",
        pick=pick_trial(home),
        made="2026-11-22T10:00:00+01:00",
        seed=17,
        trained_on=["all rows: (300, 4) float32"],
        data_digest="0123456789abcdef",
        values={"train/loss": 0.123456789, "accuracy": 0.875},
        provenance=Provenance(("refit",), "/", git, "3.11.7", NOW, "host", "Linux", 2),
        notices=["the code has changed since the sweep"],
        files=["`model.keras`: the whole model"],
        loading='import keras\n\nmodel = keras.models.load_model("model.keras")',
        repeating="hparams_lab refit toy",
    )
    return replace(card, **changes)


def test_the_card_is_as_it_was(tmp_path: Path, check_golden: CheckGolden) -> None:
    """The card says what the model is, what was measured, by which code, and how to load it."""
    check_golden("model_card.md", format_card(make_card(tmp_path)))


def test_data_without_a_digest_is_said(tmp_path: Path) -> None:
    """Where the data has no digest, the card does not show an empty one."""
    text = format_card(make_card(tmp_path, data_digest=""))

    assert "No digest of the data" in text
    assert "SHA-256" not in text


def test_what_is_empty_is_left_out(tmp_path: Path) -> None:
    """No question and no notice leave no empty lines behind."""
    text = format_card(make_card(tmp_path, question="", notices=[]))

    assert "\n\n\n" not in text
    assert text.startswith("# toy, trial 0000-")


@pytest.mark.parametrize("value", ["a|b", "*bold*", "`code`", "[link](x)", "<b>", "two\nlines"])
def test_values_are_no_markup(tmp_path: Path, value: str) -> None:
    """A value with a special character is still one cell that shows the value."""
    text = format_card(make_card(tmp_path, values={"kind": value}))

    (line,) = (line for line in text.splitlines() if line.startswith("| kind |"))
    shown = line.removeprefix("| kind | ").removesuffix(" |").replace("\\", "")
    assert value.replace("\n", " ") == shown
