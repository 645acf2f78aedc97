"""Replies: what an event, a payment's view or a refusal says, in the one shape that every reply has.

Members stand in the order of their definition; null is what is not known. A key that is acquirer alone
reads what its merchant discloses instead of the code.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from engine.payments.codes import BY_NUMBER, DECLINED, ISO_CODES, Code, CodeRow
from engine.payments.currencies import LETTERS
from engine.payments.records import FIELD_NAMES, USER_RULE_FIRST, Decision, EventKind, Rule, State
from engine.payments.view.live_view import PaymentView
from engine.payments.view.rules_view import ARMS
from gateways.payments.events import PaymentEvent
from gateways.payments.form import Asked
from gateways.payments.rule_names import Names, UserNames, matched_names, no_user_rules, rule_name
from gateways.payments.values import FormRefusal, may_hold_pan

APPROVAL_DIGITS = 6
_BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REJECTED = int(EventKind.REJECTED)
_NOT_FOUND, _CAPACITY, _SYSTEM = int(Code["NOT_FOUND"]), int(Code["CAPACITY"]), int(Code["SYSTEM"])
_DECISIONS = {int(each): each.name for each in Decision}
_STATES = {int(each): each.name.lower() for each in State}
_FIELDS: Mapping[int, str] = {int(field): name for field, name in FIELD_NAMES.items()}
MATCHED_KEPT = 4096
"""Sets of rules whose names are kept."""
SEQ_DIGITS_MAX = 11
"""Of an id that an answer repeats: more digits may be those of a card."""


class PaymentReply(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The reply to a payment."""

    payment: str | None = None
    request_id: str | None = None
    decision: str | None = None
    code: str
    iso: str | None
    field: str | None = None
    rule: str | None = None
    retry: str
    amount: int | None = None
    approved_amount: int | None = None
    currency: str | None = None
    state: str | None = None
    ruleset: int | None = None
    cohort: str | None = None
    matched: tuple[str, ...] = ()
    replayed: bool = False
    approval: str | None = None
    seq: int | None = None


class MovedReply(PaymentReply, frozen=True, gc=False, kw_only=True):
    """The reply about a payment that may have moved money: an operation's, or what it is asked for."""

    captured: int | None = None
    refunded: int | None = None
    held: int | None = None


class Told(NamedTuple):
    """A reply and the HTTP status that it goes with."""

    status: int
    reply: PaymentReply


encode_reply = msgspec.json.Encoder().encode


