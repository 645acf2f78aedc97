"""The desk over the real kernel: who may ask for what, and what it comes to."""

from typing import Any

import msgspec
import pytest

from engine.trading.records import Role
from gateways.entry.outcome import CountReply, OrderReply
from gateways.entry.principals import Principal
from gateways.entry.refusals import Refused
from gateways.http.problems import OrderProblem, problem_of


def test_resting_order_is_answered_open(door: Any, order: Any) -> None:
    reply = door.ask(order(client_order_id=7))

    assert isinstance(reply, OrderReply)
    assert (reply.client_order_id, reply.status, reply.cum_quantity, reply.leaves_quantity) == (
        7,
        "open",
        "0",
        "100",
    )
    assert reply.fills == []
    assert reply.reason is None
    assert reply.order_id == reply.seq


def test_crossing_order_is_answered_with_its_fills(door: Any, order: Any) -> None:
    maker = door.ask(order(side="sell", account=2, quantity="60", client_order_id="m"))

    reply = door.ask(order(client_order_id="t", time_in_force="ioc"))

    assert (reply.status, reply.cum_quantity, reply.leaves_quantity) == ("cancelled", "60", "0")
    assert reply.reason == "ioc_remainder"
    [fill] = map(msgspec.json.decode, reply.fills)
    assert (fill["price"], fill["quantity"], fill["maker_order_id"]) == ("10.05", "60", maker.order_id)
    assert (fill["maker_client_order_id"], fill["taker_client_order_id"]) == ("m", "t")


def test_duplicate_says_where_the_original_stands(door: Any, order: Any) -> None:
    first = door.ask(order(client_order_id=7))

    again = door.ask(order(client_order_id=7))

    assert isinstance(again, OrderProblem)
    assert (again.status, again.reason, again.order_id) == (409, "duplicate", first.order_id)
    assert (again.order_status, again.cum_quantity, again.leaves_quantity) == ("open", "0", "100")


def test_cancel_by_client_id_and_by_order_id(door: Any, order: Any) -> None:
    door.ask(order(client_order_id="a"))
    second = door.ask(order(client_order_id="b"))

    by_client_id = door.ask({"op": "cancel", "account": 1, "client_order_id": "a"})
    by_order_id = door.ask({"op": "cancel", "order_id": second.order_id})

    for reply in (by_client_id, by_order_id):
        assert (reply.status, reply.leaves_quantity, reply.reason) == ("cancelled", "0", "user")


def test_cancel_of_unknown_order_is_404(door: Any) -> None:
    assert door.ask({"op": "cancel", "account": 1, "order_id": 999}).status == 404
    with pytest.raises(Refused) as refused:
        door.start({"op": "cancel", "order_id": 999})
    assert problem_of(refused.value.refusal).status == 404


def test_replace_counts_its_price_in_the_ticks_of_the_order(door: Any, order: Any) -> None:
    door.ask(order(client_order_id=5, symbol="ABC", price="10.25"))

    reply = door.ask({"op": "replace", "account": 1, "client_order_id": 5, "price": "10.5", "quantity": "80"})

    assert (reply.status, reply.leaves_quantity) == ("open", "80")
    book_px = door.gate.state()["hot"][0]["px"][0]
    assert book_px == 42


def test_replace_pipelined_behind_its_new_is_counted_right(door: Any, order: Any) -> None:
    door.start(order(client_order_id=5, symbol="ABC", price="10.25"))

    reply = door.ask({"op": "replace", "account": 1, "client_order_id": 5, "price": "10.5"})

    assert reply.status == "open"
    assert door.gate.state()["hot"][0]["px"][0] == 42


def test_replace_is_refused_while_two_instruments_claim_the_id(door: Any, order: Any) -> None:
    door.start(order(client_order_id=5, symbol="ABC", price="10.25"))
    door.start(order(client_order_id=5, symbol="XYZ"))

    with pytest.raises(Refused) as refused:
        door.start({"op": "replace", "account": 1, "client_order_id": 5, "price": "10.5"})

    assert problem_of(refused.value.refusal).status == 404


