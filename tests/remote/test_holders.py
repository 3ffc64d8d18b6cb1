"""Holders: one machine at a time runs a sweep, and another takes it over when it is asked to."""

from __future__ import annotations

import os
import socket

import pytest

from hparams_lab.errors import LogdirError
from hparams_lab.remote.holders import Holders
from hparams_lab.remote.store import Store
from tests.support.trees import SWEEP


def _make(store: Store, machine: str) -> Holders:
    return Holders(store, machine)


def test_a_holder_is_named_with_its_last_sign_of_life(store: Store) -> None:
    """Who may not have a sweep reads whose it is, when that was heard of, and what to do."""
    _make(store, "ours").acquire(SWEEP)

    sentence = (
        rf"{socket.gethostname()} \(process {os.getpid()}\) holds {SWEEP}; its last sign of life: "
        r"(unknown|\d{4}-\d\d-\d\d \S+)\. Stop it; if it is dead, .* --take_over"
    )
    with pytest.raises(LogdirError, match=sentence):
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
    theirs = _make(store, "theirs")
    theirs.acquire(SWEEP, take_over=True)
    theirs.acquire("toy/another")
    theirs.release_all()

    assert {} == store.list()


def test_a_sweep_that_is_taken_over_is_lost_once(store: Store) -> None:
    """Whoever held it finds out at its next beat, once; whoever took it over holds it."""
    ours, theirs = _make(store, "ours"), _make(store, "theirs")
    ours.acquire(SWEEP)
    theirs.acquire(SWEEP, take_over=True)

    assert [SWEEP] == ours.beat()
    assert [] == theirs.beat()
    assert [] == ours.beat()


def test_who_took_a_sweep_over_may_have_ended(store: Store) -> None:
    """A machine that wakes when another has finished its sweep has lost it all the same, once."""
    ours, theirs = _make(store, "ours"), _make(store, "theirs")
    ours.acquire(SWEEP)
    theirs.acquire(SWEEP, take_over=True)
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
    """A sweep is held for those of other machines, however long it has not been heard of."""
    ours = _make(store, "ours")
    ours.acquire(SWEEP)

    assert not ours.is_held(SWEEP)
    assert _make(store, "theirs").is_held(SWEEP)
    assert not _make(store, "theirs").is_held("toy/another")


def test_of_two_that_take_over_at_once_one_does(store: Store) -> None:
    """The next number is created by one machine only."""
    _make(store, "dead").acquire(SWEEP)
    first, second = _make(store, "first"), _make(store, "second")
    listed = second._find(SWEEP)  # as second saw it before first came
    first.acquire(SWEEP, take_over=True)
    second._find = lambda sweep: listed  # type: ignore[method-assign]

    with pytest.raises(LogdirError, match="another has just taken"):
        second.acquire(SWEEP, take_over=True)
