"""What is done to a payment after its decision: capture, void, refund, review.

An operation is judged in this order: its form, the payment, its own idempotency over all operations of
the payment, the room for it, the state of the payment, the amount.
"""

import re
from typing import Any

from tests.payments.legacy import form
from tests.payments.legacy.books import Books
from tests.payments.legacy.codes import APPROVE, DECLINE, Reply, again, approval_of, kept, reply
from tests.payments.legacy.form import BODY, Body, Check, Wrong
from tests.payments.legacy.memory import Answer, digest_of
from tests.payments.legacy.records import Payment
from tests.payments.legacy.rules import Finding, status_of

OPERATIONS_MAX = 64
"""How many operations of a payment are remembered."""
REVERSAL = "reversal"
"""A void by merchant and request_id; all others name the payment."""
NUMBER = re.compile("[1-9][0-9]{0,18}")


def _outcome(value: Any) -> str | None:
    return None if value in ("approve", "decline") else "FORMAT"


_AMOUNT: tuple[tuple[str, Check], ...] = (("request_id", form.name_64), ("amount", form.amount))
FORMS: dict[str, tuple[tuple[str, Check], ...]] = {
    "capture": (*_AMOUNT, ("final", form.flag)),
    "void": _AMOUNT,
    "refund": _AMOUNT,
    "review": (("outcome", _outcome),),
    REVERSAL: (("request_id", form.name_64), ("merchant", form.name_24)),
}
"""Operation -> the checks of its fields, beside `received_at`."""
OPTIONAL = ("amount", "final")


def wrong_in_operation(kind: str, body: Any, now_ms: int | None) -> Wrong | None:
    """Return the first fault in the form of an operation; `now_ms` as for a payment."""
    if not isinstance(body, dict):
        return "FORMAT", BODY
    checks = FORMS[kind]
    names = [name for name, _ in checks]
    named = form.misnamed(body, frozenset([*names, "received_at"]))
    if named:
        return "FORMAT", named
    for name in names:
        if name not in body and name not in OPTIONAL:
            return "FORMAT", name
    return form.wrong_value(body, checks) or form.wrong_moment(body, now_ms)


def is_of(payment: str, instance: str) -> bool:
    """Tell whether a payment's name can be one of this instance."""
    name, _, number = payment.rpartition("-")
    return name == instance and NUMBER.fullmatch(number) is not None and int(number) <= form.ACCOUNT_MAX


def not_found(payment: str, request_id: str | None, seq: int | None) -> Reply:
    """Return the reply where there is no such payment."""
    return _of_none("NOT_FOUND", DECLINE, request_id, seq, payment=payment, field="payment")


def operate(books: Books, kind: str, number: str, body: Body) -> Reply:
    """Carry out an operation in good form on a payment, for which the books have begun a command."""
    payment = books.payments.get(number)
    if payment is None:
        return not_found(number, body.get("request_id"), books.seq)
    if kind == "review":
        return _review(books, payment, body)
    return _once(books, kind, payment, body["request_id"], body)


def reverse(books: Books, body: Body) -> Reply:
    """Void a payment by merchant and request_id, or remember that it is to be declined when it comes."""
    key = body["merchant"], body["request_id"]
    stored = books.answers.get(key, books.t)
    if stored is None:
        answer = _of_none("OK", APPROVE, body["request_id"], books.seq)
        books.answers.keep(key, Answer(books.t, None, kept(answer)))
        return answer
    if stored.digest is None:
        return {**again(stored.values), "replayed": True}
    payment = books.payments[stored.values[0]]
    if again(payment.values)["code"] == "REVERSED":
        return _reply("OK", payment, books.seq, body["request_id"], field=None, moved=0)
    return _once(books, REVERSAL, payment, None, body)


def _once(books: Books, kind: str, payment: Payment, key: str | None, body: Body) -> Reply:
    """Carry out an operation, or answer as before one that was asked before; a reversal has no key."""
    if payment.operations is None:
        payment.operations = {}
    digest = digest_of(kind + form.canonical(body))
    request_id = body["request_id"]
    first = payment.operations.get(key)
    if first is not None:
        first_digest, values = first
        if first_digest == digest:
            return {**again(values), "replayed": True}
        was = again(values)
        answer = _reply("DUPLICATE", payment, was["seq"], request_id, field="request_id")
        return {**answer, "state": was["state"]}
    if len(payment.operations) >= OPERATIONS_MAX:
        return _full(payment, books.seq, request_id)
    code, moved = _moved(books, kind, payment, body)
    field = {"OK": None, "NOT_OPEN": "payment"}.get(code, "amount")
    answer = _reply(code, payment, books.seq, request_id, field=field, moved=moved)
    payment.operations[key] = digest, kept(answer)
    return answer


