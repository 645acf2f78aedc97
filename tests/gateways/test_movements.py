"""Movements of money as JSON lines say them, and as events tell them (exchange rules S4 and S20)."""

from typing import Any

import numpy as np
import pytest

from engine.trading.instruments import Catalogue, Currency, RefusedAtDoor
from engine.trading.records import COMMAND, EVENT, FEES, EventKind, Op, Reason, text_words, words_text
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand, refused_event
from gateways.json_lines.events import readable

KNOWN = Catalogue([Currency(0, "USD", 2), Currency(1, "EUR", 4)], [])
DEPOSIT = {"op": "deposit", "account": 1, "currency": "USD", "amount": "100.00", "id": "d-1"}
TRANSFER = {"op": "transfer", "from": 1, "to": 2, "currency": "EUR", "amount": "5", "id": "t-1"}


def encoded(fields: dict[str, Any]) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN, owner="some key").encode(fields, command[0])
    return command[0]


def told(**fields: Any) -> dict[str, Any]:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["instrument"] = EventKind.MOVED, -1
    for name, value in fields.items():
        event[name] = value
    made = EventFormatter(KNOWN).fields(event)
    assert made is not None
    return made


@pytest.mark.parametrize("op", [Op.DEPOSIT, Op.WITHDRAW])
def test_a_deposit_and_a_withdrawal_say_whose_and_how_much(op: Op) -> None:
    command = encoded(DEPOSIT | {"op": op.name.lower()})

    assert (command["op"], command["account"], command["px"], command["qty"]) == (op, 1, 0, 10_000)
    assert words_text(command["text"]) == b"d-1"
    assert command["client_order_id"] == 0  # the account's id, whoever gave it


@pytest.mark.parametrize(
    ("sides", "source", "target"),
    [({}, 1, 2), ({"from": "fees"}, FEES, 2), ({"to": "fees"}, 1, FEES)],
)
def test_a_transfer_goes_from_somebody_to_somebody(sides: Any, source: int, target: int) -> None:
    command = encoded(TRANSFER | sides)

    assert (command["op"], command["account"], command["order_id"]) == (Op.TRANSFER, source, target)
    assert (command["px"], command["qty"]) == (1, 50_000)


def test_a_uuid_is_one_id_in_either_case() -> None:
    uuid = "5B1F00C4-0000-4000-8000-000000000000"

    assert encoded(DEPOSIT | {"id": uuid}) == encoded(DEPOSIT | {"id": uuid.lower()})


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        (DEPOSIT | {"amount": "0"}, Reason.OUT_OF_RANGE, "amount"),
        (DEPOSIT | {"amount": "-5"}, Reason.OUT_OF_RANGE, "amount"),
        (DEPOSIT | {"amount": "0.001"}, Reason.OUT_OF_RANGE, "amount"),
        (DEPOSIT | {"amount": "1" + "0" * 18}, Reason.OUT_OF_RANGE, "amount"),
        (DEPOSIT | {"amount": 1.5}, Reason.INVALID_FIELD, "amount"),
        (DEPOSIT | {"currency": "CHF"}, Reason.UNKNOWN_CURRENCY, "currency"),
        (DEPOSIT | {"id": ""}, Reason.INVALID_FIELD, "id"),
        (DEPOSIT | {"id": "x" * 25}, Reason.INVALID_FIELD, "id"),
        (DEPOSIT | {"id": "line\n"}, Reason.INVALID_FIELD, "id"),
        (DEPOSIT | {"account": 2**63}, Reason.OUT_OF_RANGE, "account"),
        (TRANSFER | {"to": 1}, Reason.INVALID_FIELD, "to"),
        (TRANSFER | {"from": "fees", "to": "fees"}, Reason.INVALID_FIELD, "to"),
        (TRANSFER | {"from": 0}, Reason.OUT_OF_RANGE, "from"),
        (TRANSFER | {"to": -1}, Reason.OUT_OF_RANGE, "to"),
    ],
)
def test_what_no_record_carries_is_refused_by_field_and_value(
    fields: dict[str, Any], reason: Reason, field: str
) -> None:
    with pytest.raises(RefusedAtDoor) as refused:
        encoded(fields)

    assert (refused.value.reason, refused.value.field) == (reason, field)
    assert refused_event(fields, refused.value, 7)["id"] == fields["id"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        *((DEPOSIT | {name: None}, name) for name in ("account", "currency", "amount", "id")),
        *((TRANSFER | {name: None}, name) for name in ("from", "to", "currency", "amount", "id")),
        (DEPOSIT | {"from": 2}, "from"),
        (TRANSFER | {"account": 2}, "account"),
        (DEPOSIT | {"account": "fees"}, "account"),
        (DEPOSIT | {"id": 7}, "id"),
        (DEPOSIT | {"currency": 7}, "currency"),
        (TRANSFER | {"to": "fee"}, "to"),
        (TRANSFER | {"from": True}, "from"),
    ],
)
def test_what_makes_no_sense_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedCommand) as fault:
        encoded(fields)

    assert fault.value.field == field


def test_a_movement_tells_what_is_there_then() -> None:
    text = text_words(b"d-1")

    assert told(op=Op.WITHDRAW, account=7, px=0, qty=150, cum_qty=-25, text=text) == {
        **{"seq": 0, "event": "moved", "eng_ts": 0, "op": "withdraw", "account": 7, "currency": "USD"},
        **{"amount": "1.5", "balance": "-0.25", "id": "d-1"},
    }
    assert told(
        op=Op.TRANSFER, account=FEES, maker_account=7, px=1, qty=1, cum_qty=2, leaves_qty=3, text=text
    ) == {
        **{"seq": 0, "event": "moved", "eng_ts": 0, "op": "transfer", "from": "fees", "to": 7},
        **{"currency": "EUR", "amount": "0.0001", "from_balance": "0.0002", "to_balance": "0.0003"},
        "id": "d-1",
    }


def test_a_reader_sees_the_sides_that_are_its_own() -> None:
    transfer = told(op=Op.TRANSFER, account=1, maker_account=2, px=0, qty=1, cum_qty=2, leaves_qty=3)
    deposit = told(op=Op.DEPOSIT, account=1, px=0, qty=1, cum_qty=2)

    seen = readable(dict(transfer), frozenset({2}))
    assert (seen["from"], seen["from_balance"], seen["to"], seen["to_balance"]) == (None, None, 2, "0.03")
    seen = readable(dict(deposit), frozenset({2}))
    assert (seen["account"], seen["balance"], seen["amount"]) == (None, None, "0.01")
    assert readable(dict(transfer), None) == transfer
    assert readable(dict(deposit), frozenset({1})) == deposit


@pytest.mark.parametrize("original", [0, 41])
def test_a_refused_movement_tells_its_id_and_the_original(original: int) -> None:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["op"], event["account"] = EventKind.REJECTED, Op.TRANSFER, 3
    event["instrument"], event["text"], event["order_id"] = -1, text_words(b"t-1"), original
    event["reason"] = Reason.DUPLICATE if original else Reason.OVERFLOW

    made = EventFormatter(KNOWN).fields(event)

    assert made is not None
    assert (made["account"], made["client_order_id"], made["id"]) == (3, None, "t-1")
    assert made.get("original_seq") == (original or None)
    assert "order_id" not in made