def test_replace_of_an_unknown_order_never_reaches_the_engine(door: Any) -> None:
    before = door.gate.applied_count

    with pytest.raises(Refused):
        door.ask({"op": "replace", "account": 1, "client_order_id": 5, "price": "10.5"})

    assert door.gate.applied_count == before


def test_mass_cancel_counts_and_lists(door: Any, order: Any) -> None:
    for _ in range(3):
        door.ask(order())
    door.ask(order(account=2))

    reply = door.ask({"op": "mass_cancel", "account": 1})

    assert isinstance(reply, CountReply)
    assert reply.cancelled_count == 3
    assert [msgspec.json.decode(event)["reason"] for event in reply.events] == ["mass"] * 3


@pytest.mark.parametrize(
    ("fields", "status", "reason", "field"),
    [
        ({"price": "10.055"}, 422, "off_tick", "price"),
        ({"quantity": "1.5"}, 422, "off_lot", "quantity"),
        ({"symbol": "NOPE"}, 422, "unknown_symbol", "symbol"),
        ({"price": "1" * 30}, 422, "out_of_range", "price"),
        ({"price": 10.05}, 400, "invalid_field", "price"),
        ({"side": "hold"}, 400, "malformed", "side"),
        ({"colour": "red"}, 400, "malformed", "colour"),
        ({"quantity": None}, 400, "malformed", "quantity"),
        ({"client_order_id": "x" * 25}, 400, "invalid_field", "client_order_id"),
        ({"client_order_id": 0}, 422, "invalid_client_order_id", "client_order_id"),
        ({"client_order_id": -1}, 422, "invalid_client_order_id", "client_order_id"),
        ({"client_order_id": 2**63}, 422, "out_of_range", "client_order_id"),
        ({"client_order_id": True}, 400, "malformed", "client_order_id"),
        ({"client_order_id": 7.0}, 400, "invalid_field", "client_order_id"),
        ({"account": "1"}, 400, "malformed", "account"),
    ],
)
def test_what_no_record_can_carry_is_refused_with_field_and_reason(
    door: Any, order: Any, fields: Any, status: Any, reason: Any, field: Any
) -> None:
    with pytest.raises(Refused) as refused:
        door.start(order(**fields))

    document = problem_of(refused.value.refusal)
    assert (document.status, document.reason, document.field) == (status, reason, field)


def test_foreign_account_and_missing_role_are_refused_at_the_door(door: Any, order: Any) -> None:
    viewer = Principal("vic", frozenset({1}), int(Role.VIEWER), 9)
    for fields, who in (
        (order(account=3), door.trader),
        (order(), viewer),
        ({"op": "session_end"}, door.trader),
    ):
        with pytest.raises(Refused) as refused:
            door.start(fields, who)
        assert problem_of(refused.value.refusal).status == 403


def test_rejection_by_the_engine_is_422_with_its_reason(door: Any, order: Any) -> None:
    problem = door.ask(order(quantity="0"))

    assert (problem.status, problem.reason) == (422, "invalid_quantity")
    assert problem.seq is not None


@pytest.mark.parametrize(
    ("fields", "reason", "field", "said"),
    [
        ({"price": None}, "invalid_price", "price", "the price is missing"),
        ({"price": "0"}, "invalid_price", "price", "above zero"),
        ({"type": "stop", "price": None, "stop_price": "11"}, "unsupported", "type", "type 'stop'"),
        ({"time_in_force": "gtd", "expires_at": 10**18}, "unsupported", "time_in_force", "'gtd'"),
        ({"reduce_only": True}, "reduce_only", None, "nothing left to close"),
        ({"display_quantity": "10"}, "unsupported", "display_quantity", "does not offer"),
        ({"expires_at": 10**18}, "invalid_expiry", "expires_at", "gtd"),
    ],
)
def test_rejection_names_the_field_that_was_asked_for(
    door: Any, order: Any, fields: Any, reason: Any, field: Any, said: Any
) -> None:
    problem = door.ask(order(**fields))

    assert (problem.reason, problem.field) == (reason, field)
    assert said in problem.detail


