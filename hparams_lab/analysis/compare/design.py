"""The values of two groups that are independent of each other.

    matched trials ─▶ observe ─▶ choose_design ─▶ Design ─▶ weigh ─▶ Significance

All trials of a sweep are judged on the same rows. What two groups have both been judged
on can be set side by side, run by run or fold by fold. Where the rows differ, they do for
all trials at once, and a split of the data is one value, however many trials it judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean
from typing import TypeVar

from hparams_lab.analysis.compare.pairs import Observation, Split
from hparams_lab.analysis.compare.significance import (
    Significance,
    corrected_paired_t,
    permutation_test,
    pooled_t,
)
from hparams_lab.stats.permutation import Block

# Values are logged with 24 bits. No more digits are kept than that, so that differences
# that should be equal are.
_NUM_BITS = 20

_Runs = list[Observation]
_Key = TypeVar("_Key", bound=Hashable)


class Unit(Enum):
    """What counts as one value."""

    RUN = "run"
    FOLD = "fold"
    SPLIT = "split"


@dataclass(frozen=True)
class Design:
    """Values of two groups."""

    unit: Unit = Unit.RUN  # what one value is: a run; a fold, or a split, averaged over the trials
    # runs that may be exchanged for each other, a fold side by side, or all splits
    blocks: Sequence[Block] = ()
    num_trials: int = 0  # matched trials whose runs they are
    num_folds: int | None = None  # of each repeat; None without folds
    num_used: int = 0  # runs that are in the values
    problem: str = ""  # why they show nothing; empty if they show something

    @property
    def is_identical(self) -> bool:
        """Whether there is but one value on both sides, wherever they can be set side by side."""
        return self.unit is not Unit.SPLIT and all(
            len({*block.before, *block.after}) == 1 for block in self.blocks
        )

    @property
    def num_pairs(self) -> int:
        """How many pairs hold as much information."""
        return int(sum(2 * block.weight for block in self.blocks))

    def weigh(self) -> Significance | None:
        """Return how sure the difference is; None where the values show nothing."""
        if self.problem:
            return None
        if self.unit is Unit.SPLIT:
            (block,) = self.blocks
            return pooled_t(block.before, block.after, num_folds=self.num_folds)
        if self.num_folds is None:
            return permutation_test(self.blocks)
        return corrected_paired_t(self._fold_differences, num_folds=self.num_folds)

    @property
    def _fold_differences(self) -> list[float]:
        """After minus before; equal where the bits that are kept are the same."""
        differences = [block.after[0] - block.before[0] for block in self.blocks]
        highest = max(
            abs(value) for block in self.blocks for value in (*block.before, *block.after)
        )
        if max(differences) - min(differences) <= math.ldexp(highest, 2 - _NUM_BITS):
            return [differences[0]] * len(differences)
        return differences


def choose_design(before: Sequence[Observation], after: Sequence[Observation]) -> Design:
    """Return the values by which two groups are compared.

    Args:
        before: runs of the matched trials in one group, oldest sweep first.
        after: those in the other one.
    """
    if not before or not after:
        return Design(problem="no point of the space was tried in full by both")
    executed = [{run.origin for run in side} for side in (before, after)]
    shared = executed[0] & executed[1]
    # A run that one group took over from the other says nothing of a change.
    sides = [[run for run in side if run.origin not in shared] for side in (before, after)]
    if not all(sides):
        return Design(problem="what both tried are one and the same runs, taken over")
    designs = {run.num_folds for run in sides[0]} & {run.num_folds for run in sides[1]}
    if not designs:
        return Design(problem=_tell_designs(*sides))
    # Where a group has several, the finest: most folds.
    num_folds = max(designs, key=lambda folds: folds or 0)
    before, after = ([run for run in side if run.num_folds == num_folds] for side in sides)
    if not {run.split for run in before} & {run.split for run in after}:
        return _average_splits(before, after, num_folds)
    if num_folds is None:
        return _block_runs(before, after)
    return _pair_folds(before, after, num_folds)


def _block_runs(before: Sequence[Observation], after: Sequence[Observation]) -> Design:
    """Put together runs of one trial and split: by seeds if both have the same, else all."""
    cells = [_gather(side, lambda run: (run.trial, run.split)) for side in (before, after)]
    blocks: list[Block] = []
    used: list[Observation] = []
    for key in (key for key in cells[0] if key in cells[1]):
        runs = cells[0][key], cells[1][key]
        # Runs of one seed are one experiment, done again.
        means = [
            {seed: _mean(same) for seed, same in _gather(side, lambda run: run.run_seed).items()}
            for side in runs
        ]
        if means[0].keys() == means[1].keys():
            blocks += [_make_block([value], [means[1][seed]]) for seed, value in means[0].items()]
        else:
            blocks.append(_make_block([*means[0].values()], [*means[1].values()]))
        used += [*runs[0], *runs[1]]
    if not blocks:
        return Design(problem="no point was tried by both on the same rows of the data")
    return Design(
        unit=Unit.RUN,
        blocks=blocks,
        num_trials=len({run.trial for run in used}),
        num_used=len(used),
    )


def _pair_folds(
    before: Sequence[Observation], after: Sequence[Observation], num_folds: int
) -> Design:
    """Average each fold that both were judged on over the trials judged on it."""
    cells = [_gather(side, lambda run: (run.split, run.trial)) for side in (before, after)]
    by_fold: dict[Split, list[tuple[int, _Runs, _Runs]]] = {}
    for (split, trial), runs in cells[0].items():
        if (split, trial) in cells[1]:
            by_fold.setdefault(split, []).append((trial, runs, cells[1][split, trial]))
    pairs = [pair for found in by_fold.values() for pair in found]
    if len(by_fold) < 2:
        return Design(problem="no point was tried by both on more than one of the same folds")
    return Design(
        unit=Unit.FOLD,
        blocks=[
            _make_block(
                [fmean(_mean(runs) for _, runs, _ in found)],
                [fmean(_mean(runs) for _, _, runs in found)],
            )
            for found in by_fold.values()
        ],
        num_trials=len({trial for trial, _, _ in pairs}),
        num_folds=num_folds,
        num_used=sum(len(one) + len(other) for _, one, other in pairs),
    )


def _average_splits(
    before: Sequence[Observation], after: Sequence[Observation], num_folds: int | None
) -> Design:
    """Average each split over the trials that were judged on all of them."""
    cells = [_gather(side, lambda run: (run.split, run.trial)) for side in (before, after)]
    splits = [list(dict.fromkeys(split for split, _ in side)) for side in cells]
    if len({split[0] is None for split in splits[0] + splits[1]}) > 1:
        return Design(problem=_ONE_CHOSE)
    trials = {
        run.trial
        for run in (*before, *after)
        if all((split, run.trial) in cells[side] for side in (0, 1) for split in splits[side])
    }
    if not trials:
        return Design(problem="no point was tried on each of the splits of the data")
    if num_folds is None and len(splits[0]) + len(splits[1]) < 3:
        return Design(problem=_tell_hold_outs(before, after))
    means = [
        [fmean(_mean(cells[side][split, trial]) for trial in trials) for split in found]
        for side, found in enumerate(splits)
    ]
    num_used = sum(run.trial in trials for run in (*before, *after))
    return Design(Unit.SPLIT, [_make_block(*means)], len(trials), num_folds, num_used)


def _gather(runs: Sequence[Observation], key: Callable[[Observation], _Key]) -> dict[_Key, _Runs]:
    found: dict[_Key, _Runs] = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found


def _mean(runs: _Runs) -> float:
    return runs[0].value if len(runs) == 1 else fmean(run.value for run in runs)


def _make_block(before: Sequence[float], after: Sequence[float]) -> Block:
    """Return the values without the noise in the last bits of what is logged."""
    quantum = math.ldexp(1.0, math.frexp(max(map(abs, (*before, *after))))[1] - _NUM_BITS)
    rounded = [[round(value / quantum) * quantum for value in side] for side in (before, after)]
    return Block(*rounded)


_ONE_CHOSE = (
    "only one of them took its rows from run.split, so it is not known whether both were "
    "judged on the same; log both with it"
)


def _tell_hold_outs(before: Sequence[Observation], after: Sequence[Observation]) -> str:
    seeds = [sorted({run.sweep_seed for run in side}) for side in (before, after)]
    if seeds[0] == seeds[1] or before[0].split[0] is None:
        return "judged on other data, and so perhaps on other rows; run both with --folds"
    return (
        f"judged on different hold-outs, of seeds {_join(seeds[0])} and {_join(seeds[1])}: run "
        f"again with --seed={seeds[0][0]}, or both with --folds"
    )


def _tell_designs(before: Sequence[Observation], after: Sequence[Observation]) -> str:
    sides = [
        _join(sorted({f"{run.num_folds} folds" if run.num_folds else "no folds" for run in side}))
        for side in (before, after)
    ]
    folds = [run.num_folds or 0 for run in (*before, *after)]
    return f"judged with {sides[0]} and with {sides[1]}: run both with --folds={max(folds)}"


def _join(words: Sequence[object]) -> str:
    return ", ".join(map(str, words))
