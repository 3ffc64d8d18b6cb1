"""Leases: one machine at a time runs a sweep, and a dead one's is taken over."""

from __future__ import annotations

import math

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.remote.lease import Leases
from hparams_lab.remote.store import Store
from tests.support.trees import SWEEP

LIVING = 1_000.0  # seconds from beat to beat: none is missed while a test runs
DEAD = 0.0


def _make(store: Store, machine: str, beat_secs: float = LIVING) -> Leases:
    return Leases(store, machine, beat_secs=beat_secs)


def test_a_sweep_is_reserved_once(store: Store) -> None:
    """Of two machines that begin a sweep in the same second, one gets the id."""
    assert [True, False] == [_make(store, name).reserve(SWEEP) for name in ("ours", "theirs")]


def test_an_id_that_was_used_is_not_reserved(store: Store) -> None:
    """A sweep that has ended within the second in which it began keeps its id."""
    store.write(f"{SWEEP}/sweep.json", b"{}")

    assert not _make(store, "theirs").reserve(SWEEP)
    assert [f"{SWEEP}/sweep.json"] == [*store.list()]


def test_what_is_reserved_is_held(store: Store) -> None:
    """Who has reserved a sweep runs it, and nobody else."""
    ours = _make(store, "ours")
    ours.reserve(SWEEP)
    ours.acquire(SWEEP)

    with pytest.raises(LogdirError, match=r"process \d+\) is running toy/2026"):
        _make(store, "theirs").acquire(SWEEP)


def test_what_is_released_is_free(store: Store) -> None:
    """A sweep that has ended can be resumed at once, on any machine."""
    ours = _make(store, "ours")
    ours.acquire(SWEEP)
    ours.release(SWEEP)
    _make(store, "theirs").acquire(SWEEP)

    with pytest.raises(LogdirError, match="one machine at a time"):
        ours.acquire(SWEEP)


def test_a_release_leaves_nothing(store: Store) -> None:
    """In the store nothing is left of leases that were given back, taken over or not."""
    _make(store, "ours").acquire(SWEEP)
    theirs = _make(store, "theirs", DEAD)
    theirs.acquire(SWEEP)
    theirs.acquire("toy/another")
    theirs.release_all()

    assert {} == store.list()


def test_a_dead_machines_sweep_is_taken_over(store: Store) -> None:
    """A lease that was not written for four beats is another's, once."""
    ours, theirs = _make(store, "ours"), _make(store, "theirs", DEAD)
    ours.acquire(SWEEP)
    theirs.acquire(SWEEP)

    assert [SWEEP] == ours.beat()
    assert [] == theirs.beat()
    assert [] == ours.beat()


def test_who_took_a_sweep_over_may_have_ended(store: Store) -> None:
    """A machine that wakes when another has finished its sweep has lost it all the same, once."""
    ours, theirs = _make(store, "ours"), _make(store, "theirs", DEAD)
    ours.acquire(SWEEP)
    theirs.acquire(SWEEP)
    theirs.release(SWEEP)

    assert [[SWEEP], []] == [ours.beat(), ours.beat()]
    assert {} == store.list()


def test_a_dead_process_of_this_machine_holds_nothing(store: Store) -> None:
    """Where the system's own lock was had, the lease of the same mirror is no obstacle."""
    _make(store, "ours").acquire(SWEEP)
    again = _make(store, "ours")
    again.acquire(SWEEP)

    assert [] == again.beat()


def test_a_beat_shows_life(store: Store) -> None:
    """At every beat the lease is written anew."""
    ours = _make(store, "ours")
    ours.acquire(SWEEP)
    before = store.list()
    ours.beat()

    assert before.keys() == store.list().keys()
    assert before != store.list()


def test_others_see_what_is_held(store: Store) -> None:
    """A sweep is held for those of other machines, as long as its lease is written."""
    ours = _make(store, "ours")
    ours.acquire(SWEEP)

    assert not ours.is_held(SWEEP)
    assert _make(store, "theirs").is_held(SWEEP)
    assert not _make(store, "theirs").is_held("toy/another")
    assert not _make(store, "theirs", DEAD).is_held(SWEEP)


def test_who_may_not_write_asks_its_own_clock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader without the right to write learns all the same what is held."""
    _make(store, "ours").acquire(SWEEP)
    monkeypatch.setattr(store, "write", _refuse)

    assert _make(store, "theirs").is_held(SWEEP)
    assert not _make(store, "theirs", -math.inf).is_held(SWEEP)


def _refuse(*arguments: object) -> None:
    raise LogdirError("read-only")