def _moved(books: Books, kind: str, payment: Payment, body: Body) -> tuple[str, int]:
    """Move the money of an operation; return the code, and what was moved."""
    if kind == "refund":
        return _refund(books, payment, body.get("amount"))
    if kind == REVERSAL and payment.state == "review":
        payment.state = "voided"
        return "OK", 0
    if payment.held == 0:
        return "NOT_OPEN", 0
    amount = body.get("amount", payment.held)
    if amount > payment.held:
        return "EXCEEDS_AUTHORISED", 0
    if kind == "capture":
        books.capture(payment, amount)
        if body.get("final", False):
            books.release(payment, payment.held)
    else:
        books.release(payment, amount)
        if "voids_give_back" in books.faults:
            books.add_to_sums(payment.merchant, payment.account, payment.currency, -amount)
    if payment.held == 0:
        payment.state = "captured" if payment.captured else "voided"
    return "OK", amount


def _refund(books: Books, payment: Payment, asked: int | None) -> tuple[str, int]:
    """Give back what was captured, all that is left of it where no amount is asked."""
    if payment.captured == 0:
        return "NOT_OPEN", 0
    left = payment.captured - payment.refunded
    amount = left if asked is None else asked
    if left == 0 or amount > left:
        return "EXCEEDS_CAPTURED", 0
    books.accounts[payment.account].balances[payment.currency].total += amount
    payment.refunded += amount
    return "OK", amount


def _review(books: Books, payment: Payment, body: Body) -> Reply:
    """Carry out what somebody decided about a payment in review."""
    if payment.state != "review":
        return _reply("NOT_OPEN", payment, books.seq, None, field="payment")
    if body["outcome"] == "decline":
        payment.state = "declined"
        return _reply("OK", payment, books.seq, None)
    account = books.accounts[payment.account]
    found: tuple[str, Finding | None] = "account_status", status_of(account)
    if found[1] is None and account.available(payment.currency) < payment.amount:
        found = "balance", (DECLINE, "FUNDS", "amount")
    rule, finding = found
    if finding is not None:
        _, code, field = finding
        return {**_reply(code, payment, books.seq, None, field=field), "rule": rule}
    if not books.has_room(payment.merchant, payment.account, payment.currency, payment.amount):
        return _full(payment, books.seq, None)
    books.approve(payment, payment.amount, approval_of(int(payment.payment.rpartition("-")[2])))
    return _reply("OK", payment, books.seq, None, moved=payment.amount)


def _reply(
    code: str,
    payment: Payment,
    seq: int,
    request_id: str | None,
    *,
    field: str | None = None,
    moved: int = 0,
) -> Reply:
    """Return the reply about a payment as it is now."""
    answer = reply(
        code,
        payment=payment.payment,
        request_id=request_id,
        decision=APPROVE if code == "OK" else DECLINE,
        field=field,
        amount=moved,
        approved_amount=payment.approved,
        currency=payment.currency,
        state=payment.state,
        approval=payment.approval,
        seq=seq,
    )
    return {**answer, "captured": payment.captured, "refunded": payment.refunded, "held": payment.held}


def _full(payment: Payment, seq: int, request_id: str | None) -> Reply:
    """Return the reply where there is no room for an operation."""
    return {**_reply("CAPACITY", payment, seq, request_id), "payment": None, "state": None}


def _of_none(
    code: str,
    decision: str,
    request_id: str | None,
    seq: int | None,
    *,
    payment: str | None = None,
    field: str | None = None,
) -> Reply:
    """Return a reply where no payment is known."""
    answer = reply(
        code,
        payment=payment,
        request_id=request_id,
        decision=decision,
        field=field,
        amount=0,
        approved_amount=None,
        ruleset=None,
        cohort=None,
        seq=seq,
    )
    return with_nothing_moved(answer)


def with_nothing_moved(answer: Reply) -> Reply:
    """Return a reply in the shape of operations, where nothing is known of the payment's money."""
    return {**answer, "captured": None, "refunded": None, "held": None}
