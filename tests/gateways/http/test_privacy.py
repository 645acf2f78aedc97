"""What an answer tells of others: order ids of either side, account, client id and fee of one's own alone."""

from typing import Any

import msgspec
import numpy as np
import pytest

from engine.trading.records import EVENT, EventKind, Role
from gateways.entry.principals import Principal
from gateways.entry.refusals import Refused
from gateways.entry.reports import Reports
from gateways.http.problems import problem_of
from gateways.json_lines.events import event_words, readable
from tests.gateways.http.test_session import send, told

ANN = Principal("ann", frozenset({1}), int(Role.TRADER), 21)
BOB = Principal("bob", frozenset({2}), int(Role.TRADER), 22)
PRIVATE = ("account", "client_order_id", "fee")


def side(trade: Any, name: Any) -> Any:
    return [trade[f"{name}_{each}"] for each in PRIVATE]


@pytest.fixture
def fees(door: Any) -> Any:
    """The door, with an instrument that charges either side."""
    line = {"op": "instrument", "symbol": "FEE", "base": "XYZ", "quote": "USD", "tick_size": "0.01"}
    door.ask({**line, "lot_size": "1", "maker_fee_ppm": 1000, "taker_fee_ppm": 2000}, door.operator)
    return door


def test_fill_tells_each_side_its_own(fees: Any, order: Any) -> None:
    maker, taker = fees.session(11, BOB), fees.session(12, ANN)
    send(maker, {"id": 1, **order(symbol="FEE", account=2, side="sell", client_order_id="m")})
    fees.turn()
    [resting] = told(maker)

    send(taker, {"id": 1, **order(symbol="FEE", client_order_id="t")})
    fees.turn()

    [report], [reply] = told(maker), told(taker)
    [fill] = reply["reply"]["fills"]
    assert side(fill, "taker") == [1, "t", "2.01"]
    assert side(fill, "maker") == [None, None, None]
    assert side(report["report"], "maker") == [2, "m", "1.005"]
    assert side(report["report"], "taker") == [None, None, None]
    for each in (fill, report["report"]):
        assert each["maker_order_id"] == resting["reply"]["order_id"]
        assert each["taker_order_id"] == reply["reply"]["order_id"]
        assert (each["price"], each["quantity"]) == ("10.05", "100")


def test_key_of_both_accounts_sees_both_sides(fees: Any, order: Any) -> None:
    fees.ask(order(symbol="FEE", account=2, side="sell", client_order_id="m"), BOB)

    reply = fees.ask(order(symbol="FEE", client_order_id="t"))

    fill = msgspec.json.decode(reply.fills[0])
    assert side(fill, "maker") == [2, "m", "1.005"]
    assert side(fill, "taker") == [1, "t", "2.01"]


def test_replace_that_trades_tells_as_little(fees: Any, order: Any) -> None:
    fees.ask(order(symbol="FEE", account=2, side="sell", client_order_id="m"), BOB)
    fees.ask(order(symbol="FEE", price="9", client_order_id="t"), ANN)

    reply = fees.ask({"op": "replace", "account": 1, "client_order_id": "t", "price": "10.05"}, ANN)

    assert side(msgspec.json.decode(reply.fills[0]), "maker") == [None, None, None]


def test_fill_is_told_to_everybody_as_it_may_be_whatever_was_told_before(fees: Any, order: Any) -> None:
    sessions = [fees.session(11, BOB), fees.session(12, fees.trader), fees.session(13, ANN)]
    for session, account in zip(sessions, (2, 2, 1), strict=True):
        send(session, {"id": 1, **order(symbol="FEE", account=account, side="sell", quantity="10")})
        fees.turn()
        told(session)

    reply = fees.ask(order(symbol="FEE", self_trade_prevention="none", quantity="30"), ANN)

    reports = [told(session)[0]["report"] for session in sessions]
    fills = [msgspec.json.decode(fill) for fill in reply.fills]
    accounts = [(each["maker_account"], each["taker_account"]) for each in (*reports, *fills)]
    assert accounts == [(2, None), (2, 1), (1, 1), (None, 1), (None, 1), (1, 1)]


