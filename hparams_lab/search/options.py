"""Options that several searches have."""

from __future__ import annotations

from dataclasses import dataclass

from hparams_lab.catalog.option import Options, option
from hparams_lab.errors import UsageError

SAMPLERS = ("tpe", "gp", "cmaes", "random")
PRUNERS = ("median", "asha", "hyperband")
_HAVE_RUNGS = ("asha", "hyperband")

DEFAULT_REDUCTION_FACTOR = 3


@dataclass(frozen=True, kw_only=True)
class RungOptions(Options):
    """Options of a search that stops runs early."""

    min_budget: int | None = option(
        "values a run reports before it can be pruned", at_least=1, unset=1
    )
    reduction_factor: int | None = option(
        "of asha and hyperband", at_least=2, unset=DEFAULT_REDUCTION_FACTOR
    )


@dataclass(frozen=True, kw_only=True)
class PrunerOptions(RungOptions):
    """Options of a search whose runs a pruner may stop.

    Raises:
        UsageError: if an option is one of a pruner, and there is no such pruner.
    """

    pruner: str | None = option("stop poor runs early", choices=PRUNERS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_budget is not None and self.pruner is None:
            raise UsageError(
                f"--min_budget needs --pruner, or --search=hyperband or asha; got "
                f"--min_budget={self.min_budget} without. Drop it."
            )
        if self.reduction_factor is not None and self.pruner not in _HAVE_RUNGS:
            raise UsageError(
                f"--reduction_factor needs --pruner=asha or hyperband, or such a --search; got "
                f"--reduction_factor={self.reduction_factor} without. Drop it."
            )


@dataclass(frozen=True, kw_only=True)
class SamplerOptions(Options):
    """Options of a search that proposes by a sampler."""

    sampler: str | None = option(
        "what proposes in bayes, hyperband and asha", choices=SAMPLERS, unset=SAMPLERS[0]
    )
