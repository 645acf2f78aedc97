"""Movements of money as JSON lines: deposit, withdraw and transfer, and what is told of them.

The ids are texts as client ids are, but whose they are is the account: whoever repeats one, through which
door or key whatever, is refused (exchange rules S4 and S20). So records carry the text and no hash of it.
"""

from collections.abc import Mapping
from typing import Any

from engine.trading.client_ids import canonical, text_bytes
from engine.trading.client_text import given_text
from engine.trading.instruments import Catalogue, RefusedAtDoor
from engine.trading.records import FEES, Op, Reason, text_words
from gateways.json_lines.fields import (
    MalformedCommand,
    known_currency,
    refuse_unknown_fields,
    required,
    whole,
)

OPS = {Op.DEPOSIT: "deposit", Op.WITHDRAW: "withdraw", Op.TRANSFER: "transfer"}
NAMES = frozenset(OPS.values())
FEES_NAME = "fees"
"""What stands in a transfer, and in an address, for the fee account of a currency."""

Fields = dict[str, Any]


def movement(catalogue: Catalogue, fields: Mapping[str, Any], op: Op) -> Fields:
    """Return the named fields of a DEPOSIT, WITHDRAW or TRANSFER record."""
    name = OPS[op]
    sides = ("from", "to") if op == Op.TRANSFER else ("account",)
    refuse_unknown_fields(fields, {"op", *sides, "currency", "amount", "id"}, name)
    if op == Op.TRANSFER:
        record: Fields = {"account": _side(fields, "from"), "order_id": _side(fields, "to")}
        if record["account"] == record["order_id"]:
            raise RefusedAtDoor(Reason.INVALID_FIELD, "to", fields["to"], "must be another one than `from`")
    else:
        record = {"account": whole(required(fields, "account"), "account")}
    currency = known_currency(catalogue, required(fields, "currency"), "currency")
    amount = currency.minor_units(required(fields, "amount"), "amount")
    if amount < 1:
        detail = "must be above zero; `withdraw` and `transfer` say which way the money goes"
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, "amount", fields["amount"], detail)
    return {"op": op, **record, "px": currency.currency_idx, "qty": amount, "text": _id_words(fields)}


def _side(fields: Mapping[str, Any], name: str) -> int:
    """Return the account of one side of a transfer, FEES of the fee account."""
    given = required(fields, name)
    if given == FEES_NAME:
        return FEES
    if isinstance(given, str):
        raise MalformedCommand(name, given, f'give the number of an account, or "{FEES_NAME}"')
    account = whole(given, name)
    if account < 1:
        detail = f'must be 1 or more; the fee account is "{FEES_NAME}"'
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, name, account, detail)
    return account


def _id_words(fields: Mapping[str, Any]) -> tuple[int, int, int]:
    given = required(fields, "id")
    if not isinstance(given, str):
        raise MalformedCommand("id", given, 'give a string such as "d-1"')
    return text_words(text_bytes(given, "id"))


def moved_fields(catalogue: Catalogue, event: Any) -> Fields:
    """Return the JSON object of a MOVED event; event : EventWords."""
    currency = catalogue.currencies[event.px]
    balance = currency.text(event.cum_qty)
    if event.op == Op.TRANSFER:
        sides: Fields = {"from": side_name(event.account), "to": side_name(event.maker_account)}
        balances = {"from_balance": balance, "to_balance": currency.text(event.leaves_qty)}
    else:
        sides, balances = {"account": event.account}, {"balance": balance}
    return {
        "seq": event.seq,
        "event": "moved",
        "eng_ts": event.eng_ts,
        "op": OPS.get(event.op),
        **sides,
        "currency": currency.code,
        "amount": currency.text(event.qty),
        **balances,
        "id": id_of(event),
    }


def id_of(event: Any) -> str | None:
    """Return the id of a movement's event; event : EventWords."""
    return given_text(event.text_0, event.text_1, event.text_2) or None


def given_movement_id(fields: Mapping[str, Any]) -> str | None:
    """Return the id that a line gave, in the one spelling of it; None where that is none."""
    given = fields.get("id")
    return canonical(given) if isinstance(given, str) else None


def side_name(account: int) -> int | str:
    """Return one side of a transfer as lines say it."""
    return FEES_NAME if account == FEES else account


def hide_sides(fields: Fields, accounts: frozenset[int]) -> None:
    """Make null, of a `moved`, the accounts that a reader of `accounts` may not see, and what they have."""
    for side, balance in (("account", "balance"), ("from", "from_balance"), ("to", "to_balance")):
        if side in fields and fields[side] not in accounts:
            fields[side] = fields[balance] = None