class Replies:
    """Makes the replies of one instance, whose name every payment's id begins with.

    user_names : the names of the user rules of a set
    """

    def __init__(self, instance: str, user_names: UserNames = no_user_rules) -> None:
        self._prefix = f"{instance}-"
        self._user_names = user_names
        self._matched: dict[tuple[int, int, int], Names] = {}

    def id_of(self, seq: int) -> str:
        """Return the id of the payment that this command decided."""
        return f"{self._prefix}{seq}"

    def seq_of(self, payment: str) -> int | None:
        """Return the seq within a payment's id, None where it is no id of this instance."""
        digits = payment.removeprefix(self._prefix)
        if digits == payment or not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
            return None
        return int(digits) if len(digits) <= SEQ_DIGITS_MAX else None

    def document(
        self,
        event: PaymentEvent,
        request_id: str | None,
        *,
        hides: bool = False,
        is_operation: bool = False,
        asked: str | None = None,
    ) -> Told:
        """Return the reply that an event answers a command with.

        hides : it is for a key that is acquirer alone
        asked : the payment's id as the address of an operation has it
        """
        code = event.code
        if event.kind == _REJECTED:
            return self.unanswered(_SYSTEM, Asked(bytearray(), request_id), is_operation=is_operation)
        said = self._said(event, hides)
        said |= {"request_id": request_id, "replayed": event.replayed != 0, "seq": event.reply_seq}
        is_known = event.payment > 0 and code != _NOT_FOUND
        if is_known or not is_operation:
            said["approved_amount"] = event.approved_amount
            said["approval"] = _approval(event.payment, event.approved_amount, event.state)
        if code == _CAPACITY:
            said["state"] = None
        elif is_known:
            said["payment"] = self.id_of(event.payment)
        elif code == _NOT_FOUND:
            said["payment"] = shown_id(asked)
        status = BY_NUMBER[code].http
        if not is_operation:
            return Told(status, PaymentReply(**said))
        if is_known:
            said |= {"captured": event.captured, "refunded": event.refunded, "held": event.held}
        return Told(status, MovedReply(**said))

    def of_view(self, view: PaymentView, *, hides: bool = False) -> Told:
        """Return what a payment has become."""
        reply = MovedReply(
            **self._said(view, hides), payment=self.id_of(view.payment), request_id=view.request_id,
            approved_amount=view.approved_amount,
            approval=_approval(view.payment, view.approved_amount, view.state),
            seq=view.payment, captured=view.captured, refunded=view.refunded, held=view.held,
        )  # fmt: skip
        return Told(200, reply)

    def not_found(self, asked: str | None, request_id: str | None) -> Told:
        """Return the reply where there is no such payment and the engine was not asked."""
        row = BY_NUMBER[_NOT_FOUND]
        reply = MovedReply(
            **_named(row), payment=asked, request_id=request_id, decision="DECLINE", field="payment", amount=0
        )
        return Told(row.http, reply)

    def refused(self, refusal: FormRefusal, *, is_operation: bool = False) -> Told:
        """Return the reply to a body that is refused for its form."""
        row = BY_NUMBER[refusal.code]
        kind = MovedReply if is_operation else PaymentReply
        reply = kind(
            **_named(row), decision="DECLINE", field=refusal.field, request_id=refusal.request_id,
            amount=refusal.amount, approved_amount=0, currency=refusal.currency,
        )  # fmt: skip
        return Told(row.http, reply)

    def unanswered(self, code: int, asked: Asked, *, is_operation: bool = False) -> Told:
        """Return the reply where there is no decision: BUSY, TIMEOUT, SYSTEM."""
        row = BY_NUMBER[code]
        kind = MovedReply if is_operation else PaymentReply
        reply = kind(**_named(row), request_id=asked.request_id, amount=asked.amount, currency=asked.currency)
        return Told(row.http, reply)

    def _said(self, source: PaymentEvent | PaymentView, hides: bool) -> dict[str, Any]:
        """Return what an event, or a view, says, by the names of a reply that both have."""
        row = BY_NUMBER[source.code]
        said: dict[str, Any] = {
            "decision": _DECISIONS.get(source.decision),
            "amount": source.amount,
            "currency": LETTERS.get(source.currency),
            "state": _STATES.get(source.state),
            "retry": row.retry.name,
        }
        if source.ruleset > 0:
            said["ruleset"] = source.ruleset
            said["cohort"] = ARMS[source.cohort]
        if hides and source.disclosed:
            said["code"], said["iso"] = DECLINED, ISO_CODES[source.disclosed - 1]
        else:
            said["code"], said["iso"] = row.name, row.iso
            said["rule"] = rule_name(source.rule, partial(self._user_names, source.ruleset))
            said["field"] = _FIELDS.get(source.field)
            bits, user = source.matched, source.user_matched
            if (bits | user) != 0:
                if hides and source.decision == Decision.DECLINE:
                    bits, user = _up_to(source.rule, bits, user)
                said["matched"] = self._names_of(bits, user, source.ruleset)
        return said

    def _names_of(self, bits: int, user: int, ruleset: int) -> Names:
        """Return the names of a set of rules, in their order; sets come again, so that they are kept."""
        key = bits, user, ruleset if user else 0
        names = self._matched.get(key)
        if names is None:
            names = matched_names(bits, user, partial(self._user_names, ruleset))
            if len(self._matched) < MATCHED_KEPT:
                self._matched[key] = names
        return names


def _up_to(rule: int, bits: int, user: int) -> tuple[int, int]:
    """Return what matched without what `explain` adds: it could be what is not disclosed."""
    if rule < USER_RULE_FIRST:
        return bits & (2 << rule) - 1, user if rule == Rule.BALANCE else 0
    return bits & ~(1 << Rule.BALANCE), user & (2 << rule - USER_RULE_FIRST) - 1


def shown_id(asked: str | None) -> str | None:
    """Return a payment's id as an answer repeats it, None for what may hold a PAN."""
    return None if asked is None or may_hold_pan(asked) else asked


def _named(row: CodeRow) -> dict[str, Any]:
    return {"code": row.name, "iso": row.iso, "retry": row.retry.name}


def _approval(seq: int, approved_amount: int, state: int) -> str | None:
    """Return what the terminal prints: the last digits of the payment's seq in base 36."""
    if approved_amount <= 0 or seq <= 0 or state == State.PENDING:
        return None
    digits = ""
    for _ in range(APPROVAL_DIGITS):
        seq, digit = divmod(seq, 36)
        digits = _BASE_36[digit] + digits
    return digits
