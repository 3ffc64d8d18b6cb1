"""Identity: the ids of trials and the seeds of runs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hparams_lab.declare.assignment import Assignment
from hparams_lab.runs.trial import make_trial, run_seed, split_seed

POINT = Assignment({"units": 16, "rate": 0.5})
OTHER = Assignment({"units": 32, "rate": 0.5})


def test_an_id_is_the_index_and_the_digest() -> None:
    """The id is readable and the same for ever."""
    trial = make_trial(7, POINT)

    assert f"0007-{POINT.digest}" == trial.id
    assert (7, POINT) == (trial.index, trial.assignment)


@given(st.integers(1, 10**7))
def test_no_id_is_the_prefix_of_another(num_trials: int) -> None:
    """Ids of one sweep are equally long, distinct, and sort by index."""
    last = num_trials - 1
    indices = sorted({i for i in (0, 1, 9, 10, 9999, 10000, last) if i <= last})
    ids = [make_trial(i, Assignment({"i": i}), max_trials=num_trials).id for i in indices]

    assert sorted(set(ids)) == ids
    assert {len(ids[0])} == {len(trial_id) for trial_id in ids}
    assert all(re.fullmatch(r"\d{4,}-[0-9a-f]{8}", trial_id) for trial_id in ids)


@pytest.mark.parametrize("max_trials", [None, 1, 10_000], ids=repr)
def test_few_trials_have_four_digits(max_trials: int | None) -> None:
    """The index has at least four digits, so that most sweeps look alike."""
    assert make_trial(0, POINT, max_trials=max_trials).id.startswith("0000-")


def test_the_same_point_has_the_same_digest_in_another_sweep() -> None:
    """The second part of the id recognizes a point whatever its index."""
    first, second = make_trial(0, POINT), make_trial(7, POINT, max_trials=10**6)

    assert first.id.partition("-")[2] == second.id.partition("-")[2]
    assert first.id.partition("-")[2] != make_trial(0, OTHER).id.partition("-")[2]


SEEDS = st.integers(0, 2**64)
REPEATS = st.integers(0, 99)
FOLDS = st.none() | st.integers(0, 99)


@given(SEEDS, REPEATS, FOLDS)
def test_seeds_suit_every_generator(seed: int, repeat: int, fold: int | None) -> None:
    """Seeds lie in [0, 2**31), which Python, NumPy and TensorFlow all accept."""
    assert 0 <= run_seed(seed, POINT, repeat, fold) < 2**31
    assert 0 <= split_seed(seed, repeat) < 2**31


@pytest.mark.parametrize(
    "changed",
    [(1, POINT, 0, None), (0, OTHER, 0, None), (0, POINT, 1, None), (0, POINT, 0, 0)],
    ids=["sweep_seed", "assignment", "repeat", "fold"],
)
def test_a_run_seed_depends_on_each_part(
    changed: tuple[int, Assignment, int, int | None],
) -> None:
    """Another sweep seed, point, repeat or fold gives another seed."""
    assert run_seed(0, POINT, 0, None) != run_seed(*changed)


def test_folds_have_their_own_seeds() -> None:
    """No two of a hundred runs of a trial share a seed."""
    seeds = {run_seed(0, POINT, repeat, fold) for repeat in range(10) for fold in range(10)}

    assert len(seeds) == 100


def test_a_run_seed_does_not_depend_on_key_order() -> None:
    """The seed is a function of the point, not of the order of its keys."""
    turned = Assignment({"rate": 0.5, "units": 16})

    assert run_seed(3, POINT, 1, 2) == run_seed(3, turned, 1, 2)


def test_seeds_are_the_same_for_ever() -> None:
    """A replay in a year must give the same seeds."""
    assert (run_seed(0, POINT, 0, None), split_seed(0, 0)) == (1471318796, 506298499)


@pytest.mark.parametrize("changed", [(1, 0), (0, 1)], ids=["sweep_seed", "repeat"])
def test_a_split_seed_depends_on_sweep_and_repeat(changed: tuple[int, int]) -> None:
    """Data are split anew for another sweep seed and for each repeat."""
    assert split_seed(0, 0) != split_seed(*changed)
