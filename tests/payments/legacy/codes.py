"""What a reply says: its fields in order, and for each code the ISO 8583 answer, the status and the retry."""

from typing import Any, NamedTuple

Reply = dict[str, Any]

APPROVE, REVIEW, STEP_UP, DECLINE = "APPROVE", "REVIEW", "STEP_UP", "DECLINE"


class Code(NamedTuple):
    """What stands for a code elsewhere."""

    iso: str
    status: int
    retry: str


CODES = {
    "OK": Code("00", 200, "NONE"),
    "PARTIAL": Code("10", 200, "NONE"),
    "FORMAT": Code("30", 422, "FIX"),
    "BAD_AMOUNT": Code("13", 422, "FIX"),
    "BAD_CURRENCY": Code("12", 422, "FIX"),
    "BAD_PAN": Code("14", 422, "FIX"),
    "DUPLICATE": Code("94", 409, "NEVER"),
    "BAD_MERCHANT": Code("03", 200, "NEVER"),
    "NO_ACCOUNT": Code("78", 200, "NEVER"),
    "CLOSED_ACCOUNT": Code("46", 200, "NEVER"),
    "FROZEN_ACCOUNT": Code("62", 200, "NEVER"),
    "BLOCKED": Code("62", 200, "NEVER"),
    "COUNTRY_NOT_PERMITTED": Code("62", 200, "NEVER"),
    "EXPIRED_CARD": Code("54", 200, "FIX"),
    "LOST_CARD": Code("41", 200, "NEVER"),
    "STOLEN_CARD": Code("43", 200, "NEVER"),
    "CURRENCY_NOT_PERMITTED": Code("58", 200, "NEVER"),
    "CHANNEL_NOT_PERMITTED": Code("58", 200, "NEVER"),
    "CARD_TYPE_NOT_PERMITTED": Code("57", 200, "NEVER"),
    "AMOUNT_LIMIT": Code("61", 200, "LATER"),
    "MERCHANT_DAILY_LIMIT": Code("61", 200, "LATER"),
    "SUM_LIMIT": Code("61", 200, "LATER"),
    "COUNT_LIMIT": Code("65", 200, "LATER"),
    "VELOCITY": Code("59", 200, "LATER"),
    "FRAUD_SCORE": Code("59", 200, "LATER"),
    "RETRY_FORBIDDEN": Code("05", 200, "NEVER"),
    "DOUBLE_CHARGE": Code("94", 200, "NEVER"),
    "CVV_MISMATCH": Code("N7", 200, "FIX"),
    "USER_RULE": Code("05", 200, "LATER"),
    "REVIEW": Code("01", 200, "NONE"),
    "SCA_REQUIRED": Code("1A", 200, "FIX"),
    "FUNDS": Code("51", 200, "LATER"),
    "NOT_FOUND": Code("25", 404, "NEVER"),
    "NOT_OPEN": Code("12", 409, "NEVER"),
    "EXCEEDS_AUTHORISED": Code("13", 409, "FIX"),
    "EXCEEDS_CAPTURED": Code("13", 409, "FIX"),
    "REVERSED": Code("21", 200, "NEVER"),
    "CAPACITY": Code("96", 200, "LATER"),
}
"""Every code that this service can answer."""

RULESET, COHORT = 1, "control"
"""The rules that decide here: this service has one set, and no other to compare it with."""

FIELDS = (
    *("payment", "request_id", "decision", "code", "iso", "field", "rule", "retry", "amount"),
    *("approved_amount", "currency", "state", "ruleset", "cohort", "matched", "replayed", "approval", "seq"),
)
"""The fields of every reply, in order."""

OPERATION_FIELDS = (*FIELDS, "captured", "refunded", "held")
"""The fields of a reply to an operation on a payment, in order."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def reply(
    code: str,
    *,
    payment: str | None = None,
    request_id: str | None = None,
    decision: str = DECLINE,
    field: str | None = None,
    rule: str | None = None,
    amount: int | None = None,
    approved_amount: int | None = 0,
    currency: str | None = None,
    state: str | None = None,
    ruleset: int | None = RULESET,
    cohort: str | None = COHORT,
    matched: tuple[str, ...] = (),
    approval: str | None = None,
    seq: int | None = None,
) -> Reply:
    """Return a reply of the whole shape."""
    iso, _, retry = CODES[code]
    return {
        "payment": payment,
        "request_id": request_id,
        "decision": decision,
        "code": code,
        "iso": iso,
        "field": field,
        "rule": rule,
        "retry": retry,
        "amount": amount,
        "approved_amount": approved_amount,
        "currency": currency,
        "state": state,
        "ruleset": ruleset,
        "cohort": cohort,
        "matched": list(matched),
        "replayed": False,
        "approval": approval,
        "seq": seq,
    }


def kept(answer: Reply) -> tuple[Any, ...]:
    """Return the values of a reply, to be remembered."""
    return tuple([tuple(value) if type(value) is list else value for value in answer.values()])


def again(values: tuple[Any, ...]) -> Reply:
    """Return a reply that was remembered, of a payment or of an operation."""
    answer = dict(zip(FIELDS if len(values) == len(FIELDS) else OPERATION_FIELDS, values, strict=True))
    answer["matched"] = list(answer["matched"])
    return answer


def approval_of(seq: int) -> str:
    """Return the approval that a payment of this seq has: the last six digits of it in base 36."""
    text = ""
    for _ in range(6):
        seq, digit = divmod(seq, 36)
        text = DIGITS[digit] + text
    return text
