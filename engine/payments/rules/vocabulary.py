"""What a rule of payments may speak of: the request, what the engine knows beside it, words and actions.

FIELDS and CONTEXT stand in the order in which the engine lays them out for compiled rules. What a request
does not give is -1; of the context, 0 where there is nothing to count.
"""

from collections.abc import Mapping

from engine.payments.codes import BY_NAME
from engine.payments.countries import COUNTRIES_MAX
from engine.payments.currencies import NUMBERS_MAX
from engine.payments.records import (
    AMOUNT_MAX,
    MONEY_MAX,
    NOT_GIVEN,
    RULES,
    CardType,
    Channel,
    CheckResult,
    Decision,
    PayKind,
)
from engine.payments.rules import words
from engine.rules.vocabulary import BIT, INT64_MAX, Range, Vocabulary

MS_MAX = INT64_MAX // 10**6
"""The last millisecond of a clock that counts nanoseconds in 64 bits."""
COUNT_MAX = 2**31
"""A window counts to one less, and a count includes the present attempt."""
SUM_MAX = MONEY_MAX + AMOUNT_MAX
"""No sum passes MONEY_MAX; what is asked comes on top."""
CARDS_MAX = 32
"""Cards of one device, address or e-mail that are told apart."""
EXPIRY_MAX = 12 * 100 - 1
EXPONENT_MAX = 4
SCORE_MAX = 1000
MCC_MAX = 9999

FIELDS: Mapping[str, Range] = {
    "op": Range(PayKind.AUTHORISE, PayKind.SALE),
    "channel": Range(Channel.ECOM, Channel.RECURRING),
    "amount": Range(1, AMOUNT_MAX),
    "currency": Range(1, NUMBERS_MAX - 1),
    "exponent": Range(0, EXPONENT_MAX),
    "account": Range(1, INT64_MAX),
    "bin": Range(NOT_GIVEN, 10**8 - 1),  # its digits as a number
    "bin_digits": Range(0, 8),
    "expiry": Range(0, EXPIRY_MAX),  # months since January 2000
    "card_type": Range(NOT_GIVEN, CardType.PREPAID),
    "issuer_country": Range(NOT_GIVEN, COUNTRIES_MAX - 1),
    "ip_country": Range(NOT_GIVEN, COUNTRIES_MAX - 1),
    "sca": BIT,
    "cvv_result": Range(NOT_GIVEN, CheckResult.NONE),
    "avs_result": Range(NOT_GIVEN, CheckResult.PARTIAL),
    "score": Range(NOT_GIVEN, SCORE_MAX),
    "allow_partial": BIT,
    "explain": BIT,
    "received_at": Range(NOT_GIVEN, MS_MAX),
    "ts_ms": Range(0, MS_MAX),  # T
}
CONTEXT: Mapping[str, Range] = {
    "merchant_daily": Range(1, SUM_MAX),
    "account_sum_24h": Range(1, SUM_MAX),
    "account_count_24h": Range(1, COUNT_MAX),
    "card_1m": Range(1, COUNT_MAX),
    "card_1h": Range(1, COUNT_MAX),
    "card_declines_1h": Range(0, COUNT_MAX - 1),
    "bin_declines_1h": Range(0, COUNT_MAX - 1),
    "device_cards_24h": Range(0, CARDS_MAX),
    "ip_cards_1h": Range(0, CARDS_MAX),
    "email_cards_24h": Range(0, CARDS_MAX),
    "scheme_retry": Range(0, COUNT_MAX - 1),
    "last_amount": Range(NOT_GIVEN, AMOUNT_MAX),  # -1: the card has paid nothing yet, so the next one
    "last_age_ms": Range(NOT_GIVEN, MS_MAX),
    "available": Range(0, MONEY_MAX),
    "mcc": Range(NOT_GIVEN, MCC_MAX),
    "is_allowed": BIT,
}
_OF_ENUMS = {each.name: int(each) for enum in (PayKind, Channel, CardType, CheckResult) for each in enum} | {
    "NOT_GIVEN": NOT_GIVEN
}

VOCABULARY = Vocabulary(
    fields=FIELDS,
    context=CONTEXT,
    constants=_OF_ENUMS,
    functions={"country": words.country, "currency": words.currency},
    actions={each.name: int(each) for each in (Decision.DECLINE, Decision.REVIEW, Decision.STEP_UP)},
    codes={"DECLINE": "USER_RULE", "REVIEW": "REVIEW", "STEP_UP": "SCA_REQUIRED"},
    taken=frozenset(RULES),
)
"""What user rules of payments are written in."""

_numbers = {**VOCABULARY.constants, **VOCABULARY.actions}
assert {name: getattr(words, name) for name in _numbers} == _numbers
assert {"REVIEW", "SCA_REQUIRED"} <= BY_NAME.keys()
