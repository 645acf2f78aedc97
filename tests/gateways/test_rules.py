"""Rules as JSON lines say them, and as events tell them."""

from typing import Any

import numpy as np
import pytest

from engine.rules.params import param_key
from engine.trading.fields import RULE_PARAM_LIFTED, WHY_FIELDS
from engine.trading.instruments import Catalogue, Currency, Instrument, RefusedAtDoor
from engine.trading.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    EVENT,
    EventKind,
    Op,
    Reason,
    words_text,
)
from gateways.json_lines import CommandEncoder, EventFormatter, MalformedCommand
from gateways.json_lines.rules import RuleLabel

USD, XYZ = Currency(0, "USD", 2), Currency(1, "XYZ", 0)
KNOWN = Catalogue([USD, XYZ], [Instrument(0, "XYZ", XYZ, USD, 1, 2, 1, 0, 1)])
SOURCE = "00112233445566778899aabbccddeeff"
WORDS = np.frombuffer(bytes.fromhex(SOURCE), "<i8").tolist()
REGISTER = {"op": "rules", "act": "register", "source": SOURCE, "who": "ann", "why": "clips of five hundred"}
PARAM = {"op": "rules", "act": "param", "rule": "max_clip", "param": "max", "value": 7}


def encoded(fields: dict[str, Any]) -> Any:
    command = np.zeros(1, COMMAND)
    CommandEncoder(KNOWN).encode(fields, command[0])
    return command[0]


def told(kind: EventKind, **fields: Any) -> dict[str, Any]:
    event = np.zeros(1, EVENT)[0]
    event["kind"], event["instrument"] = kind, -1
    event["px"], event["qty"] = WORDS
    for name, value in fields.items():
        event[name] = value

    def labels_of(source: bytes) -> list[RuleLabel]:
        return [RuleLabel("max_clip", "MAX_CLIP")] if source.hex() == SOURCE else []

    made = EventFormatter(KNOWN, labels_of).fields(event)
    assert made is not None
    return made


@pytest.mark.parametrize("act", ["register", "activate"])
def test_a_set_is_named_by_its_hash_with_who_and_why(act: str) -> None:
    command = encoded(REGISTER | {"act": act})

    assert command["op"] == (Op.RULES_REGISTER if act == "register" else Op.RULES_ACTIVATE)
    assert [command["px"], command["qty"]] == WORDS
    assert command["instrument"] == ALL_INSTRUMENTS
    assert words_text(command["text"]) == b"ann"
    why = np.array([command[name] for name in WHY_FIELDS], "<i8").tobytes().rstrip(b"\0")
    assert why == b"clips of five hundred"


def test_no_set_and_the_one_before_need_no_hash() -> None:
    none, before = (
        encoded({"op": "rules", "act": act, **more})
        for act, more in (("activate", {"source": None}), ("rollback", {}))
    )

    assert (none["op"], none["px"], none["qty"]) == (Op.RULES_ACTIVATE, 0, 0)
    assert before["op"] == Op.RULES_ROLLBACK


def test_a_param_is_of_an_account_or_in_an_instrument() -> None:
    own, at, lifted = (
        encoded(PARAM | more) for more in ({"account": 3}, {"symbol": "XYZ"}, {"account": 3, "value": None})
    )

    assert own["op"] == Op.RULE_PARAM
    assert (own["px"], own["qty"]) == (param_key("max_clip", "max"), 7)
    assert (own["account"], own["instrument"]) == (3, ALL_INSTRUMENTS)
    assert (at["account"], at["instrument"]) == (0, 0)
    assert lifted["qty"] == RULE_PARAM_LIFTED


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"op": "rules"}, "act", "needs this field"),
        ({"op": "rules", "act": "activat"}, "act", "did you mean 'activate'"),
        (REGISTER | {"source": "abc"}, "source", "32 hexadecimal digits"),
        (REGISTER | {"source": "0" * 32}, "source", "32 hexadecimal digits"),
        (REGISTER | {"source": None}, "source", "needs this field"),
        ({"op": "rules", "act": "activate"}, "source", "needs this field"),
        (REGISTER | {"file": "clip.py"}, "file", "has no such field"),
        ({"op": "rules", "act": "rollback", "source": SOURCE}, "source", "has no such field"),
        (PARAM, "account", "give account or symbol"),
        (PARAM | {"account": 1, "symbol": "XYZ"}, "account", "give account or symbol"),
        ({name: PARAM[name] for name in PARAM if name != "value"} | {"account": 1}, "value", "or null"),
        (PARAM | {"account": 1, "value": "7"}, "value", "give a whole JSON number"),
    ],
)
def test_a_line_that_is_none_tells_field_and_mend(fields: dict[str, Any], field: str, detail: str) -> None:
    with pytest.raises(MalformedCommand) as raised:
        encoded(fields)

    assert raised.value.field == field
    assert detail in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"op": "rules", "act": "shadow"}, Reason.UNSUPPORTED, "act"),
        ({"op": "rules", "act": "canary"}, Reason.UNSUPPORTED, "act"),
        (PARAM | {"account": 1, "value": 10**12 + 1}, Reason.OUT_OF_RANGE, "value"),
        (REGISTER | {"why": "w" * 41}, Reason.INVALID_FIELD, "why"),
        (REGISTER | {"who": "w" * 25}, Reason.INVALID_FIELD, "who"),
        (PARAM | {"symbol": "NONE"}, Reason.UNKNOWN_SYMBOL, "symbol"),
    ],
)
def test_what_no_record_carries_is_refused_by_its_field(
    fields: dict[str, Any], reason: Reason, field: str
) -> None:
    with pytest.raises(RefusedAtDoor) as raised:
        encoded(fields)

    assert (raised.value.reason, raised.value.field) == (reason, field)


def test_a_refusal_names_the_rule_its_reason_and_its_fault() -> None:
    refused = told(EventKind.REJECTED, op=Op.NEW, reason=Reason.RULE, cum_qty=1, leaves_qty=1, account=2)
    unknown = told(EventKind.REJECTED, op=Op.REPLACE, reason=Reason.RULE, cum_qty=2, px=5)

    assert (refused["op"], refused["reason"]) == ("new", "rule")
    assert (refused["rule"], refused["rule_reason"], refused["rule_fault"]) == ("max_clip", "MAX_CLIP", True)
    assert (unknown["rule"], unknown["rule_reason"], unknown["rule_fault"]) == ("rule_2", None, False)


def test_an_event_about_sets_says_what_became_of_which() -> None:
    moved = told(EventKind.RULES, op=Op.RULES_ROLLBACK, status=3, cum_qty=2, leaves_qty=5, seq=9)
    none = told(EventKind.RULES, op=Op.RULES_ACTIVATE, status=2, px=0, qty=0, leaves_qty=5)

    assert moved == {
        **{"seq": 9, "event": "rules", "eng_ts": 0, "act": "rolled_back"},
        **{"set": 2, "source": SOURCE, "before": 5},
    }
    assert (none["act"], none["set"], none["source"]) == ("activated", None, None)
