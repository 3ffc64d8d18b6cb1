"""What a pull is to do, by what is there, here, and was agreed on."""

from __future__ import annotations

import pytest

from hparams_lab.remote.plan import TransferPlan, is_shared, plan_pull
from hparams_lab.remote.store import Object
from hparams_lab.remote.synced import Agreed, Stamp, SyncState
from tests.support.trees import RUN_FILE, SWEEP

OLD, NEW = Stamp(1, 1, 1), Stamp(2, 2, 2)
FILE = "toy/notes.txt"


def _plan(
    there: str | None, here: Stamp | None, agreed: str | None, *, heals: bool = True
) -> TransferPlan:
    state = SyncState({} if agreed is None else {FILE: Agreed(agreed, OLD)})
    objects = {} if there is None else {FILE: Object(there, 0, 0.0)}
    return plan_pull(objects, {} if here is None else {FILE: here}, state, heals=heals)


@pytest.mark.parametrize(
    ("there", "here", "agreed", "expected"),
    [
        pytest.param("a", OLD, "a", TransferPlan(), id="the-same"),
        pytest.param("a", NEW, "a", TransferPlan(), id="changed-here"),
        pytest.param("a", None, None, TransferPlan(wanted=[FILE]), id="new-there"),
        pytest.param("b", OLD, "a", TransferPlan(wanted=[FILE]), id="changed-there"),
        pytest.param("b", None, "a", TransferPlan(wanted=[FILE]), id="changed-there-missing-here"),
        pytest.param("a", None, "a", TransferPlan(wanted=[FILE]), id="missing-here"),
        pytest.param(
            "b", NEW, "a", TransferPlan(wanted=[FILE], disputed={FILE}), id="changed-on-both"
        ),
        pytest.param(
            "b", NEW, None, TransferPlan(wanted=[FILE], disputed={FILE}), id="new-on-both"
        ),
        pytest.param(None, OLD, "a", TransferPlan(gone=[FILE]), id="gone-there"),
        pytest.param(None, NEW, "a", TransferPlan(lost=[FILE]), id="gone-there-changed-here"),
        pytest.param(None, NEW, None, TransferPlan(), id="new-here"),
        pytest.param(None, None, "a", TransferPlan(), id="gone-on-both"),
    ],
)
def test_each_case_has_its_plan(
    there: str | None, here: Stamp | None, agreed: str | None, expected: TransferPlan
) -> None:
    """What is to be done follows from which side has changed since the two were the same."""
    assert expected == _plan(there, here, agreed)


def test_what_a_writer_may_have_removed_does_not_come_again() -> None:
    """While a process writes here, a missing file is its business."""
    assert TransferPlan() == _plan("a", None, "a", heals=False)


def test_what_is_to_go_there_does_not_come_here() -> None:
    """A removal that was not sent yet is not undone by a pull."""
    state = SyncState({FILE: Agreed("a", OLD)}, {FILE})

    assert TransferPlan() == plan_pull({FILE: Object("b", 0, 0.0)}, {}, state, heals=True)


@pytest.mark.parametrize("now", ["b", None], ids=["resumed", "removed"])
def test_a_sweep_that_another_machine_went_on_with_is_its_own(now: str | None) -> None:
    """What was written here into a sweep gives way once its sweep.json is another's."""
    sweep_file = f"{SWEEP}/sweep.json"
    state = SyncState({sweep_file: Agreed("a", OLD)})
    there = {} if now is None else {sweep_file: Object(now, 0, 0.0)}
    plan = plan_pull(there, {sweep_file: OLD, RUN_FILE: NEW}, state, heals=True)

    assert [RUN_FILE] == plan.lost


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (RUN_FILE, True),
        (f".archive/{RUN_FILE}", True),
        (f".trash/{RUN_FILE}", False),
        (f".leases/{SWEEP}/0001", False),
        (f"{SWEEP}/sweep.lock", False),
        (f"{SWEEP}/.sweep.json-0a1b.tmp", False),
    ],
)
def test_what_processes_need_for_themselves_stays_here(name: str, expected: bool) -> None:
    """Locks, leases, trash and files that are being written are no part of the log directory."""
    assert expected is is_shared(name)