def test_session_end_tells_an_operator_of_its_own_accounts_alone(door: Any, order: Any) -> None:
    for account in (1, 2):
        door.ask(order(account=account, time_in_force="day", client_order_id=f"of-{account}"))
    boss = Principal("boss-of-one", frozenset({1}), int(Role.OPERATOR), 24)

    reply = door.ask({"op": "session_end"}, boss)

    listed = [msgspec.json.decode(event) for event in reply.events]
    assert reply.cancelled_count == 2
    assert [(each["account"], each["client_order_id"]) for each in listed] == [(1, "of-1"), (None, None)]
    assert all(each["order_id"] for each in listed)


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.parametrize("name", ["", "maker_", "taker_"])
def test_no_kind_of_event_names_a_foreign_account(door: Any, kind: Any, name: Any) -> None:
    door.desk.refresh()
    fields = door.desk.reports.formatter.fields_of(next(event_words(between_two(kind))))
    if fields is None:
        assert kind is EventKind.DONE
        return

    seen = readable(dict(fields), frozenset({5}))

    for each in PRIVATE:
        assert seen.get(f"{name}{each}") is None
    assert {key: value for key, value in seen.items() if value is not None}.items() <= fields.items()
    assert readable(dict(fields), None) == fields
    assert readable(dict(fields), frozenset({1, 2})) == fields


def between_two(kind: Any) -> Any:
    """Return one EVENT of a kind between the accounts 1 and 2."""
    record = np.zeros(1, EVENT)
    for name, value in {
        **{
            "kind": kind,
            "account": 1,
            "maker_account": 2,
            "client_order_id": 11,
            "maker_client_order_id": 12,
        },
        **{"order_id": 3, "maker_order_id": 4, "fee": 5, "maker_fee": 6, "reason": 400, "status": 1},
    }.items():
        record[name] = value
    return record


def test_answer_without_a_reader_tells_of_nobody(door: Any) -> None:
    door.desk.refresh()
    reports = Reports(door.desk.reports.formatter)

    [event] = event_words(between_two(EventKind.TRADE))

    report: Any = reports.of(event, frozenset())

    fill = msgspec.json.decode(report)
    assert {fill[f"{name}_{each}"] for name in ("maker", "taker") for each in PRIVATE} == {None}


def test_foreign_order_is_refused_as_one_that_does_not_exist(door: Any, order: Any) -> None:
    foreign = door.ask(order(account=2, symbol="ABC", price="10.25", client_order_id="m"), BOB).order_id
    asked: list[dict[str, Any]] = [
        {"op": "cancel"},
        {"op": "cancel", "account": 1},
        {"op": "replace", "quantity": "5"},
        {"op": "replace", "account": 1},
        {"op": "replace", "account": 1, "quantity": "5"},
        {"op": "replace", "account": 1, "price": "10.26"},  # off the foreign order's tick
        {"op": "replace", "account": 1, "price": "x"},
    ]

    for fields in asked:
        there, nowhere = (answered(door, {**fields, "order_id": each}) for each in (foreign, 10**15))
        assert there == nowhere
        assert there.status == (400 if fields.get("price") == "x" else 404)
    assert door.ask({"op": "cancel", "account": 2, "client_order_id": "m"}, BOB).status == "cancelled"


def test_foreign_account_is_refused_alike_whether_it_exists_or_not(door: Any, order: Any) -> None:
    fields = [
        order(),
        {"op": "cancel", "order_id": 1},
        {"op": "mass_cancel"},
        {"op": "replace", "order_id": 1},
    ]

    for each in fields:
        there, nowhere = (answered(door, {**each, "account": account}) for account in (2, 999))
        assert (there.status, there.reason) == (403, "not_permitted")
        assert there.detail.replace("2", "999") == nowhere.detail


def answered(door: Any, fields: Any) -> Any:
    """Return the problem that ANN's command comes to, without the number it was given."""
    try:
        problem = door.ask(fields, ANN)
    except Refused as refused:
        problem = problem_of(refused.refusal)
    return msgspec.structs.replace(problem, seq=None)
