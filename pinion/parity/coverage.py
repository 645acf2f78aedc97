"""Which cells of rule, outcome, channel and exponent pairs have reached, and how often."""

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from engine.payments.codes import BY_NUMBER
from engine.payments.currencies import CURRENCIES
from engine.payments.records import RULES, Channel, EventKind
from gateways.payments.door.routes import PaymentAsk
from pinion.parity.answers import ServiceAnswer

Cell = tuple[str | None, str, str, int]
"""Rule (None where none decided), code, channel, exponent of the currency."""
CHANNELS = tuple(channel.name.lower() for channel in Channel)
EXPONENTS = (0, 2, 3)
"""Of the currencies that money is asked for in."""
FEW = 30
"""A cell that was reached less often says little."""
OUTCOMES = {
    "idempotency": ("DUPLICATE", "REVERSED"),
    "merchant_active": ("BAD_MERCHANT",),
    "account_status": ("NO_ACCOUNT", "CLOSED_ACCOUNT", "FROZEN_ACCOUNT"),
    "card_expiry": ("EXPIRED_CARD",),
    "hot_list": ("LOST_CARD", "STOLEN_CARD"),
    "block_list": ("BLOCKED",),
    "merchant_permits": (
        *("CURRENCY_NOT_PERMITTED", "CHANNEL_NOT_PERMITTED"),
        *("CARD_TYPE_NOT_PERMITTED", "COUNTRY_NOT_PERMITTED"),
    ),
    "merchant_amount": ("AMOUNT_LIMIT",),
    "account_amount": ("AMOUNT_LIMIT",),
    "merchant_daily": ("MERCHANT_DAILY_LIMIT",),
    "account_sum_24h": ("SUM_LIMIT",),
    "account_count_24h": ("COUNT_LIMIT",),
    "scheme_retry": ("RETRY_FORBIDDEN",),
    "double_charge": ("DOUBLE_CHARGE",),
    "cvv": ("CVV_MISMATCH",),
    "score_decline": ("FRAUD_SCORE",),
    "score_review": ("REVIEW",),
    "geo": ("REVIEW",),
    "small_then_large": ("REVIEW",),
    "sca": ("SCA_REQUIRED",),
    "balance": ("FUNDS",),
}
"""Rule -> the codes that it answers with; the rules that are not named answer VELOCITY."""
ONLY_ECOM = "sca"
OWN_RULE = "own rule"
"""Stands for rules that are not built in: of those there are no cells to be reached."""
_KEY = (64, 8, 8)
"""How many codes, channels and exponents a cell's number has room for."""


def cells() -> Iterator[Cell]:
    """Yield every cell."""
    for channel in CHANNELS:
        for exponent in EXPONENTS:
            yield None, "OK", channel, exponent
            yield None, "PARTIAL", channel, exponent
            for rule in RULES:
                if rule != ONLY_ECOM or channel == "ecom":
                    for code in OUTCOMES.get(rule, ("VELOCITY",)):
                        yield rule, code, channel, exponent


def cells_of(events: npt.NDArray[np.void]) -> Counter[Cell]:
    """Count the cells of the payments that were decided among events."""
    decided = events[(events["kind"] == EventKind.DECIDED) & (events["replayed"] == 0)]
    number = decided["rule"].astype(np.int64)
    for name, room in zip(("code", "channel", "exponent"), _KEY, strict=True):
        number = number * room + decided[name]
    numbers, counts = np.unique(number, return_counts=True)
    return Counter({
        _cell(key): count for key, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    })  # fmt: skip


def _cell(number: int) -> Cell:
    number, exponent = divmod(number, _KEY[2])
    number, channel = divmod(number, _KEY[1])
    rule, code = divmod(number, _KEY[0])
    name = None if rule == 0 else RULES[rule - 1] if rule <= len(RULES) else OWN_RULE
    return (name, BY_NUMBER[code].name, CHANNELS[channel - 1], exponent)


def cells_of_answer(ask: PaymentAsk, request: bytes, answer: ServiceAnswer) -> Counter[Cell]:
    """Count the cell of one answer, where it is one to a payment that was decided."""
    said = answer.document or {}
    if ask != PaymentAsk.PAY or not said.get("seq") or said.get("replayed"):
        return Counter()
    fields = msgspec.json.decode(request)  # it was decided, so it is in good form
    return Counter([(said["rule"], said["code"], fields["channel"], CURRENCIES[fields["currency"]].exponent)])
