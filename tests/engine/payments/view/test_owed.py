"""What the view tells of reversals that are owed: the eldest debts, and only what is durable."""

from engine.payments.forwarding import Processed
from engine.payments.records import Op
from engine.payments.view.counts import StateCounts
from engine.payments.view.live_view import LiveView
from tests.engine.payments.building import T0, Engine, command, forwarded, processed


def test_what_is_owed_comes_in_the_order_of_the_debts_up_to_a_seq_and_a_number() -> None:
    engine = Engine()
    view, counts = LiveView(engine.replica.state), StateCounts(engine.replica.state)
    payments = [int(engine.one(forwarded(number, T0))["payment"]) for number in range(4)]
    assert (counts.pending, counts.reversals_owed) == (4, 0)
    assert view.owed(2**62, 10) == ()
    order = [payments[place] for place in (2, 0, 3)]
    engine.tell(*(processed(payment, Processed.UNKNOWN) for payment in order))
    last = int(engine.s["seq"])

    assert (counts.pending, counts.reversals_owed) == (1, 3)
    assert view.owed(2**62, 10) == tuple(order)
    assert view.owed(2**62, 2) == tuple(order[:2])
    assert view.owed(last, 10) == tuple(order)
    assert view.owed(last - 1, 10) == tuple(order[:2])
    assert view.owed(last - 3, 10) == ()
    engine.tell(command(Op.CONFIRMED, payment=order[0]))
    assert view.owed(2**62, 10) == tuple(order[1:])
