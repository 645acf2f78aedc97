"""The legacy service: a plain, slow payment validation service that shows what Pinion's payments must answer.

It is written for clarity from the rules of payments and from decision 30, in one process, and imports nothing
of Pinion, so that what both answer was understood twice.

    form.py, ask.py      what a body must look like; what the rules read of it
    decide.py, rules.py  the decision, rule by rule
    lifecycle.py         capture, void, refund and review, and reversals that come before their original
    user_rules.py        rules that people write
    set_up.py            merchants, accounts, lists and deposits
    books.py, records.py, memory.py, windows.py  what is known
    codes.py             the shape of replies, and what each code stands for
    faults.py            small wrongs, on demand
"""

import time
from typing import Any

from tests.payments.legacy import form, lifecycle
from tests.payments.legacy.ask import Ask
from tests.payments.legacy.books import Books
from tests.payments.legacy.codes import CODES, Reply, reply
from tests.payments.legacy.decide import Judge
from tests.payments.legacy.faults import checked
from tests.payments.legacy.form import Body
from tests.payments.legacy.memory import digest_of
from tests.payments.legacy.rules import order_of, settings_of
from tests.payments.legacy.set_up import set_up
from tests.payments.legacy.user_rules import rules_of

CLOCKS = ("request", "engine")


class Legacy:
    """The whole service.

    `rules` is the table of the rules' settings, None for the defaults; `clock` says whether time comes with
    requests (`received_at`) or from the machine; `faults` are names of faults.FAULTS; `user_rules` is the
    text of a file of them.
    """

    def __init__(
        self,
        rules: dict[str, Any] | None = None,
        *,
        instance: str = "a",
        clock: str = "request",
        faults: frozenset[str] = frozenset(),
        user_rules: str = "",
    ) -> None:
        if clock not in CLOCKS:
            raise ValueError(f"no such clock: {clock}")
        self._instance = instance
        self._is_request_clock = clock == "request"
        self._books = Books(settings_of(rules), checked(faults))
        self._judge = Judge(order_of((rules or {}).get("order")), instance, rules_of(user_rules))

    @property
    def seq(self) -> int:
        """The number of the last command; it may be set before a call."""
        return self._books.seq

    @seq.setter
    def seq(self, seq: int) -> None:
        self._books.seq = seq

    @property
    def T(self) -> int:  # noqa: N802 - the letter that the rules of payments give this moment
        """The present moment in ms."""
        return self._books.t

    def set_up(self, line: Body, now_ms: int | None = None) -> Reply:
        """Carry out a line of set-up."""
        return set_up(self._books, line, None if self._is_request_clock else _now(now_ms))

    def pay(self, body: Body | bytes, now_ms: int | None = None) -> Reply:
        """Answer a payment; `now_ms` is the machine's clock, None reads it."""
        now_ms = _now(now_ms)
        asked, text = form.parsed(body)
        luhn = "luhn_skipped" not in self._books.faults
        wrong = form.wrong_in_payment(asked, text, now_ms if self._is_request_clock else None, luhn)
        if wrong:
            return refused(asked, *wrong)
        self._books.begin(asked.get("received_at") if self._is_request_clock else now_ms)
        merchant = self._books.merchants.get(asked["merchant"])
        account = self._books.accounts.get(asked["account"])
        return self._judge.decide(Ask(asked, merchant, account), self._books, digest_of(text))

    def operate(self, kind: str, payment: str | None, body: Body | bytes, now_ms: int | None = None) -> Reply:
        """Answer a capture, void, refund or review of a payment; a void of none is a reversal."""
        if payment is None:
            if kind != "void":
                raise ValueError(f"{kind} of no payment")
            kind = lifecycle.REVERSAL
        now_ms = _now(now_ms)
        asked, _ = form.parsed(body)
        wrong = lifecycle.wrong_in_operation(kind, asked, now_ms if self._is_request_clock else None)
        if wrong:
            return lifecycle.with_nothing_moved(refused(asked, *wrong))
        if payment is not None and not lifecycle.is_of(payment, self._instance):
            return lifecycle.not_found(payment, asked.get("request_id"), None)
        self._books.begin(asked.get("received_at") if self._is_request_clock else now_ms)
        if payment is None:
            return lifecycle.reverse(self._books, asked)
        return lifecycle.operate(self._books, kind, payment, asked)

    def payment(self, payment: str) -> Reply | None:
        """Return a payment as it is now."""
        known = self._books.payments.get(payment)
        return known.shown() if known else None

    def account(self, number: int) -> Body | None:
        """Return an account and its money as they are now."""
        known = self._books.accounts.get(number)
        if known is None:
            return None
        balances = {
            currency: {
                "total": balance.total,
                "held": balance.held,
                "available": known.available(currency),
            }
            for currency, balance in known.balances.items()
        }
        return {"account": number, "status": known.status, "balances": balances}

    def status_of(self, reply: Reply) -> int:
        """Return the HTTP status of a reply."""
        return CODES[reply["code"]].status

    def disclosed(self, reply: Reply) -> Reply:
        """Return a reply as one reads it who is an acquirer alone."""
        known = self._books.payments.get(reply["payment"])
        merchant = self._books.merchants.get(known.merchant) if known else None
        iso = merchant.disclose.get(reply["iso"]) if merchant else None
        if iso is None:
            return reply
        return {**reply, "code": "DECLINED", "iso": iso, "rule": None, "field": None, "matched": []}


def refused(body: Any, code: str, field: str) -> Reply:
    """Return the reply to a body in bad form; it repeats what is valid there, but never a PAN."""
    asked = body if isinstance(body, dict) else {}
    pan = form.pan_of(asked)

    def repeated(name: str, check: form.Check) -> Any:
        value = asked.get(name)
        return None if check(value) or (pan is not None and form.has_digits(value, pan)) else value

    return reply(
        code,
        request_id=repeated("request_id", form.name_64),
        field=field,
        amount=repeated("amount", form.amount),
        currency=repeated("currency", form.currency),
        ruleset=None,
        cohort=None,
    )


def _now(now_ms: int | None) -> int:
    return time.time_ns() // 1_000_000 if now_ms is None else now_ms
