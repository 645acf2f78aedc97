"""Replies of the engine's side: an event, or a refusal for form, as the document that is answered."""

from typing import Any

from engine.payments.codes import BY_NUMBER, ISO_CODES
from engine.payments.currencies import LETTERS
from engine.payments.records import FIELD_NAMES, RULES, Decision, Field, State

Reply = dict[str, Any]
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DECISIONS: dict[int, str | None] = {0: None, **{each: each.name for each in Decision}}
STATES: dict[int, str | None] = {0: None, **{each: each.name.lower() for each in State}}
FIELDS: dict[int, str | None] = {
    0: None,
    **{each: FIELD_NAMES[each] for each in Field if each in FIELD_NAMES},
}
RULE_NAMES: dict[int, str | None] = dict(enumerate((None, *RULES)))


def approval_of(payment: int, approved: int) -> str | None:
    """Return the last six digits of a payment's seq in base 36 where something was approved."""
    if not approved:
        return None
    text = ""
    for _ in range(6):
        payment, digit = divmod(payment, 36)
        text = DIGITS[digit] + text
    return text


def _reply(event: Any, request_id: str | None, instance: str) -> Reply:
    row = BY_NUMBER[int(event["code"])]
    payment, approved, ruleset = int(event["payment"]), int(event["approved_amount"]), int(event["ruleset"])
    return {
        "payment": f"{instance}-{payment}" if payment else None,
        "request_id": request_id,
        "decision": DECISIONS[int(event["decision"])],
        "code": row.name,
        "iso": row.iso,
        "field": FIELDS[int(event["field"])],
        "rule": RULE_NAMES[int(event["rule"])],
        "retry": row.retry.name,
        "amount": int(event["amount"]),
        "approved_amount": approved if ruleset else None,
        "currency": LETTERS.get(int(event["currency"])),
        "state": STATES[int(event["state"])],
        "ruleset": ruleset or None,
        "cohort": "control" if ruleset else None,
        "matched": [],
        "replayed": bool(event["replayed"]),
        "approval": approval_of(payment, approved),
        "seq": int(event["reply_seq"]),
    }


def decided(event: Any, request_id: str | None, instance: str, order: tuple[str, ...]) -> Reply:
    """Return the reply to a payment; order : the rules in the order in which `matched` lists them."""
    reply, bits = _reply(event, request_id, instance), int(event["matched"])
    if bits:
        reply["matched"] = [name for name in order if bits >> (1 + RULES.index(name)) & 1]
    return reply


def moved(event: Any, request_id: str | None, instance: str) -> Reply:
    """Return the reply to an operation on a payment."""
    reply = _reply(event, request_id, instance)
    is_known = bool(event["ruleset"])
    for name in ("captured", "refunded", "held"):
        reply[name] = int(event[name]) if is_known else None
    if reply["code"] == "CAPACITY":
        reply["payment"] = reply["state"] = None
    return reply


def done(event: Any) -> Reply:
    """Return the reply to a line of set-up."""
    row = BY_NUMBER[int(event["code"])]
    return {"code": row.name, "iso": row.iso, "replayed": bool(event["replayed"])}


def disclosed(event: Any, reply: Reply) -> Reply:
    """Return a reply as one reads it who is an acquirer alone."""
    place = int(event["disclosed"])
    if not place:
        return reply
    iso = ISO_CODES[place - 1]
    return {**reply, "code": "DECLINED", "iso": iso, "rule": None, "field": None, "matched": []}


def refused(refusal: Any) -> Reply:
    """Return the reply to a payment in bad form."""
    row = BY_NUMBER[int(refusal.code)]
    return {
        "payment": None,
        "request_id": refusal.request_id,
        "decision": "DECLINE",
        "code": row.name,
        "iso": row.iso,
        "field": refusal.field,
        "rule": None,
        "retry": row.retry.name,
        "amount": refusal.amount,
        "approved_amount": 0,
        "currency": refusal.currency,
        "state": None,
        "ruleset": None,
        "cohort": None,
        "matched": [],
        "replayed": False,
        "approval": None,
        "seq": None,
    }


def refused_operation(refusal: Any) -> Reply:
    """Return the reply to an operation in bad form."""
    return {**refused(refusal), "captured": None, "refunded": None, "held": None}
