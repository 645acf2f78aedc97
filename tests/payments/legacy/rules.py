"""The rules: each looks at what is asked and at the books, and returns what it finds, or None.

What a rule finds is a decision, a code and the field at fault. What is not set checks nothing. A count
includes the present payment and refuses above its limit; declines are earlier ones and refuse at the limit.
"""

from collections.abc import Callable
from typing import Any

from tests.payments.legacy.ask import Ask, month_start_ms
from tests.payments.legacy.books import Books
from tests.payments.legacy.codes import DECLINE, REVIEW, STEP_UP
from tests.payments.legacy.records import Account, Limits
from tests.payments.legacy.windows import DistinctCards, Window

Finding = tuple[str, str, str | None]
Rule = Callable[[Ask, Books], Finding | None]

DEFAULTS: dict[str, int | None] = {
    "card_1m": 3,
    "card_1h": 10,
    "card_declines_1h": 5,
    "bin_declines_1h": None,
    "device_cards_24h": 3,
    "ip_cards_1h": 5,
    "email_cards_24h": None,
    "scheme_retry": 20,
    "double_charge_ms": 120_000,
    "score_decline": 900,
    "score_review": 700,
    "small_then_large_ms": 600_000,
}
"""What limits the rules, unless the settings say otherwise; None is off."""


def merchant_active(ask: Ask, books: Books) -> Finding | None:
    if ask.merchant is None or not ask.merchant.active:
        return DECLINE, "BAD_MERCHANT", "merchant"
    return None


def account_status(ask: Ask, books: Books) -> Finding | None:
    return status_of(ask.account)


def status_of(account: Account | None) -> Finding | None:
    """Judge an account by its status."""
    if account is None:
        return DECLINE, "NO_ACCOUNT", "account"
    if account.status == "closed":
        return DECLINE, "CLOSED_ACCOUNT", "account"
    if account.status == "frozen":
        return DECLINE, "FROZEN_ACCOUNT", "account"
    return None


def card_expiry(ask: Ask, books: Books) -> Finding | None:
    months_later = 0 if "month_end_local" in books.faults else 1
    if books.t >= month_start_ms(ask.expiry, months_later):
        return DECLINE, "EXPIRED_CARD", "card.expiry"
    return None


def hot_list(ask: Ask, books: Books) -> Finding | None:
    if ask.card in books.lists["lost"]:
        return DECLINE, "LOST_CARD", "card"
    if ask.card in books.lists["stolen"]:
        return DECLINE, "STOLEN_CARD", "card"
    return None


def block_list(ask: Ask, books: Books) -> Finding | None:
    lists = books.lists
    field = None
    if ask.card in lists["block_card"]:
        field = "card"
    elif ask.bin is not None and (ask.bin in lists["block_bin"] or ask.bin[:6] in lists["block_bin"]):
        field = "card.bin"
    elif ask.account_number in lists["block_account"]:
        field = "account"
    elif ask.device in lists["block_device"]:
        field = "device"
    elif ask.ip in lists["block_ip"]:
        field = "ip"
    elif ask.email in lists["block_email"]:
        field = "email"
    return (DECLINE, "BLOCKED", field) if field else None


def merchant_permits(ask: Ask, books: Books) -> Finding | None:
    merchant = ask.merchant
    if merchant is None:
        return None
    if merchant.currencies is not None and ask.currency not in merchant.currencies:
        return DECLINE, "CURRENCY_NOT_PERMITTED", "currency"
    if merchant.channels is not None and ask.channel not in merchant.channels:
        return DECLINE, "CHANNEL_NOT_PERMITTED", "channel"
    if merchant.card_types is not None and ask.card_type is not None:
        if ask.card_type not in merchant.card_types:
            return DECLINE, "CARD_TYPE_NOT_PERMITTED", "card.type"
    if merchant.issuer_countries is not None and ask.issuer_country not in merchant.issuer_countries:
        return DECLINE, "COUNTRY_NOT_PERMITTED", "card.issuer_country"
    return None


def _amount_of(ask: Ask, limits: Limits, faults: frozenset[str]) -> Finding | None:
    """Judge the amount by the least and the most of its currency."""
    of_currency = limits.get(ask.currency, {})
    least, most = of_currency.get("min"), of_currency.get("max")
    if least is not None and ask.amount < least + ("min_exclusive" in faults):
        return DECLINE, "AMOUNT_LIMIT", "amount"
    if most is not None and ask.amount > most - ("max_exclusive" in faults):
        return DECLINE, "AMOUNT_LIMIT", "amount"
    return None


