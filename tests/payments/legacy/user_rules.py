"""User rules as the plain service runs them: the functions of a file, as they are written.

A file imports its words from `pinion`; here they are the numbers that the guide to writing rules gives
them. A rule sees a request and what is known beside it as whole numbers, -1 for what is not given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from iso4217 import Currency

from tests.payments.legacy.ask import Ask
from tests.payments.legacy.books import Books
from tests.payments.legacy.codes import DECLINE, REVIEW, STEP_UP
from tests.payments.legacy.currencies import EXPONENTS
from tests.payments.legacy.rules import Rule

CHANNELS = ("ecom", "pos", "moto", "recurring")
CARD_TYPES = ("credit", "debit", "prepaid")
RESULTS = ("match", "mismatch", "none", "partial")
NUMBERS = {each.code: each.number for each in Currency}
CODES = {DECLINE: "USER_RULE", REVIEW: "REVIEW", STEP_UP: "SCA_REQUIRED"}


@dataclass(frozen=True)
class Head:
    """What the decorator of a rule says."""

    name: str
    code: str
    action: str
    params: Mapping[str, int]


def rules_of(text: str) -> list[Rule]:
    """Return the rules of a file, in its order, as the service judges by them."""
    heads: list[tuple[Head, Callable[..., Any]]] = []

    def rule(name: str, *, code: str, action: str, params: Mapping[str, int] | None = None) -> Any:
        def marked(function: Callable[..., Any]) -> Callable[..., Any]:
            heads.append((Head(name, code, action, params or {}), function))
            return function

        return marked

    words = {"rule": rule, "DECLINE": DECLINE, "REVIEW": REVIEW, "STEP_UP": STEP_UP, "NOT_GIVEN": -1}
    words |= {name.upper(): place for place, name in enumerate(CHANNELS, 1)}
    body = "\n".join(line for line in text.splitlines() if not line.startswith("from pinion import"))
    exec(body, words)
    return [_as_rule(head, function) for head, function in heads]


def _as_rule(head: Head, function: Callable[..., Any]) -> Rule:
    assert head.code == CODES[head.action]

    def judged(ask: Ask, books: Books) -> tuple[str, str, Any] | None:
        own = ask.merchant.params.get(head.name, {}) if ask.merchant else {}
        params = SimpleNamespace(**{name: own.get(name, value) for name, value in head.params.items()})
        is_match = function(request_of(ask, books), context_of(ask, books), params)
        return (head.action, head.code, None) if is_match else None

    judged.__name__ = head.name
    return judged


def request_of(ask: Ask, books: Books) -> SimpleNamespace:
    """Return `p`."""
    year, month = int(ask.expiry[:2]), int(ask.expiry[2:])
    return SimpleNamespace(
        op=2 if ask.sale else 1,
        channel=1 + CHANNELS.index(ask.channel),
        amount=ask.amount,
        currency=NUMBERS[ask.currency],
        exponent=EXPONENTS[ask.currency],
        account=ask.account_number,
        bin=-1 if ask.bin is None else int(ask.bin),
        bin_digits=0 if ask.bin is None else len(ask.bin),
        expiry=12 * year + month - 1,
        card_type=_place(ask.card_type, CARD_TYPES),
        issuer_country=_country(ask.issuer_country),
        ip_country=_country(ask.ip_country),
        sca=int(ask.sca),
        cvv_result=_place(ask.cvv_result, RESULTS),
        avs_result=_place(ask.avs_result, RESULTS),
        score=-1 if ask.score is None else ask.score,
        allow_partial=int(ask.allow_partial),
        explain=int(ask.explain),
        received_at=-1 if ask.received_at is None else ask.received_at,
        ts_ms=books.t,
    )


def context_of(ask: Ask, books: Books) -> SimpleNamespace:
    """Return `ctx`: what the rules of these names compare with their limits, and some more."""
    t, card = books.t, ask.card
    last = books.last_approved.get(card)
    merchant, money = ask.merchant_name, (ask.account_number, ask.currency)
    knows_merchant, knows_account = ask.merchant is not None, ask.account is not None
    knows_money = ask.account is not None and ask.currency in ask.account.balances
    return SimpleNamespace(
        merchant_daily=ask.amount + (books.daily(merchant, ask.currency) if knows_merchant else 0),
        account_sum_24h=ask.amount + (books.account_sum_24h.total(money, t) if knows_money else 0),
        account_count_24h=1 + (books.account_count_24h.total(ask.account_number, t) if knows_account else 0),
        card_1m=1 + books.card_1m.total(card, t),
        card_1h=1 + books.card_1h.total(card, t),
        card_declines_1h=books.card_declines_1h.total(card, t),
        bin_declines_1h=0 if ask.bin_counted is None else books.bin_declines_1h.total(ask.bin_counted, t),
        device_cards_24h=0 if ask.device is None else books.device_cards_24h.count(ask.device, card, t),
        ip_cards_1h=0 if ask.ip is None else books.ip_cards_1h.count(ask.ip, card, t),
        email_cards_24h=0 if ask.email is None else books.email_cards_24h.count(ask.email, card, t),
        scheme_retry=books.retries_30d.total((card, merchant), t),
        last_amount=-1 if last is None else last.approved,
        last_age_ms=-1 if last is None else t - last.approved_ms,
        available=ask.available,
        mcc=-1 if ask.merchant is None or ask.merchant.mcc is None else int(ask.merchant.mcc),
        is_allowed=int(card in books.lists["allow_card"]),
    )


def _place(word: str | None, words: tuple[str, ...]) -> int:
    return -1 if word is None else 1 + words.index(word)


def _country(letters: str | None) -> int:
    return -1 if letters is None else (ord(letters[0]) - ord("A")) * 26 + ord(letters[1]) - ord("A")
