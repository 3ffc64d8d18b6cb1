"""Contracts and fakes for the tests of those who add to hparams_lab.

A new strategy is tested by one subclass:

    class TestMySearch(StrategyContract):
        def make_strategy(self, space: SearchSpace) -> Strategy:
            return MySearch(space)

It needs the extra `test`. Nothing else in hparams_lab imports this package.
"""

from hparams_lab.testing.executors import ExecutorContract
from hparams_lab.testing.processes import ProcessExecutorContract
from hparams_lab.testing.strategies import StrategyContract
from hparams_lab.testing.writers import FakeRunWriter, ScalarSinkContract, make_run

__all__ = [
    "ExecutorContract",
    "FakeRunWriter",
    "ProcessExecutorContract",
    "ScalarSinkContract",
    "StrategyContract",
    "make_run",
]
