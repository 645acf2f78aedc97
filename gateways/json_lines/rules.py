"""Rules as JSON lines: sets registered, activated and taken back, params; what is told of them.

    {"op":"rules","act":"register","source":"6f0c..","who":"ann","why":"clips of 500"}
    {"op":"rules","act":"activate","source":"6f0c.."}       null: no set governs from then on
    {"op":"rules","act":"rollback"}                         the set that governed before
    {"op":"rules","act":"param","rule":"max_clip","param":"max","value":700,"account":1}    or "symbol"

A source is the hash, 32 hexadecimal digits, under which a data folder keeps the files of a set.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.rules.params import PARAM_MAX, PARAM_MIN, param_key
from engine.rules.stored import HASH_BYTES
from engine.trading.fields import RULE_PARAM_LIFTED, WHY_BYTES, WHY_FIELDS, RulesStatus
from engine.trading.instruments import Catalogue, RefusedAtDoor
from engine.trading.records import ALL_INSTRUMENTS, TEXT_BYTES, Op, Reason, text_words
from gateways.json_lines.fields import (
    MalformedCommand,
    did_you_mean,
    refuse_unknown_fields,
    required,
    text,
    whole,
)

ACTS = {
    "register": ("source", "who", "why"),
    "activate": ("source", "who", "why"),
    "rollback": ("who", "why"),
    "param": ("rule", "param", "value", "account", "symbol"),
}
TO_COME = ("shadow", "canary")
STATUS_NAMES = {int(status): status.name.lower() for status in RulesStatus}
WORD_BYTES = 8

Fields = dict[str, Any]


class RuleLabel(NamedTuple):
    """What a rule is called, and the reason that it gives."""

    name: str
    reason: str


LabelsOf = Callable[[bytes], Sequence[RuleLabel]]
"""Returns the labels of the rules of a set by its hash, in their order; none where nobody knows them."""


def no_labels(source: bytes) -> Sequence[RuleLabel]:
    """Return the labels of a set where there are no sources."""
    return ()


def rules_command(catalogue: Catalogue, fields: Mapping[str, Any]) -> Fields:
    """Return the named fields of the record of a `rules` line."""
    act = required(fields, "act")
    if act in TO_COME:
        raise RefusedAtDoor(Reason.UNSUPPORTED, "act", act, "not offered yet; activate and roll back")
    if not isinstance(act, str) or act not in ACTS:
        raise MalformedCommand("act", act, did_you_mean(act, ACTS))
    refuse_unknown_fields(fields, {"op", "act", *ACTS[act]}, f"rules {act}")
    if act == "param":
        return _param(catalogue, fields)
    record: Fields = {"instrument": ALL_INSTRUMENTS, "text": _who(fields), **_why(fields)}
    if act == "rollback":
        return {"op": Op.RULES_ROLLBACK, **record}
    if act == "activate" and "source" in fields and fields["source"] is None:
        return {"op": Op.RULES_ACTIVATE, **record}
    first, second = np.frombuffer(_source(required(fields, "source")), "<i8").tolist()
    op = Op.RULES_REGISTER if act == "register" else Op.RULES_ACTIVATE
    return {"op": op, "px": first, "qty": second, **record}


def _source(given: object) -> bytes:
    try:
        source = bytes.fromhex(given) if isinstance(given, str) else b""
    except ValueError:
        source = b""
    if len(source) != HASH_BYTES or not any(source):
        raise MalformedCommand(
            "source", given, f"give the hash of a set, {2 * HASH_BYTES} hexadecimal digits"
        )
    return source


def _who(fields: Mapping[str, Any]) -> tuple[int, int, int]:
    given = fields.get("who")
    return (0, 0, 0) if given is None else text_words(text(given, "who"))


def _why(fields: Mapping[str, Any]) -> Fields:
    given = fields.get("why")
    said = b"" if given is None else text(given, "why", WHY_BYTES)
    words = np.frombuffer(said.ljust(WHY_BYTES, b"\0"), "<i8").tolist()
    return dict(zip(WHY_FIELDS, words, strict=True))


def _param(catalogue: Catalogue, fields: Mapping[str, Any]) -> Fields:
    rule, param = (text(required(fields, name), name, 2 * TEXT_BYTES).decode() for name in ("rule", "param"))
    account, symbol = fields.get("account"), fields.get("symbol")
    if (account is None) == (symbol is None):
        raise MalformedCommand("account", account, "give account or symbol, one of them")
    if "value" not in fields:
        raise MalformedCommand("value", None, "give a whole number, or null for what the rule says itself")
    value = RULE_PARAM_LIFTED if fields["value"] is None else whole(fields["value"], "value")
    if fields["value"] is not None and not PARAM_MIN <= value <= PARAM_MAX:
        raise RefusedAtDoor(Reason.OUT_OF_RANGE, "value", value, f"must be {PARAM_MIN} to {PARAM_MAX}")
    record: Fields = {"op": Op.RULE_PARAM, "px": param_key(rule, param), "qty": value}
    if symbol is None:
        return {**record, "account": whole(account, "account"), "instrument": ALL_INSTRUMENTS}
    if not isinstance(symbol, str):
        raise MalformedCommand("symbol", symbol, "give a string")
    return {**record, "instrument": catalogue.instrument(symbol).instrument_idx}


def source_of(event: Any) -> bytes:
    """Return the hash of the set that an event names; event : EventWords. Zeros where it names none."""
    return np.array([event.px, event.qty], "<i8").tobytes()


def rules_fields(event: Any) -> Fields:
    """Return the JSON object of a RULES event; event : EventWords."""
    return {
        "seq": event.seq,
        "event": "rules",
        "eng_ts": event.eng_ts,
        "act": STATUS_NAMES.get(event.status),
        "set": event.cum_qty or None,
        "source": source_of(event).hex() if event.cum_qty else None,
        "before": event.leaves_qty or None,
    }


def refusing_rule(event: Any, labels_of: LabelsOf) -> Fields:
    """Return what a REJECTED by a rule tells of it; event : EventWords."""
    labels, number = labels_of(source_of(event)), event.cum_qty
    known = labels[number - 1] if 0 < number <= len(labels) else RuleLabel(f"rule_{number}", "")
    return {"rule": known.name, "rule_reason": known.reason or None, "rule_fault": event.leaves_qty != 0}
