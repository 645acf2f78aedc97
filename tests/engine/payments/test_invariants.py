"""Random commands over small tables: behind each few of them everything is whole, and money is conserved."""

from typing import Any

import pytest

from engine.payments.codes import Code
from engine.payments.records import EVENT, Decision, EventKind, Op
from tests.engine.payments.invariants import assert_whole, money
from tests.engine.payments.random_flow import Flow, begun

STEPS = 3_000
LOOK_EVERY = 100
PERMITTED = 5
"""The least captured of a hundred commands shows that the flow does more than decline."""


@pytest.mark.parametrize("seed", range(6))
def test_everything_is_whole_behind_random_commands(seed: int) -> None:
    engine, flow = begun(), Flow(seed)
    at_first = money(engine.s)
    moved = dict.fromkeys(at_first, 0)
    captured: dict[int, int] = {}
    for step in range(STEPS):
        for event in engine.tell(flow.next()):
            _follow(event, flow, moved, captured)
        if step % LOOK_EVERY == 0:
            assert_whole(engine.s)
            assert money(engine.s) == {name: at_first[name] + moved[name] for name in at_first}
    assert_whole(engine.s)
    assert len(captured) > PERMITTED
    assert engine.s["decided"] > STEPS // 3
    assert engine.s["card_table"]["early"] > 0


def _follow(event: Any, flow: Flow, moved: dict[int, int], captured: dict[int, int]) -> None:
    """Reckon from the events alone what has come into the balances, and what has left them."""
    assert event.dtype == EVENT
    payment = int(event["payment"])
    if event["kind"] == EventKind.DECIDED and event["decision"] in (Decision.APPROVE, Decision.REVIEW):
        flow.known.append(payment)
    currency = int(event["currency"])
    if event["kind"] == EventKind.DONE and event["op"] == Op.DEPOSIT and event["code"] == Code.OK:
        moved[currency] += 0 if event["replayed"] else int(event["amount"])
    if event["replayed"] or event["code"] in (Code.DUPLICATE, Code.NOT_FOUND):
        return
    if event["kind"] == EventKind.DECIDED and event["captured"] == 0:
        is_sale = event["state"] == 2
        now = int(event["approved_amount"]) if is_sale else 0
    elif event["kind"] == EventKind.MOVED and payment:
        now = int(event["captured"]) - int(event["refunded"])
    else:
        return
    if payment:
        moved[currency] -= now - captured.get(payment, 0)
        captured[payment] = now