def merchant_amount(ask: Ask, books: Books) -> Finding | None:
    return _amount_of(ask, ask.merchant.limits, books.faults) if ask.merchant else None


def account_amount(ask: Ask, books: Books) -> Finding | None:
    return _amount_of(ask, ask.account.limits, books.faults) if ask.account else None


def merchant_daily(ask: Ask, books: Books) -> Finding | None:
    limit = ask.merchant.limits.get(ask.currency, {}).get("daily") if ask.merchant else None
    if limit is not None and books.daily(ask.merchant_name, ask.currency) + ask.amount > limit:
        return DECLINE, "MERCHANT_DAILY_LIMIT", "amount"
    return None


def account_sum_24h(ask: Ask, books: Books) -> Finding | None:
    limit = ask.account.limits.get(ask.currency, {}).get("sum_24h") if ask.account else None
    if limit is not None:
        if books.account_sum_24h.total((ask.account_number, ask.currency), books.t) + ask.amount > limit:
            return DECLINE, "SUM_LIMIT", "amount"
    return None


def _count(window: Window, key: Any, books: Books) -> int:
    return window.total(key, books.t) + ("present_not_counted" not in books.faults)


def account_count_24h(ask: Ask, books: Books) -> Finding | None:
    limit = ask.account.count_24h if ask.account else None
    if limit is not None and _count(books.account_count_24h, ask.account_number, books) > limit:
        return DECLINE, "COUNT_LIMIT", "account"
    return None


