"""User rules on the path of a decision: a request laid out as they are given it, and what of them matches.

The order of the words is that of FIELDS and CONTEXT (engine/payments/rules/vocabulary.py). What a card has
not done yet, and what a merchant has not said, is -1.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import MERCHANT_PARAMS_MAX
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.store import counted_here
from engine.payments.records import HAS_SCA, USER_RULE_FIRST, WANTS_EXPLANATION, WANTS_PARTIAL, Decision
from engine.payments.rules.vocabulary import CONTEXT, FIELDS, VOCABULARY
from engine.rules.loaded import (
    ASKING,
    COUNT,
    DEFAULTS,
    KEYS,
    find_loaded,
    loaded_word,
    matches,
    words_of_row,
)
from engine.rules.vocabulary import PARAMS_MAX
from ringbuf.kernel import inlined, kernel

USER_FIRST = np.int64(USER_RULE_FIRST)
assert list(VOCABULARY.actions.values()) == [Decision.DECLINE, Decision.REVIEW, Decision.STEP_UP]
assert Decision.REVIEW - Decision.DECLINE == 1
assert Decision.STEP_UP - Decision.REVIEW == 1


@inlined
def has_user_rules(rules):
    """Tell whether a RULESET has user rules."""
    return (rules.source[0] | rules.source[1]) != 0


@kernel
def load_user_rules(rules):
    """Load the user rules of a RULESET ahead of the first request that they judge."""
    if has_user_rules(rules):
        find_loaded(rules.source[0], rules.source[1])


@kernel
def user_matches(s, command, rules):
    """Return which user rules of a RULESET match a request, a bit each."""
    row, user = find_loaded(rules.source[0], rules.source[1]), s.user[0]
    if not user.is_packed:
        _pack_request(command, s.context[0], user.p)
        _pack_context(s, s.context[0], user.ctx)
        user.is_packed = 1
    merchant = s.found[0].merchant
    if merchant != NIL and s.merchants[merchant].params[0, 0] != 0:
        _take_params(s.merchants[merchant].params, row, user.params)
        return matches(row, user.p, user.ctx, user.params)
    return matches(row, user.p, user.ctx, words_of_row(row, np.int64(DEFAULTS)))


@kernel
def of_user(rules, user, decision):
    """Return those of the user rules that matched which ask for a decision."""
    if user == 0:
        return user
    row = find_loaded(rules.source[0], rules.source[1])
    return user & loaded_word(row, np.int64(ASKING) + decision - k.DECISION_DECLINE)


@inlined
def code_of_user(decision):
    """Return the reply code of a user rule by what it asks for."""
    if decision == k.DECISION_DECLINE:
        return k.USER_RULE
    return k.TO_REVIEW if decision == k.DECISION_REVIEW else k.SCA_REQUIRED


@kernel
def _take_params(own, row, params):
    """Write the params of a set as they are at a merchant; own : its keys and values."""
    defaults, keys = words_of_row(row, np.int64(DEFAULTS)), words_of_row(row, np.int64(KEYS))
    for at in range(loaded_word(row, np.int64(COUNT)) * PARAMS_MAX):
        params[at] = defaults[at]
        for place in range(MERCHANT_PARAMS_MAX):
            if own[place, 0] == 0:
                break
            if own[place, 0] == keys[at]:
                params[at] = own[place, 1]


@kernel
def _pack_request(command, ctx, p):
    """Lay out FIELDS."""
    options = command["options"]
    p[0] = command["kind"]
    p[1] = command["channel"]
    p[2] = command["amount"]
    p[3] = command["currency"]
    p[4] = command["exponent"]
    p[5] = command["account"]
    p[6] = command["bin"]
    p[7] = command["bin_digits"]
    p[8] = command["expiry"]
    p[9] = command["card_type"]
    p[10] = command["issuer_country"]
    p[11] = command["ip_country"]
    p[12] = (options & HAS_SCA) != 0
    p[13] = command["cvv_result"]
    p[14] = command["avs_result"]
    p[15] = command["score"]
    p[16] = (options & WANTS_PARTIAL) != 0
    p[17] = (options & WANTS_EXPLANATION) != 0
    p[18] = command["received_at"]
    p[19] = ctx.ts_ms


assert tuple(FIELDS) == (
    *("op", "channel", "amount", "currency", "exponent", "account", "bin", "bin_digits", "expiry"),
    *("card_type", "issuer_country", "ip_country", "sca", "cvv_result", "avs_result", "score"),
    *("allow_partial", "explain", "received_at", "ts_ms"),
)


@kernel
def _pack_context(s, ctx, words):
    """Lay out CONTEXT."""
    merchant, has_paid = s.found[0].merchant, ctx.last_payment != 0
    words[0] = ctx.merchant_daily
    words[1] = ctx.account_sum_24h
    words[2] = ctx.account_count_24h
    words[3] = ctx.card_1m
    words[4] = ctx.card_1h
    words[5] = ctx.card_declines_1h
    words[6] = ctx.bin_declines_1h
    words[7] = counted_here(ctx.device_cards_24h)
    words[8] = counted_here(ctx.ip_cards_1h)
    words[9] = counted_here(ctx.email_cards_24h)
    words[10] = ctx.scheme_retry
    words[11] = ctx.last_amount if has_paid else NIL
    words[12] = ctx.last_age_ms if has_paid else NIL
    words[13] = ctx.available
    words[14] = NIL if merchant == NIL else np.int64(s.merchants[merchant].mcc)
    words[15] = ctx.is_allowed


assert tuple(CONTEXT) == (
    *("merchant_daily", "account_sum_24h", "account_count_24h", "card_1m", "card_1h", "card_declines_1h"),
    *("bin_declines_1h", "device_cards_24h", "ip_cards_1h", "email_cards_24h", "scheme_retry"),
    *("last_amount", "last_age_ms", "available", "mcc", "is_allowed"),
)
