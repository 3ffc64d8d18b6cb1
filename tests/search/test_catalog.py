"""The strategies by name, and which options each of them has."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from hparams_lab.declare.objective import Goal
from hparams_lab.errors import UsageError
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import STRATEGIES, make_strategy
from tests.support.spaces import EXAMPLES


def make(name: str, options: dict[str, Any] | None = None, *, space: str = "tutorial") -> Strategy:
    """Return a strategy over one of the example spaces."""
    options = options or {}
    return make_strategy(name, EXAMPLES[space], goal=Goal.MAXIMIZE, seed=3, options=options)


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_name_makes_a_strategy(name: str) -> None:
    """Each name of the catalog makes a new strategy over the space."""
    first, second = make(name), make(name)

    assert isinstance(first, Strategy)
    assert first is not second
    assert first.propose() == second.propose()


@pytest.mark.parametrize("name", ["random", "halton", "bayes", "hyperband", "asha"])
def test_another_seed_proposes_other_points(name: str) -> None:
    """The seed decides what is proposed."""
    seeds = (make_strategy(name, EXAMPLES["log"], goal=Goal.MAXIMIZE, seed=i) for i in range(5))

    assert 5 == len({strategy.propose() for strategy in seeds})


def test_a_misspelt_strategy_is_told_the_closest_name() -> None:
    """`--search=gird` is answered with `grid`."""
    with pytest.raises(UsageError, match=r"--search .*got 'gird'\. Did you mean 'grid'\?"):
        make("gird")


def test_an_unknown_strategy_is_told_the_choices() -> None:
    """A name like no other is answered with all names."""
    with pytest.raises(UsageError, match=r"got 'zzz'\. Name one of them"):
        make("zzz")


@pytest.mark.parametrize("name", ["hyperband", "asha"])
def test_early_stopping_searches_prune(name: str) -> None:
    """The verdicts of a search that stops runs are of interest to the runner."""
    assert make(name).traits.prunes


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in ("hyperband", "asha")])
@pytest.mark.parametrize("pruner", ["median", "asha", "hyperband"])
def test_every_other_search_takes_a_pruner(name: str, pruner: str) -> None:
    """`--pruner` makes a search stop runs; without it, no run is stopped."""
    assert make(name, {"pruner": pruner}).traits.prunes
    assert not make(name).traits.prunes


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "grid",
            {"sampler": "tpe"},
            "--sampler=tpe needs --search=bayes or .*; got --search=grid",
        ),
        ("asha", {"pruner": "median"}, "--pruner=median needs --search=.*; got --search=asha"),
        ("bayes", {"min_budget": 3}, "--min_budget .*--pruner.*got --min_budget=3"),
        ("bayes", {"pruner": "median", "reduction_factor": 3}, "--reduction_factor .*hyperband"),
        (
            "random",
            {"order": ("dropout",)},
            "--order=dropout needs .*Drop one of the two",
        ),
        ("random", {"passes": 3}, "--passes=3 needs --search=one_at_a_time; got --search=random"),
        ("bayes", {"sampler": "tpu"}, r"--sampler .*got 'tpu'\. Did you mean 'tpe'\?"),
        (
            "grid",
            {"pruner": "zzz"},
            "--pruner must be one of median, .*'zzz'. Name one",
        ),
        ("asha", {"min_budget": 0}, r"--min_budget must be at least 1; got 0\. Raise it"),
        ("asha", {"reduction_factor": 1}, "--reduction_factor must be at least 2; got 1"),
        ("one_at_a_time", {"passes": 0}, "--passes must be at least 1; got 0"),
        ("one_at_a_time", {"order": ("dropuot",)}, "'dropuot'.* Did you mean 'dropout'"),
        ("one_at_a_time", {"order": ("dropout", "dropout")}, "'dropout' again"),
    ],
    ids=lambda argument: argument if isinstance(argument, str) and " " not in argument else "",
)
def test_an_option_that_cannot_be_obeyed_is_refused(
    name: str, options: dict[str, object], message: str
) -> None:
    """An option that the search does not have, or out of range, is named with what to do."""
    with pytest.raises(UsageError, match=message):
        make(name, options)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_a_missing_package_is_told_with_its_command() -> None:
    """`--sampler=gp` without torch says what to install."""
    with pytest.raises(UsageError, match=r"--sampler=gp needs .*pip install 'hparams_lab\[gp\]'"):
        make("bayes", {"sampler": "gp"})


@pytest.mark.parametrize("module", ["optuna", "scipy"])
def test_a_grid_costs_no_heavy_import(module: str) -> None:
    """Neither Optuna nor SciPy is loaded for a search that does not need it."""
    program = (
        "import sys; from hparams_lab.search import catalog; "
        "from hparams_lab.declare.objective import Goal; "
        "from tests.support.spaces import EXAMPLES; "
        "catalog.make_strategy('grid', EXAMPLES['log'], goal=Goal.MINIMIZE, seed=0).propose(); "
        f"sys.exit({module!r} in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
