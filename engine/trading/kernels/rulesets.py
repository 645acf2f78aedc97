"""Sets of rules that people write: registered, made to govern, taken back; params of accounts and books.

A set is known by the hash of its rules, whose source lies in the data folder. To register one loads it, so no
order waits for a compiler; from the command that activates it on it judges every order, and never half of it.
"""

import numpy as np

from engine.rules.loaded import COUNT, KEYS, find_loaded, loaded_word, words_of_row
from engine.rules.vocabulary import PARAM, PARAMS_MAX, RULES_MAX
from engine.trading import codes
from engine.trading.fields import RULE_PARAM_LIFTED, WHY_FIELDS
from engine.trading.kernels.accounts import find_account
from engine.trading.kernels.events import done, rejected, rules_changed
from engine.trading.kernels.rule_records import HASH_WORDS, RULESETS_MAX, WHO_WORDS
from engine.trading.kernels.rule_windows import begin_term
from engine.trading.kernels.state import NIL
from engine.trading.kernels.validate import check_operator
from engine.trading.records import ALL_INSTRUMENTS
from ringbuf.kernel import apart, kernel

PARAM_MIN, PARAM_MAX = PARAM
NOTHING = np.int64(0)
assert len(WHY_FIELDS) == 5


@apart
def apply_rules(s, command, op):
    """Apply a command about rules: RULES, DONE or REJECTED."""
    reason = check_operator(command)
    if reason == codes.OK:
        if op == codes.OP_RULES_REGISTER:
            reason = _register(s, command)
        elif op == codes.OP_RULES_ACTIVATE:
            reason = _activate(s, command)
        elif op == codes.OP_RULES_ROLLBACK:
            reason = _roll_back(s, command)
        else:
            reason = _set_param(s, command)
    if reason != codes.OK:
        rejected(s, command, reason)


@kernel
def _find(s, first, second):
    """Return where a set lies by its hash, or NIL."""
    for at in range(RULESETS_MAX):
        is_same = s.rule_sets[at].hash[0] == first and s.rule_sets[at].hash[1] == second
        if s.rule_sets[at].ruleset != 0 and is_same:
            return np.int64(at)
    return NIL


@kernel
def _register(s, command):
    """Register a set; one that is there already stays as it is."""
    first, second = command["px"], command["qty"]
    if first == 0 and second == 0:
        return codes.INVALID_FIELD
    at = _find(s, first, second)
    if at == NIL:
        find_loaded(first, second)
        at = _add(s, command)
    rules_changed(s, command, codes.RULES_REGISTERED, at, NOTHING)
    return codes.OK


@kernel
def _add(s, command):
    """Give a set a place: a free one, or that of the eldest that neither governs nor can be gone back to."""
    at = NIL
    for place in range(RULESETS_MAX):
        ruleset = s.rule_sets[place].ruleset
        is_needed = ruleset != 0 and (place == s.governing - 1 or place == s.governed_before - 1)
        if not is_needed and (at == NIL or ruleset < s.rule_sets[at].ruleset):
            at = np.int64(place)
    s.last_ruleset += 1
    s.rule_sets[at].ruleset = s.last_ruleset
    s.rule_sets[at].seq = s.seq
    s.rule_sets[at].hash[0] = command["px"]
    s.rule_sets[at].hash[1] = command["qty"]
    for word in range(WHO_WORDS):
        s.rule_sets[at].who[word] = command["text"][word]
    s.rule_sets[at].why[0] = command["client_order_id"]
    s.rule_sets[at].why[1] = command["order_id"]
    s.rule_sets[at].why[2] = command["display_qty"]
    s.rule_sets[at].why[3] = command["stop_px"]
    s.rule_sets[at].why[4] = command["expiry"]
    for rule in range(RULES_MAX):
        s.rule_sets[at].refused[rule] = 0
        s.rule_sets[at].faults[rule] = 0
    return at


