"""What a state holds of the request being decided, and of nothing else: scratch, but for `limit`."""

import numpy as np

from engine.payments.records import LIMITS
from engine.payments.rules.vocabulary import CONTEXT as USER_CONTEXT
from engine.payments.rules.vocabulary import FIELDS
from engine.rules.vocabulary import PARAMS_MAX, RULES_MAX

CONTEXT = np.dtype(
    [
        ("ts_ms", "<i8"),  # T
        ("has_merchant", "<i8"),
        ("merchant_flags", "<i8"),  # MERCHANT_ACTIVE, HAS_*
        ("merchant_channels", "<i8"),
        ("merchant_card_types", "<i8"),
        ("permits_currency", "<i8"),
        ("permits_country", "<i8"),
        ("merchant_min", "<i8"),
        ("merchant_max", "<i8"),
        ("merchant_daily_limit", "<i8"),
        ("merchant_daily", "<i8"),  # what the rule of that name compares with its limit; so all below
        ("sca_above", "<i8"),
        ("geo_above", "<i8"),
        ("account_status", "<i8"),  # AccountStatus, 0 for unknown
        ("account_min", "<i8"),
        ("account_max", "<i8"),
        ("account_sum_24h_limit", "<i8"),
        ("account_sum_24h", "<i8"),
        ("account_count_24h_limit", "<i8"),
        ("account_count_24h", "<i8"),
        ("available", "<i8"),
        ("card_1m", "<i8"),
        ("card_1h", "<i8"),
        ("card_declines_1h", "<i8"),
        ("bin_declines_1h", "<i8"),
        ("device_cards_24h", "<i8"),  # 0 without a device; so the next two
        ("ip_cards_1h", "<i8"),
        ("email_cards_24h", "<i8"),
        ("scheme_retry", "<i8"),
        ("last_payment", "<i8"),  # the card's last approved payment, 0 for none
        ("last_is_same_merchant", "<i8"),
        ("last_is_voided", "<i8"),
        ("last_amount", "<i8"),
        ("last_currency", "<i8"),
        ("last_age_ms", "<i8"),
        ("card_lists", "<i8"),  # bits 1 << ListKind; so the next six
        ("bin_lists", "<i8"),
        ("account_lists", "<i8"),
        ("device_lists", "<i8"),
        ("ip_lists", "<i8"),
        ("email_lists", "<i8"),
        ("is_allowed", "<i8"),
        ("is_noted", "<i8"),  # another rule has noted or declined; for the balance
        ("limit", [(name, "<i8") for name in LIMITS]),
    ]
)
"""What the rules know of a request beyond itself; scratch but for `limit`, which are the governing set's."""

VERDICT = np.dtype(
    [
        (name, "<i8")
        for name in (
            *("decision", "code", "rule", "field", "matched", "user_matched", "approved_amount"),
            *("ruleset", "cohort", "is_told"),
        )
    ]
)
"""The verdict of the set that does not count; is_told : it is another one, and an event says it; scratch."""

FOUND = np.dtype(
    [
        (name, "<i8")
        for name in (
            "merchant",
            "row",
            "account",
            "balance",
            "card",
            "pair",
            "bin",
            "device_idx",
            "ip",
            "email",
        )
    ]
)
"""Rows that belong to the request being decided, idx or NIL; scratch."""

USER = np.dtype(
    [
        ("is_packed", "<i8"),  # `p` and `ctx` are of the request being decided
        ("p", "<i8", (len(FIELDS),)),
        ("ctx", "<i8", (len(USER_CONTEXT),)),
        ("params", "<i8", (RULES_MAX * PARAMS_MAX,)),
    ]
)
"""A request as user rules are given it, and their params at a merchant that has some of its own; scratch."""
