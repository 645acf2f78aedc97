"""Sets of rules: registered, made the governing one, and told from the settings of a start.

A set is its base parameters, its order and its user rules; two sets of one hash are one. The limits of the
governing set lie in the context of the rules too, where they are read at every payment.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import (
    HASH_WORDS,
    ORDER_WORDS,
    RULESET_WHO,
    RULESET_WHY,
    RULESET_WHY_WORDS,
    SETTINGS_CLOCK,
    SETTINGS_FINGERPRINT,
    SETTINGS_HASH,
    SETTINGS_HISTORY,
    SETTINGS_INSTANCE,
    SETTINGS_LIMITS,
    SETTINGS_ORDER,
    SETTINGS_SOURCE,
    SOURCE_WORDS,
)
from engine.payments.kernels import event_forms as event
from engine.payments.kernels.holds import open_rules
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.set_up import tell_done
from engine.payments.kernels.user_rules import load_user_rules
from engine.payments.records import LIMITS, RULESETS_MAX
from engine.trials.kernels import is_live
from engine.trials.records import WHO_WORDS
from ringbuf.kernel import inlined, kernel

ONE = np.int64(1)
BYTE, BYTE_BITS, BYTES = 0xFF, 3, 8
LIMIT_COUNT = len(LIMITS)


@kernel
def find_ruleset(s, ruleset):
    """Return where a set lies by its id, or NIL."""
    for at in range(RULESETS_MAX):
        if ruleset > 0 and s.rulesets[at].ruleset == ruleset:
            return np.int64(at)
    return NIL


@kernel
def settings(s, command):
    """Take over what the configuration says; rules that it did not say before become the governing set."""
    words = command["words"]
    at = _find_by_hash(s, words)
    is_other = s.ruleset == 0 or at == NIL or s.rulesets[at].ruleset != s.configured
    if is_other and is_live(s.trial[0]):
        tell_done(s, command, k.NOT_OPEN, k.NONE, s.seq, k.NONE)
        return
    open_rules(s)
    for word in range(3):
        s.instance[word] = words[SETTINGS_INSTANCE + word]
    for word in range(2):
        s.fingerprint[word] = words[SETTINGS_FINGERPRINT + word]
    s.clock = words[SETTINGS_CLOCK]
    if s.ruleset == 0 and s.clock == k.CLOCK_REQUEST:
        s.now = 0  # what came before has moved it by the engine's clock
    s.has_history = words[SETTINGS_HISTORY]
    if is_other:
        if at == NIL:
            at = _add(s, words)
        s.configured = s.rulesets[at].ruleset
        govern(s, at)
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)


@kernel
def register(s, command):
    """Register a set that is not there yet; the answer's `payment` is its id."""
    words = command["words"]
    open_rules(s)
    at = _find_by_hash(s, words)
    if at == NIL:
        at = _add(s, words)
        for word in range(WHO_WORDS):
            s.rulesets[at].who[word] = words[RULESET_WHO + word]
        for word in range(RULESET_WHY_WORDS):
            s.rulesets[at].why[word] = words[RULESET_WHY + word]
    tell_done(s, command, k.OK, k.NONE, s.seq, k.NONE)
    s.out[s.out_last, event.PAYMENT] = s.rulesets[at].ruleset


@kernel
def activate(s, command):
    """Let a registered set govern; not while one is on trial."""
    at = find_ruleset(s, command["payment"])
    code = k.OK
    if at == NIL:
        code = k.NOT_FOUND
    elif is_live(s.trial[0]):
        code = k.NOT_OPEN
    else:
        open_rules(s)
        govern(s, at)
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)


@kernel
def govern(s, at):
    """Let a set decide from the next payment on."""
    s.governing = at
    s.ruleset = s.rulesets[at].ruleset
    take_limits(s.context[0].limit, s.rulesets[at].limits)


@kernel
def _find_by_hash(s, words):
    for at in range(RULESETS_MAX):
        is_same = s.rulesets[at].ruleset != 0
        for word in range(HASH_WORDS):
            is_same = is_same and s.rulesets[at].hash[word] == words[SETTINGS_HASH + word]
        if is_same:
            return np.int64(at)
    return NIL


@kernel
def _add(s, words):
    """Give a set a place: a free one, or that of the eldest that nothing needs."""
    at = NIL
    for place in range(RULESETS_MAX):
        ruleset = s.rulesets[place].ruleset
        is_needed = ruleset != 0 and (ruleset == s.ruleset or ruleset == s.configured)
        if is_live(s.trial[0]) and ruleset == s.trial[0].candidate:
            is_needed = True
        if not is_needed and (at == NIL or ruleset < s.rulesets[at].ruleset):
            at = np.int64(place)
    s.last_ruleset += 1
    s.rulesets[at].ruleset = s.last_ruleset
    s.rulesets[at].seq = s.seq
    for word in range(HASH_WORDS):
        s.rulesets[at].hash[word] = words[SETTINGS_HASH + word]
    for word in range(SOURCE_WORDS):
        s.rulesets[at].source[word] = words[SETTINGS_SOURCE + word]
    for limit in range(LIMIT_COUNT):
        s.rulesets[at].limits[limit] = words[SETTINGS_LIMITS + limit]
    for word in range(WHO_WORDS):
        s.rulesets[at].who[word] = 0
    for word in range(RULESET_WHY_WORDS):
        s.rulesets[at].why[word] = 0
    _take_order(s.rulesets[at], words)
    load_user_rules(s.rulesets[at])
    return at


@kernel
def _take_order(rules, words):
    """Note where each rule stands, and which are on."""
    rules.active = 0
    for rule in range(len(rules.place)):
        rules.place[rule] = len(rules.place)
    for place in range(ORDER_WORDS * BYTES):
        rule = (words[SETTINGS_ORDER + place // BYTES] >> ((place % BYTES) << BYTE_BITS)) & BYTE
        if rule == 0:
            break
        rules.place[rule] = place
        rules.active |= ONE << rule


@inlined
def take_limits(limit, values):
    """Copy the base parameters, in the order of LIMITS."""
    limit.card_1m = values[0]
    limit.card_1h = values[1]
    limit.card_declines_1h = values[2]
    limit.bin_declines_1h = values[3]
    limit.device_cards_24h = values[4]
    limit.ip_cards_1h = values[5]
    limit.email_cards_24h = values[6]
    limit.scheme_retry = values[7]
    limit.double_charge_ms = values[8]
    limit.score_decline = values[9]
    limit.score_review = values[10]
    limit.small_then_large_ms = values[11]