@kernel
def _activate(s, command):
    """Let a registered set govern from the next command on, or none."""
    first, second = command["px"], command["qty"]
    at = NIL
    if first != 0 or second != 0:
        at = _find(s, first, second)
        if at == NIL:
            return codes.UNKNOWN_RULES
    _govern(s, command, codes.RULES_ACTIVATED, at)
    return codes.OK


@kernel
def _roll_back(s, command):
    """Let the set govern again that did before, or none if none did; refused where nothing has governed."""
    if s.governing == 0 and s.governed_before == 0:
        return codes.NO_RULES_BEFORE
    _govern(s, command, codes.RULES_ROLLED_BACK, s.governed_before - 1)
    return codes.OK


@kernel
def _govern(s, command, status, at):
    """Let a set govern, NIL for none; what governed is what a rollback brings back."""
    before = s.governing
    if at + 1 != before:
        s.governed_before = before
        s.governing = at + 1
        s.guard_count += np.int64(at != NIL) - np.int64(before != 0)
        if before == 0:
            begin_term(s)
    rules_changed(s, command, status, at, s.rule_sets[before - 1].ruleset if before != 0 else NOTHING)


@kernel
def _set_param(s, command):
    """Set a param of a rule for an account or in an instrument, or lift it there."""
    key, value = command["px"], command["qty"]
    account, book = NIL, np.int64(command["instrument"])
    if (command["account"] == 0) == (book == ALL_INSTRUMENTS):
        return codes.INVALID_FIELD
    if command["account"] != 0:
        account = find_account(s, command["account"])
        if account == NIL:
            return codes.UNKNOWN_ACCOUNT
    elif book < 0 or book >= s.books_used:
        return codes.UNKNOWN_INSTRUMENT
    is_lifted = value == RULE_PARAM_LIFTED
    if not is_lifted and (value < PARAM_MIN or value > PARAM_MAX):
        return codes.INVALID_FIELD
    if not _is_known_param(s, key):
        return codes.UNKNOWN_PARAM
    if account != NIL:
        reason, first = _change(s, s.rule_accounts[account].params, key, value, is_lifted)
        s.rule_accounts[account].params = first
    else:
        reason, first = _change(s, s.rule_books[book].params, key, value, is_lifted)
        s.rule_books[book].params = first
    if reason == codes.OK:
        done(s, command, NIL if account != NIL else book)
    return reason


@kernel
def _is_known_param(s, key):
    """Tell whether a rule of any registered set has a param of this key."""
    for at in range(RULESETS_MAX):
        if key != 0 and s.rule_sets[at].ruleset != 0:
            row = find_loaded(s.rule_sets[at].hash[0], s.rule_sets[at].hash[1])
            keys = words_of_row(row, np.int64(KEYS))
            for place in range(loaded_word(row, np.int64(COUNT)) * PARAMS_MAX):
                if keys[place] == key:
                    return True
    return False


@kernel
def _change(s, first, key, value, is_lifted):
    """Change the chain of params that begins at `first` (idx + 1); return (reason, where it begins then)."""
    before, own = NIL, first - 1
    while own != NIL and s.rule_params[own].key != key:
        before, own = own, s.rule_params[own].next - 1
    if own != NIL and not is_lifted:
        s.rule_params[own].value = value
    elif own != NIL:
        following = s.rule_params[own].next
        if before == NIL:
            first = following
        else:
            s.rule_params[before].next = following
        s.rule_params[own].key = 0
        s.rule_params[own].value = 0
        s.rule_params[own].next = s.rule_params_free
        s.rule_params_free = own + 1
    elif not is_lifted:
        own = s.rule_params_free - 1
        if own != NIL:
            s.rule_params_free = s.rule_params[own].next
        elif s.rule_params_used == len(s.rule_params):
            return codes.RULE_PARAMS_FULL, first
        else:
            own = s.rule_params_used
            s.rule_params_used += 1
        s.rule_params[own].key = key
        s.rule_params[own].value = value
        s.rule_params[own].next = first
        first = own + 1
    return codes.OK, first


assert HASH_WORDS == 2
