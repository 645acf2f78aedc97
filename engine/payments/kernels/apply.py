"""Apply one command to the state: the single entrance to the payments application.

Pure: the same state and the same numbered command give the same events and the same state, compiled or
not. Time, identity and order arrive inside the arguments.
"""

import numpy as np

from engine.payments import constants as k
from engine.payments.kernels import event_forms as at
from engine.payments.kernels import rulesets, set_up
from engine.payments.kernels.decide import pay
from engine.payments.kernels.events import about, begin, finish, judged, of_kind
from engine.payments.kernels.fleet import follow_store, join_fleet, move_shares
from engine.payments.kernels.holds import end_due
from engine.payments.kernels.operate import operate, reverse, review, tell_expired
from engine.payments.kernels.outcomes import confirmed, processed
from engine.payments.kernels.past import follow_history, restore
from engine.payments.kernels.sightings import merge_sightings
from engine.payments.kernels.trials import on_trial
from ringbuf.kernel import inlined, kernel

NS_PER_MS = 1_000_000
NO_TIMER = 2**63 - 1


@inlined
def apply(s, command, seq, eng_ts, ring):
    """Apply a command; append its events to those in `s.out` and return how many slots they take.

    Parameters
    ----------
    s : the STATE record
    command : a COMMAND record
    seq : int64, of this command; one more than the last
    eng_ts : int64, engine clock in ns, never less than before
    ring : int64, the ring the command came through

    First T moves and what is due ends; then the command is answered by one event of its own, except TICK.
    The versions of what it wrote are odd and listed in `s.opened`: the caller closes them. It also takes
    the events away and sets `s.out_count` to 0 (engine/contract/batches.py).
    """
    s.seq = seq
    s.eng_ts = eng_ts
    s.ring = ring
    s.out_first = s.out_count
    op = np.int64(command["op"])
    _move_clock(s, command)
    if s.next_end != 0 and s.next_end <= s.now:
        end_due(s)
    if s.untold_first != 0:
        tell_expired(s, command)
    if op == k.OP_PAY:
        pay(s, command)
    elif op != k.OP_TICK:
        _apply_rare(s, command, op)
    finish(s)
    return s.out_count - s.out_first


@inlined
def _move_clock(s, command):
    """Move T: with the engine's clock, or to what a request says where it lies ahead."""
    if s.clock == k.CLOCK_REQUEST:
        op = command["op"]
        is_request = (op >= k.OP_PAY and op <= k.OP_REFUND) or op == k.OP_REVIEW or op == k.OP_REVERSE
        if is_request and command["received_at"] > s.now:
            s.now = command["received_at"]
    else:
        s.now = s.eng_ts // NS_PER_MS


@kernel
def _apply_rare(s, command, op):
    """Apply a command of a kind that comes seldom."""
    if op == k.OP_CAPTURE or op == k.OP_VOID or op == k.OP_REFUND:
        operate(s, command)
    elif op == k.OP_REVERSE:
        reverse(s, command)
    elif op == k.OP_REVIEW:
        review(s, command)
    elif op == k.OP_MERCHANT:
        set_up.merchant(s, command)
    elif op == k.OP_MERCHANT_LIMITS:
        set_up.merchant_limits(s, command)
    elif op == k.OP_MERCHANT_PERMITS:
        set_up.merchant_permits(s, command)
    elif op == k.OP_MERCHANT_PARAMS:
        set_up.merchant_params(s, command)
    elif op == k.OP_ACCOUNT:
        set_up.account(s, command)
    elif op == k.OP_ACCOUNT_BALANCES:
        set_up.account_balances(s, command)
    elif op == k.OP_LIST:
        set_up.put_on_list(s, command)
    elif op == k.OP_DEPOSIT:
        set_up.deposit(s, command)
    elif op == k.OP_SETTINGS:
        rulesets.settings(s, command)
    elif op == k.OP_HISTORY:
        follow_history(s, command)
    elif op == k.OP_RESTORE:
        restore(s, command)
    elif op == k.OP_RULESET:
        rulesets.register(s, command)
    elif op == k.OP_ACTIVATE:
        rulesets.activate(s, command)
    elif op == k.OP_TRIAL:
        on_trial(s, command)
    elif op == k.OP_PROCESSED:
        processed(s, command)
    elif op == k.OP_CONFIRMED:
        confirmed(s, command)
    elif op == k.OP_FLEET:
        join_fleet(s, command)
    elif op == k.OP_STORE:
        follow_store(s, command)
    elif op == k.OP_SHARES:
        move_shares(s, command)
    elif op == k.OP_SIGHTINGS:
        merge_sightings(s, command)
    elif op == k.OP_QUARANTINED:
        _reject(s, command, k.SYSTEM)
    else:
        _reject(s, command, k.UNSUPPORTED)


@kernel
def _reject(s, command, code):
    """Refuse what is no command of payments, or must not be applied."""
    first = begin(s, command, at.DECISION_MARK, k.KIND_REJECTED)
    about(s, first, k.NONE, k.NONE, k.NONE, k.NONE, k.NONE, s.seq, k.NONE)
    judged(s, first, code, k.NONE, k.NONE, k.NONE, k.NONE, k.NONE, k.NONE, k.NONE)
    of_kind(s, first, s.ruleset, k.NONE, k.NONE, k.NONE)


@kernel
def next_due(s):
    """Return the engine time at which the next hold ends, or at once while expired ones are to be told."""
    if s.untold_first != 0:
        return s.eng_ts
    if s.clock == k.CLOCK_REQUEST or s.next_end == 0:
        return NO_TIMER
    return s.next_end * NS_PER_MS
