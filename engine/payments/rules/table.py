"""The table of the rules: adding one is a function, a row here, and a test.

Rows stand in the order of their numbers, which is the order of evaluation unless settings say another.
Two rules are not functions of one request: `idempotency` looks into what is remembered before all others,
and `balance` stands last and knows whether another has noted something.
"""

from collections.abc import Callable
from typing import NamedTuple

from engine.payments.records import Decision, Rule
from engine.payments.rules import account, card, lists, merchant, sightings, signals

Validate = Callable[..., int]


class RuleRow(NamedTuple):
    """One rule."""

    rule: Rule
    validate: Validate
    severity: Decision = Decision.DECLINE
    """What it makes of a request that it finds something in."""
    is_lifted: bool = False
    """Whether cards on `allow_card` skip it."""


_REVIEW, _STEP_UP = Decision.REVIEW, Decision.STEP_UP
TABLE = (
    RuleRow(Rule.MERCHANT_ACTIVE, merchant.merchant_active),
    RuleRow(Rule.ACCOUNT_STATUS, account.account_status),
    RuleRow(Rule.CARD_EXPIRY, card.card_expiry),
    RuleRow(Rule.HOT_LIST, lists.hot_list),
    RuleRow(Rule.BLOCK_LIST, lists.block_list),
    RuleRow(Rule.MERCHANT_PERMITS, merchant.merchant_permits),
    RuleRow(Rule.MERCHANT_AMOUNT, merchant.merchant_amount),
    RuleRow(Rule.ACCOUNT_AMOUNT, account.account_amount),
    RuleRow(Rule.MERCHANT_DAILY, merchant.merchant_daily),
    RuleRow(Rule.ACCOUNT_SUM_24H, account.account_sum_24h),
    RuleRow(Rule.ACCOUNT_COUNT_24H, account.account_count_24h),
    RuleRow(Rule.CARD_1M, card.card_1m, is_lifted=True),
    RuleRow(Rule.CARD_1H, card.card_1h, is_lifted=True),
    RuleRow(Rule.CARD_DECLINES_1H, card.card_declines_1h, is_lifted=True),
    RuleRow(Rule.BIN_DECLINES_1H, card.bin_declines_1h, is_lifted=True),
    RuleRow(Rule.DEVICE_CARDS_24H, sightings.device_cards_24h, is_lifted=True),
    RuleRow(Rule.IP_CARDS_1H, sightings.ip_cards_1h, is_lifted=True),
    RuleRow(Rule.EMAIL_CARDS_24H, sightings.email_cards_24h, is_lifted=True),
    RuleRow(Rule.SCHEME_RETRY, card.scheme_retry, is_lifted=True),
    RuleRow(Rule.DOUBLE_CHARGE, card.double_charge, is_lifted=True),
    RuleRow(Rule.CVV, signals.cvv),
    RuleRow(Rule.SCORE_DECLINE, signals.score_decline, is_lifted=True),
    RuleRow(Rule.SCORE_REVIEW, signals.score_review, _REVIEW, is_lifted=True),
    RuleRow(Rule.GEO, signals.geo, _REVIEW, is_lifted=True),
    RuleRow(Rule.SMALL_THEN_LARGE, card.small_then_large, _REVIEW, is_lifted=True),
    RuleRow(Rule.SCA, signals.sca, _STEP_UP),
    RuleRow(Rule.BALANCE, account.balance),
)
assert [row.rule for row in TABLE] == list(Rule)[1:]