@pytest.mark.parametrize(
    ("price", "said"),
    [("1e400", "without exponent"), ("NaN", 'write it like "10.05"'), ("x", '"10.05"')],
)
def test_number_that_no_record_can_carry_is_refused_with_what_is_taken(
    door: Any, order: Any, price: Any, said: Any
) -> None:
    with pytest.raises(Refused, match=said):
        door.start(order(price=price))


@pytest.mark.parametrize("time", [1, 1_767_225_600, 1_767_225_600_000, 1_767_225_600_000_000, 10**17])
def test_expiry_in_another_unit_is_refused(door: Any, order: Any, time: int) -> None:
    with pytest.raises(Refused, match=f"expires_at {time}: .* give nanoseconds since 1970") as refused:
        door.start(order(time_in_force="gtd", expires_at=time))

    problem = problem_of(refused.value.refusal)
    assert (problem.status, problem.reason, problem.field) == (422, "invalid_expiry", "expires_at")


def test_instrument_made_through_the_door_is_known_at_once(door: Any, order: Any) -> None:
    line = {
        "op": "instrument",
        "symbol": "NEW",
        "base": "XYZ",
        "quote": "EUR",
        "tick_size": "1",
        "lot_size": "1",
    }

    made = door.ask(line, door.operator)  # brings the currency EUR with it
    reply = door.ask(order(symbol="NEW", price="10", account=2, side="sell"))

    assert made.op == "instrument"
    assert reply.status == "open"


def test_time_is_refused_since_the_worker_owns_the_clock(door: Any) -> None:
    with pytest.raises(Refused) as refused:
        door.start({"op": "time", "now": 5}, door.operator)

    assert problem_of(refused.value.refusal).reason == "unsupported"


def test_full_ring_is_answered_busy_and_nothing_is_published(door: Any, order: Any) -> None:
    door.gate.room = 1
    first, second = door.start(order(client_order_id=1)), door.start(order(client_order_id=2))

    door.turn()

    assert first[0].status == "open"
    assert (second[0].status, second[0].reason) == (503, "busy")
    door.gate.room = 10
    assert door.ask(order(client_order_id=2)).status == "open"


def test_published_and_unanswered_is_unknown_never_refused(door: Any, order: Any) -> None:
    door.gate.is_silent = True
    answers = door.start(order(client_order_id=1))
    door.turn()

    door.desk.dispatcher.now += 60.0
    door.desk.dispatcher.expire()

    assert (answers[0].status, answers[0].reason) == (504, "outcome_unknown")
    door.gate.is_silent = False
    assert door.ask(order(client_order_id=1)).reason == "duplicate"


def test_lapped_reader_answers_unknown_and_ends_the_sessions(door: Any, order: Any) -> None:
    session = door.session(11)
    door.gate.is_silent = True
    answers = door.start(order())
    door.turn()

    door.gate.laps += 1
    door.turn()

    assert answers[0].status == 504
    assert "lost" in session.ended_because


def test_session_end_that_finds_a_full_ring_is_told_later(door: Any) -> None:
    door.gate.room = 0
    door.desk.session_down(11)
    door.turn()
    door.gate.room = 10

    door.desk.retry_session_downs()
    door.desk.dispatcher.flush()

    assert [int(command[0]["session"]) for command in door.gate.submitted] == [11]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"quantity": "0"}, "quantity"), ({"price": "0"}, "price")],
)
def test_a_rejection_names_the_field_it_is_about(door: Any, order: Any, given: Any, field: Any) -> None:
    problem = door.ask(order(**given))

    assert problem.field == field
    assert "must be above zero" in problem.detail
