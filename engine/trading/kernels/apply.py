"""Apply one command to the state: the single entrance to the trading application.

Pure: the same state and the same numbered command give the same events and the same
state, compiled or not. Time, identity and order arrive inside the arguments.
"""

from engine.trading import codes
from engine.trading.kernels.admin import (
    apply_account,
    apply_currency,
    apply_instrument,
    apply_mark,
    apply_rate,
)
from engine.trading.kernels.amend import apply_replace
from engine.trading.kernels.cancel import apply_cancel, apply_mass_cancel, apply_session_end
from engine.trading.kernels.events import finish, rejected
from engine.trading.kernels.kill import apply_kill, apply_reset_latch
from engine.trading.kernels.latches import apply_session_start, judge_noted
from engine.trading.kernels.limits import apply_limits
from engine.trading.kernels.membership import apply_group
from engine.trading.kernels.movements import apply_movement
from engine.trading.kernels.phases import apply_phase
from engine.trading.kernels.rulesets import apply_rules
from engine.trading.kernels.submit import apply_new
from engine.trading.kernels.sweep import sweep
from ringbuf.kernel import apart, inlined, kernel

NEVER = 2**63 - 1


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

    Every command makes one event at least, except TICK and TIME, which may make some (sweep.py). The versions
    of the books and accounts it wrote are odd and listed in `s.opened`: the caller closes them.
    It also takes the events away and sets `s.out_count` to 0 (engine/contract/batches.py).
    """
    s.seq = seq
    s.eng_ts = eng_ts
    s.ring = ring
    s.out_first = s.out_count
    if s.rounds_due != 0:
        sweep(s, command)
    op = command["op"]
    if op == codes.OP_NEW:
        apply_new(s, command)
    elif op == codes.OP_REPLACE:
        apply_replace(s, command)
    elif op == codes.OP_CANCEL:
        apply_cancel(s, command)
    elif op != codes.OP_TICK and op != codes.OP_TIME:
        _apply_rare(s, command, op)
    if s.noted_count != 0:
        judge_noted(s, command)
    finish(s)
    return s.out_count - s.out_first


@apart
def _apply_rare(s, command, op):
    """Apply a command of a kind that comes seldom."""
    s.events_before = s.event_count
    if op == codes.OP_MASS_CANCEL:
        apply_mass_cancel(s, command)
    elif op == codes.OP_SESSION_END:
        apply_session_end(s, command)
    elif op == codes.OP_CURRENCY:
        apply_currency(s, command)
    elif op == codes.OP_INSTRUMENT:
        apply_instrument(s, command)
    elif op == codes.OP_ACCOUNT:
        apply_account(s, command)
    elif op == codes.OP_LIMITS or op == codes.OP_ACCOUNT_LIMITS:
        apply_limits(s, command)
    elif op == codes.OP_PHASE:
        apply_phase(s, command)
    elif op == codes.OP_MARK:
        apply_mark(s, command)
    elif op == codes.OP_RATE:
        apply_rate(s, command)
    elif op == codes.OP_KILL:
        apply_kill(s, command)
    elif op == codes.OP_RESET_LATCH:
        apply_reset_latch(s, command)
    elif op == codes.OP_SESSION_START:
        apply_session_start(s, command)
    elif op == codes.OP_GROUP:
        apply_group(s, command)
    elif op == codes.OP_DEPOSIT or op == codes.OP_WITHDRAW or op == codes.OP_TRANSFER:
        apply_movement(s, command)
    elif op >= codes.OP_RULES_REGISTER and op <= codes.OP_RULE_PARAM:
        apply_rules(s, command, op)
    elif op == codes.OP_SESSION_DOWN:
        rejected(s, command, codes.UNSUPPORTED)
    elif op == codes.OP_QUARANTINED:
        rejected(s, command, codes.QUARANTINED)
    else:
        rejected(s, command, codes.UNKNOWN_OP)


@kernel
def next_due(s):
    """Return the engine time at which a TICK is wanted: at once where stakes are still to be valued."""
    return s.eng_ts if s.rounds_due != 0 else NEVER
