"""A trial step by step: begun, counted decision by decision, advanced, ended by a gate.

Pure like all that is applied: the same acts and decisions give the same trial. A state has one, as a record.
"""

import numpy as np

from engine.trials.amounts import parts_differ
from engine.trials.rates import differs
from engine.trials.records import (
    CODES_MAX,
    COHORT_PARTS,
    MILLION,
    OUTCOMES_MAX,
    PAIRS_MAX,
    Act,
    TrialGate,
    TrialState,
)
from ringbuf.kernel import inlined, kernel

SHADOW, RUNNING = np.int64(TrialState.SHADOW), np.int64(TrialState.RUNNING)
PAUSED, PROMOTED = np.int64(TrialState.PAUSED), np.int64(TrialState.PROMOTED)
ROLLED_BACK = np.int64(TrialState.ROLLED_BACK)
ACT_SET, ACT_ADVANCE, ACT_PAUSE = np.int64(Act.SET), np.int64(Act.ADVANCE), np.int64(Act.PAUSE)
ACT_RESUME, ACT_ROLL_BACK = np.int64(Act.RESUME), np.int64(Act.ROLL_BACK)
NO_GATE, BY_DISAGREEMENT = np.int64(TrialGate.NONE), np.int64(TrialGate.DISAGREEMENT)
BY_AMOUNT, BY_FAULTS = np.int64(TrialGate.APPROVED_AMOUNT), np.int64(TrialGate.FAULT_RATE)
BY_OUTCOME, BY_CODE = np.int64(TrialGate.OUTCOME_RATE), np.int64(TrialGate.CODE_RATE)
OUTCOME_TENTHS, CODE_TENTHS = 35, 45
"""How many tenths of its standard error a difference of rates may have; codes are many, so theirs more."""
PARTS_A_PERCENT = COHORT_PARTS // 100
ALL = 100


@inlined
def is_live(t):
    """Tell whether a candidate decides beside the governing set."""
    return t.state >= SHADOW and t.state <= PAUSED


@inlined
def counts_arms(t):
    """Tell whether the candidate's decisions count for its cohort, so that there are two arms."""
    return t.state == RUNNING or t.state == PAUSED


@inlined
def is_in_cohort(t, key):
    """Tell whether the candidate's decision counts for a key; key : int64, at least 0, evenly spread."""
    return key % COHORT_PARTS < PARTS_A_PERCENT * t.percent


@kernel
def begin_shadow(t, candidate):
    """Let a candidate decide in shadow."""
    _clear(t)
    t.candidate = candidate
    t.state = SHADOW


@kernel
def begin_canary(t, candidate, steps, first, count, now_ms):
    """Let a candidate decide for the first of its steps.

    steps : int64[..]; from `first` on `count` percentages, behind them as many times to hold, ms
    """
    _clear(t)
    t.candidate = candidate
    t.state = RUNNING
    t.step_count = count
    for step in range(count):
        t.steps[step] = steps[first + step]
        t.holds_ms[step] = steps[first + count + step]
    _enter(t, np.int64(0), now_ms)


@kernel
def _clear(t):
    t.percent = t.step = t.step_count = t.step_began_ms = 0
    t.seen = t.disagreements = t.gate = t.gate_of = t.pairs_left_out = 0
    for step in range(len(t.steps)):
        t.steps[step] = t.holds_ms[step] = 0
    for place in range(PAIRS_MAX):
        t.pairs[place].codes = t.pairs[place].count = 0
    _clear_arms(t)


@kernel
def _clear_arms(t):
    for arm in range(2):
        t.arms[arm].decided = 0
        for outcome in range(OUTCOMES_MAX):
            t.arms[arm].outcomes[outcome] = 0
        for code in range(CODES_MAX):
            t.arms[arm].codes[code] = 0
        t.arms[arm].unserved = t.arms[arm].faults = 0
        t.arms[arm].asked = t.arms[arm].withheld = t.arms[arm].withheld_max = 0
        t.arms[arm].asked_squares = t.arms[arm].asked_withheld = t.arms[arm].withheld_squares = 0


@kernel
def _enter(t, step, now_ms):
    """Begin a step."""
    t.step = step
    _begin_step(t, t.steps[step], now_ms)


@kernel
def _begin_step(t, percent, now_ms):
    """Count both arms anew: traffic changes with time, and so would rates over steps of different shares."""
    t.percent = percent
    t.step_began_ms = now_ms
    t.step_began_seq = 0
    t.next_look = t.min_seen
    _clear_arms(t)


