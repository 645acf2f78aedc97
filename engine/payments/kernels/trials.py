"""A candidate set of rules judges beside the governing one, and counts for its cohort.

Both judge the same state, before anything of the payment is applied to it; the decision that does not count
leaves an event where it is another one, and nothing else.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.command_words import (
    CARD,
    TRIAL_COMPARES,
    TRIAL_COMPARES_AMOUNTS,
    TRIAL_COMPARES_FAULTS,
    TRIAL_COMPARES_RATES,
    TRIAL_GATE,
    TRIAL_LATE_MS,
    TRIAL_MAX_DISAGREE,
    TRIAL_MIN_SEEN,
    TRIAL_PERCENT,
    TRIAL_STEP_COUNT,
    TRIAL_STEPS,
    TRIAL_WHO,
    TRIAL_WHY,
)
from engine.payments.kernels import event_forms as at
from engine.payments.kernels.events import (
    about,
    begin_untold,
    by_user_rules,
    judged,
    kind_of_command,
    mark_of,
)
from engine.payments.kernels.holds import open_rules
from engine.payments.kernels.judge import judge
from engine.payments.kernels.rows import NIL
from engine.payments.kernels.rulesets import find_ruleset, govern, take_limits
from engine.payments.kernels.set_up import tell_done
from engine.payments.kernels.tables import mixed
from engine.trials.amounts import weigh
from engine.trials.kernels import (
    act,
    begin_canary,
    begin_shadow,
    count,
    counts_arms,
    is_in_cohort,
    is_live,
    settle,
)
from engine.trials.records import WHO_WORDS, WHY_WORDS, Act, TrialState
from ringbuf.kernel import inlined, kernel

CONTROL, CANARY = np.int64(0), np.int64(1)
ACT_SHADOW, ACT_START = np.int64(Act.SHADOW), np.int64(Act.START)
IN_SHADOW, PROMOTED = np.int64(TrialState.SHADOW), np.int64(TrialState.PROMOTED)
NS_PER_MS = 1_000_000


@kernel
def judge_beside(s, command, is_reversed, decision, code, rule, field, matched, user, approved_amount):
    """Let the candidate judge too; return the verdict that counts, its set and its cohort.

    decision .. approved_amount : the governing set's verdict
    """
    open_rules(s)
    t, other = s.trial[0], s.other[0]
    which = find_ruleset(s, t.candidate)
    rules, limit = s.rulesets[which], s.context[0].limit
    take_limits(limit, rules.limits)
    c_decision, c_code, c_rule, c_field, c_matched, c_user, c_amount = judge(s, command, rules, is_reversed)
    take_limits(limit, s.rulesets[s.governing].limits)
    if t.step_began_seq == 0:
        t.step_began_seq = s.seq
    if is_in_cohort(t, _key_of(command, rules.hash)):
        _enter(t, CANARY, command, c_code, c_amount)
        other.is_told = not count(t, code, c_code, c_code, c_decision, True)
        _keep(other, decision, code, rule, field, matched, user, approved_amount, s.ruleset, CONTROL)
        return c_decision, c_code, c_rule, c_field, c_matched, c_user, c_amount, t.candidate, CANARY
    _enter(t, CONTROL, command, code, approved_amount)
    other.is_told = not count(t, code, c_code, code, decision, False)
    _keep(other, c_decision, c_code, c_rule, c_field, c_matched, c_user, c_amount, t.candidate, CANARY)
    return decision, code, rule, field, matched, user, approved_amount, s.ruleset, CONTROL


@inlined
def _enter(t, arm, command, code, approved_amount):
    """Enter into its arm what is compared beside codes and outcomes."""
    if counts_arms(t):
        weigh(t.arms[arm], command["amount"], approved_amount)
        if code == k.STORE_DOWN:
            t.arms[arm].faults += 1


@kernel
def count_unserved(s, command):
    """Count for its side of a canary a payment that is refused undecided for want of room."""
    t = s.trial[0]
    if counts_arms(t):
        open_rules(s)
        salt = s.rulesets[find_ruleset(s, t.candidate)].hash
        arm = CANARY if is_in_cohort(t, _key_of(command, salt)) else CONTROL
        t.arms[arm].unserved += 1
        t.arms[arm].faults += 1


@kernel
def _key_of(command, salt):
    """Return what decides whether a card is in the cohort of a set: the same for the card all along."""
    words = command["words"]
    return mixed(mixed(words[CARD] ^ salt[0]) ^ words[CARD + 1] ^ salt[1])


@kernel
def _keep(other, decision, code, rule, field, matched, user, approved_amount, ruleset, cohort):
    """Keep the verdict that does not count."""
    other.decision = decision
    other.code = code
    other.rule = rule
    other.field = field
    other.matched = matched
    other.user_matched = user
    other.approved_amount = approved_amount
    other.ruleset = ruleset
    other.cohort = cohort


@kernel
def tell_trial(s, command, payment):
    """Tell where the sets disagreed, then let the trial go on or end as it has to."""
    t, other = s.trial[0], s.other[0]
    row = s.payments[payment]
    if other.is_told:
        first = begin_untold(s, command, mark_of(other.user_matched), k.KIND_DISAGREED)
        amount, matched = other.approved_amount, other.matched
        about(s, first, row.payment, row.account_number, row.amount, amount, matched, s.seq, k.NONE)
        code, rule, field = other.code, other.rule, other.field
        judged(s, first, code, rule, field, k.NONE, other.decision, other.cohort, k.NONE, k.NONE)
        by_user_rules(s, first, other.user_matched)
        kind_of_command(s, command, first, other.ruleset)
    if settle(t, s.eng_ts // NS_PER_MS):
        _promote(s)
        first = begin_untold(s, command, at.DECISION_MARK, k.KIND_TRIAL)
        about(s, first, t.candidate, k.NONE, t.percent, t.seen, t.disagreements, s.seq, k.NONE)
        judged(s, first, k.NONE, t.gate, k.NONE, t.state, k.NONE, k.NONE, k.NONE, k.NONE)
        kind_of_command(s, command, first, s.ruleset)


@kernel
def _promote(s):
    """Let a candidate govern whose trial has come to its good end."""
    if s.trial[0].state == PROMOTED:
        govern(s, find_ruleset(s, s.trial[0].candidate))


@kernel
def on_trial(s, command):
    """Begin a trial, or do with it what is asked."""
    t, words = s.trial[0], command["words"]
    what, candidate, now_ms = np.int64(command["kind"]), command["payment"], s.eng_ts // NS_PER_MS
    open_rules(s)
    code = k.OK
    if what == ACT_SHADOW or what == ACT_START:
        code = _may_begin(s, what, candidate)
        if code == k.OK:
            _begin(t, words, what, candidate, now_ms)
    elif candidate != t.candidate or not act(t, what, words[TRIAL_PERCENT], words[TRIAL_GATE], now_ms):
        code = k.NOT_OPEN
    if code == k.OK:
        for word in range(WHO_WORDS):
            t.who[word] = words[TRIAL_WHO + word]
        for word in range(WHY_WORDS):
            t.why[word] = words[TRIAL_WHY + word]
        _promote(s)
    tell_done(s, command, code, k.NONE, s.seq, k.NONE)


@kernel
def _may_begin(s, what, candidate):
    """Return OK, or why a set cannot be put on trial now; a canary may follow the shadow of its set."""
    if find_ruleset(s, candidate) == NIL:
        return k.NOT_FOUND
    t = s.trial[0]
    is_from_shadow = what == ACT_START and t.state == IN_SHADOW and t.candidate == candidate
    if candidate == s.ruleset or (is_live(t) and not is_from_shadow):
        return k.NOT_OPEN
    return k.OK


@kernel
def _begin(t, words, what, candidate, now_ms):
    t.max_disagree_ppm = words[TRIAL_MAX_DISAGREE]
    t.min_seen = words[TRIAL_MIN_SEEN]
    t.compares_rates = words[TRIAL_COMPARES] & TRIAL_COMPARES_RATES
    t.compares_amounts = (words[TRIAL_COMPARES] & TRIAL_COMPARES_AMOUNTS) // TRIAL_COMPARES_AMOUNTS
    t.compares_faults = (words[TRIAL_COMPARES] & TRIAL_COMPARES_FAULTS) // TRIAL_COMPARES_FAULTS
    t.late_ms = words[TRIAL_LATE_MS]
    if what == ACT_SHADOW:
        begin_shadow(t, candidate)
    else:
        begin_canary(t, candidate, words, TRIAL_STEPS, words[TRIAL_STEP_COUNT], now_ms)