def card_1m(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["card_1m"]
    if limit is not None and _count(books.card_1m, ask.card, books) > limit:
        return DECLINE, "VELOCITY", "card"
    return None


def card_1h(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["card_1h"]
    if limit is not None and _count(books.card_1h, ask.card, books) > limit:
        return DECLINE, "VELOCITY", "card"
    return None


def card_declines_1h(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["card_declines_1h"]
    if limit is not None and books.card_declines_1h.total(ask.card, books.t) >= limit:
        return DECLINE, "VELOCITY", "card"
    return None


def bin_declines_1h(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["bin_declines_1h"]
    if limit is not None and ask.bin_counted is not None:
        if books.bin_declines_1h.total(ask.bin_counted, books.t) >= limit:
            return DECLINE, "VELOCITY", "card.bin"
    return None


def _cards(window: DistinctCards, key: str | None, limit: int | None, ask: Ask, books: Books) -> bool:
    """Tell whether a device, address or e-mail has seen more cards than its limit."""
    if key is None or limit is None:
        return False
    return window.count(key, ask.card, books.t, "present_not_counted" not in books.faults) > limit


def device_cards_24h(ask: Ask, books: Books) -> Finding | None:
    if _cards(books.device_cards_24h, ask.device, books.rules["device_cards_24h"], ask, books):
        return DECLINE, "VELOCITY", "device"
    return None


def ip_cards_1h(ask: Ask, books: Books) -> Finding | None:
    if _cards(books.ip_cards_1h, ask.ip, books.rules["ip_cards_1h"], ask, books):
        return DECLINE, "VELOCITY", "ip"
    return None


def email_cards_24h(ask: Ask, books: Books) -> Finding | None:
    if _cards(books.email_cards_24h, ask.email, books.rules["email_cards_24h"], ask, books):
        return DECLINE, "VELOCITY", "email"
    return None


def scheme_retry(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["scheme_retry"]
    if limit is not None and books.retries_30d.total((ask.card, ask.merchant_name), books.t) >= limit:
        return DECLINE, "RETRY_FORBIDDEN", "card"
    return None


def double_charge(ask: Ask, books: Books) -> Finding | None:
    age_ms, last = books.rules["double_charge_ms"], books.last_approved.get(ask.card)
    if age_ms is None or last is None or books.t - last.approved_ms >= age_ms:
        return None
    if (last.merchant, last.approved, last.currency) != (ask.merchant_name, ask.amount, ask.currency):
        return None
    if last.state == "voided" and "double_charge_ignores_void" not in books.faults:
        return None
    return DECLINE, "DOUBLE_CHARGE", "amount"


def cvv(ask: Ask, books: Books) -> Finding | None:
    return (DECLINE, "CVV_MISMATCH", "cvv_result") if ask.cvv_result == "mismatch" else None


def score_decline(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["score_decline"]
    if limit is not None and ask.score is not None and ask.score >= limit:
        return DECLINE, "FRAUD_SCORE", "score"
    return None


def score_review(ask: Ask, books: Books) -> Finding | None:
    limit = books.rules["score_review"]
    if limit is not None and ask.score is not None and ask.score >= limit:
        return REVIEW, "REVIEW", "score"
    return None


def geo(ask: Ask, books: Books) -> Finding | None:
    above = ask.merchant.geo_above.get(ask.currency) if ask.merchant else None
    if above is None or ask.amount <= above - ("geo_inclusive" in books.faults):
        return None
    if ask.issuer_country is None or ask.ip_country is None or ask.issuer_country == ask.ip_country:
        return None
    return REVIEW, "REVIEW", "ip_country"


def small_then_large(ask: Ask, books: Books) -> Finding | None:
    age_ms, last = books.rules["small_then_large_ms"], books.last_approved.get(ask.card)
    if age_ms is None or last is None or books.t - last.approved_ms >= age_ms:
        return None
    if last.currency == ask.currency and last.approved <= ask.unit and ask.amount >= 100 * ask.unit:
        return REVIEW, "REVIEW", "amount"
    return None


def sca(ask: Ask, books: Books) -> Finding | None:
    above = ask.merchant.sca_above.get(ask.currency) if ask.merchant else None
    if above is None or ask.amount <= above - ("sca_inclusive" in books.faults):
        return None
    return (STEP_UP, "SCA_REQUIRED", "sca") if ask.channel == "ecom" and not ask.sca else None


def balance(ask: Ask, books: Books) -> Finding | None:
    available = ask.available
    if available >= ask.amount or (ask.allow_partial and available > 0 and not ask.noted):
        return None
    return DECLINE, "FUNDS", "amount"


FIRST: tuple[Rule, ...] = (merchant_active, account_status)
ORDERED: tuple[Rule, ...] = (
    *(card_expiry, hot_list, block_list, merchant_permits, merchant_amount, account_amount, merchant_daily),
    *(account_sum_24h, account_count_24h, card_1m, card_1h, card_declines_1h, bin_declines_1h),
    *(device_cards_24h, ip_cards_1h, email_cards_24h, scheme_retry, double_charge, cvv, score_decline),
    *(score_review, geo, small_then_large, sca),
)
"""The rules whose order can be set, in the order that they have unless it is."""
LAST: tuple[Rule, ...] = (balance,)
SKIPPED_FOR_ALLOWED: tuple[Rule, ...] = (
    *(card_1m, card_1h, card_declines_1h, bin_declines_1h, device_cards_24h, ip_cards_1h, email_cards_24h),
    *(scheme_retry, double_charge, score_decline, score_review, geo, small_then_large),
)
"""What a card on `allow_card` is not judged by."""
IDEMPOTENCY = "idempotency"
RULE_NAMES = (IDEMPOTENCY, *(rule.__name__ for rule in (*FIRST, *ORDERED, *LAST)))
"""The rules in the order of their table."""


def settings_of(rules: dict[str, Any] | None) -> dict[str, Any]:
    """Return the limits of all rules: those given, and the defaults of the others."""
    given = {name: value for name, value in (rules or {}).items() if name != "order"}
    unknown = sorted(given.keys() - DEFAULTS.keys())
    if unknown:
        raise ValueError(f"no such setting of a rule: {', '.join(unknown)}")
    return DEFAULTS | given


def order_of(names: list[str] | None) -> list[Rule]:
    """Return the rules to judge by: idempotency, merchant, account and balance always have their places."""
    by_name = {rule.__name__: rule for rule in ORDERED}
    if names is None:
        return [*FIRST, *ORDERED, *LAST]
    fixed = {IDEMPOTENCY, *(rule.__name__ for rule in FIRST + LAST)}
    unknown = sorted(set(names) - by_name.keys() - fixed)
    if unknown:
        raise ValueError(f"no such rule: {', '.join(unknown)}")
    return [*FIRST, *(by_name[name] for name in names if name not in fixed), *LAST]