@kernel
def act(t, what, percent, gate, now_ms):
    """Carry out SET, ADVANCE, PAUSE, RESUME or ROLL_BACK; tell whether the trial is one for that.

    percent : of a SET; gate : TrialGate, of a ROLL_BACK, which one asks for it
    """
    is_canary = counts_arms(t)
    if what == ACT_ROLL_BACK and is_live(t):
        end(t, ROLLED_BACK, gate)
        return True
    if what == ACT_PAUSE and t.state == RUNNING:
        t.state = PAUSED
        return True
    if what == ACT_RESUME and t.state == PAUSED:
        t.state = RUNNING
        t.step_began_ms = now_ms
        return True
    if what == ACT_SET and is_canary:
        _begin_step(t, percent, now_ms)
        return True
    if what == ACT_ADVANCE and is_canary:
        advance(t, now_ms)
        return True
    return False


@kernel
def end(t, state, gate):
    """End a trial: it counts for nobody from the next decision on."""
    t.state = state
    t.gate = gate
    t.percent = 0


@kernel
def advance(t, now_ms):
    """Go on to the next step, behind the last one to the end: the candidate is to govern."""
    if t.step + 1 < t.step_count:
        t.state = RUNNING
        _enter(t, t.step + 1, now_ms)
    else:
        end(t, PROMOTED, NO_GATE)


@kernel
def count(t, governing, candidate, counted, outcome, is_canary):
    """Enter a decision; return whether both sets agree.

    governing, candidate, counted : int64, the codes of both, and of the one that counts
    outcome : int64, of the one that counts
    """
    t.seen += 1
    if t.state != SHADOW:
        arm = np.int64(1) if is_canary else np.int64(0)
        t.arms[arm].decided += 1
        t.arms[arm].outcomes[outcome] += 1
        t.arms[arm].codes[counted] += 1
    if governing == candidate:
        return True
    t.disagreements += 1
    _count_pair(t, governing * CODES_MAX + candidate)
    return False


@kernel
def _count_pair(t, codes):
    for place in range(PAIRS_MAX):
        if t.pairs[place].codes == codes or t.pairs[place].codes == 0:
            t.pairs[place].codes = codes
            t.pairs[place].count += 1
            return
    t.pairs_left_out += 1


@kernel
def settle(t, now_ms):
    """Roll back where a gate is breached, take the next step where one is due; tell whether that was so.

    A step ends once it has lasted its time and both arms, or the candidate's alone at 100 per cent, have
    decided `min_seen` in it.
    """
    bound = t.max_disagree_ppm
    if bound >= 0 and t.seen >= t.min_seen and t.disagreements * MILLION > bound * t.seen:
        end(t, ROLLED_BACK, BY_DISAGREEMENT)
        return True
    if _is_breached(t):
        return True
    if t.state != RUNNING or now_ms - t.step_began_ms < t.holds_ms[t.step]:
        return False
    if t.arms[1].decided < t.min_seen or (t.percent < ALL and t.arms[0].decided < t.min_seen):
        return False
    advance(t, now_ms)
    return True


@kernel
def _is_breached(t):
    """Look at both arms when it is time, which is at each doubling, for looks add up."""
    least = min(t.arms[0].decided, t.arms[1].decided)
    if t.state == SHADOW or t.percent >= ALL or least < t.next_look:
        return False
    t.next_look *= 2
    if t.compares_rates != 0 and _rates_differ(t):
        return True
    if t.compares_amounts != 0 and parts_differ(t.arms[0], t.arms[1], OUTCOME_TENTHS):
        end(t, ROLLED_BACK, BY_AMOUNT)
        return True
    if t.compares_faults != 0 and _faults_differ(t.arms[0], t.arms[1]):
        end(t, ROLLED_BACK, BY_FAULTS)
        return True
    return False


@kernel
def _faults_differ(control, canary):
    before, after = control.decided + control.unserved, canary.decided + canary.unserved
    return differs(control.faults, before, canary.faults, after, OUTCOME_TENTHS)


@kernel
def _rates_differ(t):
    """End the trial where the rates of an outcome or of a code differ; tell whether they do."""
    control, canary = t.arms[0], t.arms[1]
    for outcome in range(OUTCOMES_MAX):
        before, after = control.outcomes[outcome], canary.outcomes[outcome]
        if differs(before, control.decided, after, canary.decided, OUTCOME_TENTHS):
            end(t, ROLLED_BACK, BY_OUTCOME)
            t.gate_of = outcome
            return True
    for code in range(CODES_MAX):
        before, after = control.codes[code], canary.codes[code]
        if differs(before, control.decided, after, canary.decided, CODE_TENTHS):
            end(t, ROLLED_BACK, BY_CODE)
            t.gate_of = code
            return True
    return False
