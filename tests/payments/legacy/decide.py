"""The decision about a payment: memory first, then the rules in their order, then what is approved."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.payments.legacy.ask import Ask
from tests.payments.legacy.books import Books
from tests.payments.legacy.codes import (
    APPROVE,
    DECLINE,
    REVIEW,
    STEP_UP,
    Reply,
    again,
    approval_of,
    kept,
    reply,
)
from tests.payments.legacy.memory import Answer
from tests.payments.legacy.records import Payment
from tests.payments.legacy.rules import IDEMPOTENCY, LAST, RULE_NAMES, SKIPPED_FOR_ALLOWED, Rule


class Note(NamedTuple):
    """What a rule found."""

    rule: str
    decision: str
    code: str
    field: str | None


LATE = Note(IDEMPOTENCY, DECLINE, "REVERSED", "request_id")
"""What is found where a payment comes after its reversal."""
STATES = {DECLINE: "declined", REVIEW: "review", STEP_UP: "step_up"}


class Judge:
    """The rules in their order; `name` is that of the instance, with which payments' names begin.

    User rules stand behind all others but for the balance.
    """

    def __init__(self, order: Sequence[Rule], name: str, user_rules: Sequence[Rule] = ()) -> None:
        self.name = name
        order = [*order[: -len(LAST)], *user_rules, *order[-len(LAST) :]]
        users = [rule.__name__ for rule in user_rules]
        listed = [*RULE_NAMES[: -len(LAST)], *users, *RULE_NAMES[-len(LAST) :]]
        self._places = {name: place for place, name in enumerate(listed)}
        self._order = [(rule.__name__, rule) for rule in order]
        self._order_allowed = [(rule.__name__, rule) for rule in order if rule not in SKIPPED_FOR_ALLOWED]

    def decide(self, ask: Ask, books: Books, digest: bytes) -> Reply:
        """Answer a payment, for which the books have begun a command."""
        key = ask.merchant_name, ask.request_id
        stored = books.answers.get(key, books.t)
        is_late = stored is not None and stored.digest is None
        if stored is not None and not is_late:
            return _remembered(stored, digest, ask, books.seq)
        notes = self._notes(ask, books, [LATE] if is_late else [])
        winner = winning(notes)
        approved = 0 if winner else _approved(ask, books)
        if approved and not books.has_room(ask.merchant_name, ask.account_number, ask.currency, approved):
            return reply(
                "CAPACITY", request_id=ask.request_id, amount=ask.amount, currency=ask.currency, seq=books.seq
            )
        payment = self._entered(ask, books, winner, approved)
        matched = tuple(sorted((note.rule for note in notes), key=self._places.__getitem__))
        answer = _answer(ask, payment, matched, winner, books.seq)
        payment.values = kept(answer)
        books.answers.keep(key, Answer(books.t, digest, payment.values))
        return answer

    def _notes(self, ask: Ask, books: Books, notes: list[Note]) -> list[Note]:
        """Return what the rules find: up to the first DECLINE, or all of it where `explain` is asked."""
        declined = ask.noted = bool(notes)
        order = self._order_allowed if ask.card in books.lists["allow_card"] else self._order
        for name, rule in order:
            if declined and not ask.explain:
                break
            found = rule(ask, books)
            if found is not None:
                notes.append(Note(name, *found))
                ask.noted = True
                declined = declined or found[0] == DECLINE
        return notes

    def _entered(self, ask: Ask, books: Books, winner: Note | None, approved: int) -> Payment:
        """Return the payment of a decision, entered into the books."""
        payment = Payment(
            payment=f"{self.name}-{books.seq}",
            merchant=ask.merchant_name,
            account=ask.account_number,
            card=ask.card,
            currency=ask.currency,
            amount=ask.amount,
            sale=ask.sale,
            state=STATES[winner.decision] if winner else "open",
        )
        books.payments[payment.payment] = payment
        books.enter_attempt(ask, declined=winner is not None and winner.decision == DECLINE)
        if winner is None:
            books.approve(payment, approved, approval_of(books.seq))
        elif winner.decision == REVIEW:
            books.expire_later(payment)
        return payment


def winning(notes: list[Note]) -> Note | None:
    """Return the first note of the winning severity; None approves."""
    for decision in (DECLINE, STEP_UP, REVIEW):
        for note in notes:
            if note.decision == decision:
                return note
    return None


def _approved(ask: Ask, books: Books) -> int:
    """Return the amount to approve: what is there, where that is less than asked."""
    available = ask.available
    if available >= ask.amount:
        return ask.amount
    if "partial_rounds" in books.faults:
        return available // ask.unit * ask.unit or available
    return available


def _remembered(stored: Answer, digest: bytes, ask: Ask, seq: int) -> Reply:
    """Answer a request_id that was answered before."""
    first = again(stored.values)
    if stored.digest == digest:
        return {**first, "replayed": True}
    return reply(
        "DUPLICATE",
        payment=first["payment"],
        request_id=ask.request_id,
        field="request_id",
        rule=IDEMPOTENCY,
        amount=ask.amount,
        currency=ask.currency,
        state=first["state"],
        matched=(IDEMPOTENCY,),
        seq=first["seq"],
    )


def _answer(ask: Ask, payment: Payment, matched: tuple[str, ...], winner: Note | None, seq: int) -> Reply:
    if winner:
        code = winner.code
    else:
        code = "OK" if payment.approved == ask.amount else "PARTIAL"
    return reply(
        code,
        payment=payment.payment,
        request_id=ask.request_id,
        decision=winner.decision if winner else APPROVE,
        field=winner.field if winner else None,
        rule=winner.rule if winner else None,
        amount=ask.amount,
        approved_amount=payment.approved,
        currency=ask.currency,
        state=payment.state,
        matched=matched,
        approval=payment.approval,
        seq=seq,
    )
