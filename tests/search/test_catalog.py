"""The strategies by name."""

from __future__ import annotations

import pytest

from hparams_lab.errors import UsageError
from hparams_lab.search.base import Strategy
from hparams_lab.search.catalog import STRATEGIES, make_strategy
from tests.spaces import EXAMPLES


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_name_makes_a_strategy(name: str) -> None:
    """Each name of the catalog makes a new strategy over the space."""
    first, second = (make_strategy(name, EXAMPLES["tutorial"]) for _ in range(2))

    assert isinstance(first, Strategy)
    assert first is not second
    assert first.propose() == second.propose()


def test_a_misspelt_strategy_is_told_the_closest_name() -> None:
    """`--search=gird` is answered with `grid`."""
    with pytest.raises(UsageError, match=r"--search .*got 'gird'\. Did you mean 'grid'\?"):
        make_strategy("gird", EXAMPLES["tutorial"])


def test_an_unknown_strategy_is_told_the_choices() -> None:
    """A name like no other is answered with all names."""
    with pytest.raises(UsageError, match=r"got 'zzz'\. Choose one of: .*grid"):
        make_strategy("zzz", EXAMPLES["tutorial"])
